"""ID tokens: who signed one, for whom, for which sign-in, and whether it still holds."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from typing import Any, TypeGuard

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from freehold.providers.outside import Outside, OutsideProblem

ALGORITHMS = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP",
}  # fmt: skip
"""The signatures that count, with the kind of key each is made with. None is shared with the client."""

_KEYS: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_KEPT_S = 3600.0
_ASKED_AGAIN_S = 30.0
_SETS_KEPT = 1000
_LEEWAY_S = 60
_LONGEST = 16_384
_MOST_KEYS = 100


class BadIdToken(Exception):
    """The ID token does not hold; the message says why."""


class _KeySet:
    def __init__(self, keys: list[dict[str, Any]]) -> None:
        self.keys = keys
        self.asked_at = time.monotonic()


class IdTokens:
    """Checks ID tokens against the keys that their issuers publish, which are remembered for an hour."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._sets: dict[str, _KeySet] = {}

    async def claims(
        self, token: str, *, issuer: str, keys: str, audiences: tuple[str, ...], nonce: str | None = None
    ) -> dict[str, Any]:
        """What an ID token says, once it is sure that it holds. Raises BadIdToken.

        A `nonce` has to stand in it. Without one the caller compares it.
        """
        header = _header(token)
        kind = ALGORITHMS.get(str(header.get("alg")))
        if kind is None:
            raise BadIdToken("its algorithm is none that counts")
        key = await self._key(keys, kind, header.get("kid"))
        try:
            algorithms = [name for name, made_with in ALGORITHMS.items() if made_with == kind]
            claims: dict[str, Any] = jwt.decode(
                token, _KEYS[kind].import_key(key), algorithms=algorithms
            ).claims
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise BadIdToken("its signature is not right") from error
        _check(claims, issuer, audiences)
        if nonce is not None and not hmac.compare_digest(
            str(claims.get("nonce", "")).encode(), nonce.encode()
        ):
            raise BadIdToken("it was made for another sign-in (nonce)")
        return claims

    async def _key(self, url: str, kind: str, key_id: Any) -> dict[str, Any]:
        """The key that a token names. One that is not known may be new: then its issuer is asked again."""
        known = self._sets.get(url)
        now = time.monotonic()
        found = _chosen(known, kind, key_id) if known is not None else None
        if known is None or now - known.asked_at > (_KEPT_S if found is not None else _ASKED_AGAIN_S):
            known = await self._ask(url)
            found = _chosen(known, kind, key_id)
        if found is None:
            raise BadIdToken("its key is none of its issuer's")
        return found

    async def _ask(self, url: str) -> _KeySet:
        try:
            answer = await self._outside.call("GET", url)
            told = answer.json() if answer.status == 200 else None
        except OutsideProblem as error:
            raise BadIdToken(f"the keys of its issuer could not be had: {error}") from error
        listed = told.get("keys") if isinstance(told, dict) else None
        if not isinstance(listed, list):
            raise BadIdToken("the keys of its issuer could not be read")
        if len(self._sets) >= _SETS_KEPT:
            self._sets.clear()
        keys = [each for each in listed[:_MOST_KEYS] if isinstance(each, dict) and each.get("use") != "enc"]
        found = self._sets[url] = _KeySet(keys)
        return found


def is_true(said: Any) -> bool:
    """A flag, also where a vendor spells it as a text or a number."""
    return said is True or said == "true" or (said == 1 and not isinstance(said, bool))


def _chosen(known: _KeySet, kind: str, key_id: Any) -> dict[str, Any] | None:
    fitting = [each for each in known.keys if each.get("kty") == kind]
    if key_id is None:  # then there must be no choice
        return fitting[0] if len(fitting) == 1 else None
    return next((each for each in fitting if each.get("kid") == key_id), None)


def _header(token: str) -> dict[str, Any]:
    part = token[:_LONGEST].partition(".")[0]
    try:
        header = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise BadIdToken("it is none") from error
    if not token or len(token) > _LONGEST or not isinstance(header, dict):
        raise BadIdToken("it is none")
    return header


def _check(claims: dict[str, Any], issuer: str, audiences: tuple[str, ...]) -> None:
    now = time.time()
    said = claims.get("iss")
    if said != issuer and f"https://{said}" != issuer:  # Google leaves the scheme out, sometimes
        raise BadIdToken("somebody else issued it (iss)")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(each in audiences for each in named):
        raise BadIdToken("it is for another client (aud)")
    if len(named) > 1 and claims.get("azp") not in audiences:
        raise BadIdToken("it was given to another client (azp)")
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _is_number(expires) or expires < now - _LEEWAY_S:
        raise BadIdToken("it has expired")
    if issued is not None and (not _is_number(issued) or issued > now + _LEEWAY_S):
        raise BadIdToken("it is from the future")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise BadIdToken("it does not say whose it is")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
