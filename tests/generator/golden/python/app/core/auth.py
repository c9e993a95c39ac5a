"""From a credential to the caller: signature, issuer, audience, expiry, tenant and roles of a bearer token."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from urllib.request import HTTPRedirectHandler, build_opener
from urllib.request import Request as UrlRequest

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from app.core.access import Principal, unauthenticated
from app.core.errors import Problem, unavailable
from app.core.limits import Limiter, network
from app.permissions import ROLES, TenantId, UserId
from app.settings import Settings

log = logging.getLogger(__name__)

LEEWAY_S = 30
STALE_S = 24 * 3600
CACHED_TOKENS = 10_000
ALGORITHMS_OF = {
    RSAPublicKey: {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
    EllipticCurvePublicKey: {"ES256"},
    Ed25519PublicKey: {"EdDSA"},
}


async def authenticate(request: Request) -> Principal:
    """The caller. Without a credential this is an anonymous one, whom `require` refuses where it must."""
    limiter: Limiter = request.app.state.limiter
    try:
        principal = await _principal(request)
    except Problem as problem:
        if problem.status < 500:  # guesses are counted as well
            request.state.limits = limiter.take(f"refused {_place(request)}")
        raise
    caller = f"{principal.tenant_id} {principal.actor}" if principal.actor else _place(request)
    request.state.limits = limiter.take(f"{principal.kind} {caller}")
    return principal


def _place(request: Request) -> str:
    return network(request.client.host if request.client else "")


async def _principal(request: Request) -> Principal:
    values = request.headers.getlist("authorization")
    if not values:
        return Principal()
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("Send one header: Authorization: Bearer <token>.", "invalid_request")
    verifier: Verifier = request.app.state.verifier
    return _noted(request, await verifier.principal(token.strip()))


def _noted(request: Request, principal: Principal) -> Principal:
    request.state.principal = principal
    return principal


class Verifier:
    """Verifies tokens of the one provider that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider
        self._keys = KeySet(settings.provider.jwks_url, settings.provider.refetch_seconds)
        self._dev_secret = settings.auth_dev_secret
        self._known: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    async def principal(self, token: str) -> Principal:
        """The token's principal, from the cache for at most a minute and never past its expiry."""
        digest = hashlib.sha256(token.encode(errors="replace")).digest()
        now = time.time()
        known = self._known.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        claims = await self._claims(token)
        principal = self._read(claims)
        self._known[digest] = (min(now + 60, float(claims["exp"]) + LEEWAY_S), principal)
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        provider = self._provider
        try:
            if provider.name == "dev":
                key: Any = self._dev_secret
            else:
                key = await self._key_of(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(provider.algorithms),
                issuer=provider.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp"], "verify_aud": False},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise unauthenticated("The token is not valid, or has expired.") from error
        if provider.audience and not set(provider.audience) & _as_set(claims.get(provider.audience_claim)):
            raise unauthenticated("The token is meant for someone else.")
        for claim, expected in provider.require.items():
            if claims.get(claim) != expected:
                raise unauthenticated(f"The token's {claim} should be {expected}.")
        return claims

    async def _key_of(self, token: str) -> Any:
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        key = await self._keys.get(str(header.get("kid", "")))
        usable = next((names for kind, names in ALGORITHMS_OF.items() if isinstance(key, kind)), set[str]())
        if algorithm not in usable or algorithm not in self._provider.algorithms:
            raise jwt.InvalidAlgorithmError("the key is for another algorithm")
        return key

    def _read(self, claims: Mapping[str, Any]) -> Principal:
        provider = self._provider
        service = bool(provider.service_claim) and _at(claims, provider.service_claim) == provider.service_value
        roles = {role for role in _as_set(_at(claims, provider.roles_claim)) if role in ROLES}
        return Principal(
            kind="service" if service else "user",
            id=_as_id(UserId, _at(claims, provider.user_claim)),
            tenant_id=_as_id(TenantId, _only(_at(claims, provider.tenant_claim))),
            roles=frozenset(roles | {"public", "authenticated"} | ({"service"} if service else set())),
        )


class KeySet:
    """The provider's public keys: fetched when an unknown one is named, at most so often, and kept a day."""

    def __init__(self, url: str, refetch_s: int) -> None:
        self._url = url
        self._refetch_s = refetch_s
        self._keys: dict[str, Any] = {}
        self._fetched = 0.0
        self._tried = 0.0
        self._lock = asyncio.Lock()

    async def get(self, kid: str) -> Any:
        if kid not in self._keys or time.monotonic() - self._fetched > STALE_S / 24:
            async with self._lock:
                if not self._tried or time.monotonic() - self._tried > self._refetch_s:
                    await self._fetch()
        if not self._fetched or time.monotonic() - self._fetched > STALE_S:
            raise unavailable()
        if kid not in self._keys:
            raise jwt.InvalidKeyError("no such key")
        return self._keys[kid]

    async def _fetch(self) -> None:
        self._tried = time.monotonic()
        try:
            document = await asyncio.to_thread(_download, self._url)
            found = {str(key.get("kid", "")): jwt.PyJWK(key).key for key in document["keys"] if _is_usable(key)}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
            log.warning("the provider's keys cannot be fetched: %r", error)
            return  # the old keys stay good for a day
        self._keys = {kid: key for kid, key in found.items() if _is_strong(key)}
        self._fetched = time.monotonic()


class _NoRedirects(HTTPRedirectHandler):
    """Keys come from the address that the settings name, and from nowhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = build_opener(_NoRedirects)


def _download(url: str) -> dict[str, Any]:
    with OPENER.open(UrlRequest(url, headers={"Accept": "application/json"}), timeout=5) as answer:  # noqa: S310
        document: dict[str, Any] = json.loads(answer.read(1_000_000))
        return document


def _is_usable(key: Mapping[str, Any]) -> bool:
    curve = key.get("crv")
    wanted = {"RSA": curve is None, "EC": curve == "P-256", "OKP": curve == "Ed25519"}
    return key.get("use", "sig") == "sig" and wanted.get(str(key.get("kty")), False)


def _is_strong(key: Any) -> bool:
    return not isinstance(key, RSAPublicKey) or key.key_size >= 2048


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a path such as `app_metadata.tenant_id`; a claim whose name has dots wins."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _only(value: Any) -> Any:
    """The one id of a claim that may be a list, or Keycloak's map of organizations by alias. Of several it is none."""
    if isinstance(value, list | Mapping) and len(value) != 1:
        return None
    if isinstance(value, Mapping):
        [(alias, organization)] = value.items()
        return organization.get("id", alias) if isinstance(organization, Mapping) else None
    return value[0] if isinstance(value, list) else value


def _as_set(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(value.split())
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def _as_id(kind: Any, value: Any) -> Any:
    """The claim as an id of this service; None when it is absent, or an id of some other system."""
    try:
        return TypeAdapter(kind).validate_python(value) if isinstance(value, str) and value else None
    except ValidationError:
        return None
