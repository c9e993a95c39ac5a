"""Authenticator apps: adding one, and taking its codes."""

from __future__ import annotations

import time

from freehold.errors import InvalidParameter
from freehold.services import projects
from freehold.services.mfa import sealing, store, totp
from freehold.services.mfa.errors import AuthenticatorNotFound, AuthenticatorVerified, InvalidCode
from freehold.services.mfa.models import MfaType
from freehold.web.call import Call


def must_be_known(kind: str) -> None:
    """Refuse kinds of authenticators that there are not. Raises InvalidParameter."""
    if kind != "totp":
        raise InvalidParameter(name="type", reason="Value must be one of (totp).")


async def new_totp(call: Call, user_id: str, account: str) -> MfaType:
    """Give a user an authenticator app, which counts once it is verified. Raises AuthenticatorVerified.

    `account` is what the app shows under the project's name.
    """
    secret = totp.new_secret()
    if not await store.add_authenticator(call.db, call.project.id, user_id, sealing.seal(call, secret)):
        raise AuthenticatorVerified()
    project = await projects.find(call.db, call.project.id)
    issuer = project["name"] if project is not None else call.project.id
    return MfaType(secret=secret, uri=totp.uri(secret, issuer=issuer, account=account))


async def verify_totp(call: Call, user_id: str, code: str) -> None:
    """Take the first code of an app. Raises AuthenticatorNotFound, AuthenticatorVerified, InvalidCode."""
    found = await store.find_authenticator(call.db, call.project.id, user_id)
    if found is None:
        raise AuthenticatorNotFound()
    if found["verified"]:
        raise AuthenticatorVerified()
    await take_code(call, user_id, sealing.unseal(call, found["secret_sealed"]), code)


async def take_totp(call: Call, user_id: str, code: str) -> None:
    """Take a code of a verified app. Raises InvalidCode."""
    found = await store.find_authenticator(call.db, call.project.id, user_id)
    if found is None or not found["verified"]:
        raise InvalidCode()
    await take_code(call, user_id, sealing.unseal(call, found["secret_sealed"]), code)


async def take_code(call: Call, user_id: str, secret: str, code: str) -> None:
    """Take a code of a secret, each once. Raises InvalidCode."""
    step = totp.matching_step(secret, code, time.time())
    if step is None or not await store.use_step(call.db, call.project.id, user_id, step):
        raise InvalidCode()
