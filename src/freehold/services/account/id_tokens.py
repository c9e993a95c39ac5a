"""Signing in with an ID token that an application got from the vendor by itself, without a browser."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

from freehold import secrets
from freehold.providers.oauth.client import VendorFailed, read_profile
from freehold.providers.oauth.id_tokens import BadIdToken
from freehold.providers.oauth.vendor import Profile, Vendor
from freehold.services import oauth
from freehold.web.call import Call


async def read(call: Call, vendor: Vendor, token: str, nonce: str) -> Profile:
    """Whose ID token it is. It counts once. Raises ProviderDisabled, InvalidIdToken.

    Begin no transaction before: the vendor may have to be asked for its keys.
    """
    kept = await oauth.read(call, vendor)
    audiences = tuple(each for each in (kept.client_id, *kept.native_client_ids) if each)
    if not kept.native_enabled or not audiences:
        raise oauth.ProviderDisabled(provider=vendor.name)
    try:
        claims = await call.app.vendors.id_tokens.claims(
            token, issuer=vendor.issuer, keys=vendor.keys, audiences=audiences
        )
        _check_nonce(vendor, claims, nonce)
        profile = read_profile(vendor, claims)
    except (BadIdToken, VendorFailed) as error:
        raise oauth.InvalidIdToken(reason=f"{error}.") from error
    left_s = max(0.0, claims["exp"] - time.time()) + 120
    if not await oauth.use_id_token(call.app.db, call.project.id, secrets.digest(token), left_s):
        raise oauth.InvalidIdToken(reason="it has opened a session before.")
    return profile


def _check_nonce(vendor: Vendor, claims: dict[str, Any], nonce: str) -> None:
    """Apple's applications hand in a digest of the nonce; Google's the nonce itself, or none at all."""
    said = claims.get("nonce")
    if vendor.id == "apple":
        expected = hashlib.sha256(nonce.encode()).hexdigest() if nonce else ""
    elif said is None:
        return
    else:
        expected = nonce
    if not expected or not hmac.compare_digest(str(said).encode(), expected.encode()):
        raise BadIdToken("it was made for another sign-in (nonce)")
