"""Talking to vendors: the page where people agree, tokens for a code, and who it is that agreed."""

from __future__ import annotations

import base64
import hashlib
import time
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from freehold.providers.oauth.id_tokens import BadIdToken, IdTokens, is_true
from freehold.providers.oauth.vendor import Profile, Registration, Tokens, Vendor, look_up
from freehold.providers.outside import Answer, Outside, OutsideProblem

_WELL_KNOWN = "/.well-known/openid-configuration"
_DISCOVERY_S = 3600.0
_DISCOVERIES_KEPT = 1000
_LONGEST = 16_384
"""The most characters of a token that is kept."""
_APPLE_SECRET_S = 300


class VendorRefused(Exception):
    """The vendor says no: the person did not agree, or the code is not right."""


class VendorFailed(Exception):
    """The vendor cannot be asked, or its answer is not what it has to be."""


class Places(NamedTuple):
    """Where a vendor is asked what, for one project."""

    authorize: str
    token: str
    profile: str
    refresh: str
    issuer: str
    keys: str
    basic: bool
    """Whether the client shows its secret in the Authorization header."""


class Vendors:
    """Speaks to vendors. One a process: it remembers what they publish."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.id_tokens = IdTokens(outside)
        self._discovered: dict[str, tuple[float, dict[str, Any]]] = {}

    async def places(self, vendor: Vendor, registered: Registration, here: str) -> Places:
        """Where to ask. `here` is our own endpoint, for the mocks. Raises VendorFailed."""
        told: dict[str, Any] = {}
        if well_known := registered.options.get("wellKnownURL"):
            told = await self._discover(well_known)
        found = {name: str(told.get(key) or "") for name, key in _DISCOVERED.items() if told}
        published = Registration(client_id=registered.client_id, options=found | registered.options)
        methods = told.get("token_endpoint_auth_methods_supported")

        def filled(url: str) -> str:
            later = {"access_token": "{access_token}", "token_owner": "{token_owner}"}
            return published.fill(vendor, url, here=here, **later)

        places = Places(
            authorize=filled(vendor.authorize),
            token=filled(vendor.token),
            profile=filled(vendor.profile),
            refresh=filled(vendor.refresh or vendor.token),
            issuer=vendor.issuer or str(told.get("issuer") or ""),
            keys=vendor.keys or str(told.get("jwks_uri") or ""),
            basic=vendor.client_auth == "basic"
            or (isinstance(methods, list) and "client_secret_post" not in methods),
        )
        if not places.authorize or not places.token or (not places.profile and not places.issuer):
            raise VendorFailed("its URLs are not all known. Enter them, or the one of its configuration")
        return places

    async def _discover(self, url: str) -> dict[str, Any]:
        """What an OpenID provider publishes of itself, for an hour."""
        known = self._discovered.get(url)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        told = _object(await self._asked("GET", url))
        issuer = told.get("issuer")
        # Else one vendor could pass for another: its users would be those of the other.
        if url.endswith(_WELL_KNOWN) and str(issuer).rstrip("/") != url.removesuffix(_WELL_KNOWN):
            raise VendorFailed("its configuration names another issuer")
        if len(self._discovered) >= _DISCOVERIES_KEPT:
            self._discovered.clear()
        self._discovered[url] = (time.monotonic() + _DISCOVERY_S, told)
        return told

    async def exchange(
        self,
        vendor: Vendor,
        registered: Registration,
        places: Places,
        *,
        code: str,
        verifier: str,
        redirect_uri: str,
    ) -> Tokens:
        """Tokens for the code that somebody came back with. Raises VendorRefused, VendorFailed."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if vendor.pkce:
            form["code_verifier"] = verifier
        return await self._tokens(vendor, registered, places, places.token, form)

    async def refresh(
        self, vendor: Vendor, registered: Registration, places: Places, refresh_token: str
    ) -> Tokens:
        """New tokens for an old refresh token. Raises VendorRefused, VendorFailed."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._tokens(vendor, registered, places, places.refresh, form)

    async def _tokens(
        self, vendor: Vendor, registered: Registration, places: Places, url: str, form: dict[str, str]
    ) -> Tokens:
        headers: dict[str, str] = {}
        secret = _client_secret(vendor, registered)
        if places.basic:
            pair = f"{quote(registered.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": registered.client_id, "client_secret": secret}
        if vendor.token_request == "query":
            asked = self._asked("GET", f"{url}?{urlencode(form)}", headers=headers, ours=vendor.mock)
        elif vendor.token_request == "json":
            asked = self._asked("POST", url, headers=headers, json=form)
        else:
            asked = self._asked("POST", url, headers=headers, form=form)
        told = look_up(_object(await asked, refusing=True), vendor.token_path)
        told = told if isinstance(told, dict) else {}
        access = told.get("access_token") or told.get("token")
        if not isinstance(access, str) or not access or len(access) > _LONGEST:
            raise VendorFailed("it gave no access token")
        seconds = str(told.get("expires_in"))
        return Tokens(
            access=access,
            refresh=_text(told.get("refresh_token")),
            seconds=int(seconds) if seconds.isdecimal() and len(seconds) < 10 else 0,
            id_token=_text(told.get("id_token")),
        )

    async def profile(
        self, vendor: Vendor, registered: Registration, places: Places, tokens: Tokens, *, nonce: str
    ) -> Profile:
        """Who has agreed. Raises VendorFailed."""
        claims: dict[str, Any] = {}
        if places.issuer and places.keys:
            try:
                claims = await self.id_tokens.claims(
                    tokens.id_token,
                    issuer=places.issuer,
                    keys=places.keys,
                    audiences=(registered.client_id,),
                    nonce=nonce,
                )
            except BadIdToken as error:
                raise VendorFailed(f"its ID token does not hold: {error}") from error
        if not places.profile:
            return read_profile(vendor, claims)
        found = await self._profile(vendor, registered, places, tokens)
        if claims and vendor.reading.id == "sub" and claims.get("sub") != found.id:
            raise VendorFailed("its ID token is somebody else's")
        return found

    async def _profile(
        self, vendor: Vendor, registered: Registration, places: Places, tokens: Tokens
    ) -> Profile:
        values = {
            "client_id": registered.client_id,
            "client_secret": registered.client_secret,
            "access_token": quote(tokens.access, safe=""),
            "token_owner": quote(tokens.access.partition(".")[0], safe=""),
        }
        headers = {"Authorization": f"{vendor.scheme} {tokens.access}"}
        headers |= {name: text.format_map(values) for name, text in vendor.headers.items()}
        url = places.profile.format_map(values)
        told = _object(await self._asked(vendor.profile_method, url, headers=headers, ours=vendor.mock))
        profile = read_profile(vendor, told)
        if vendor.emails is None:
            return profile
        listed: Any = told
        if vendor.emails.url:
            answer = await self._asked("GET", vendor.emails.url, headers=headers)
            listed = _decoded(answer)
        return _with_email(vendor, profile, look_up(listed, vendor.emails.path))

    async def _asked(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        ours: bool = False,
    ) -> Answer:
        try:
            return await self._outside.call(method, url, headers=headers, form=form, json=json, ours=ours)
        except OutsideProblem as error:
            raise VendorFailed(str(error)) from error


_DISCOVERED = {
    "authorizationURL": "authorization_endpoint",
    "tokenURL": "token_endpoint",
    "userInfoURL": "userinfo_endpoint",
}


def authorize_url(
    vendor: Vendor,
    registered: Registration,
    places: Places,
    *,
    scopes: list[str],
    state: str,
    nonce: str,
    verifier: str,
    redirect_uri: str,
) -> str:
    """The page of the vendor where somebody agrees."""
    asked = dict.fromkeys((*vendor.scopes, *scopes))
    parameters = {
        "response_type": "code",
        "client_id": registered.client_id,
        "redirect_uri": redirect_uri,
        "scope": vendor.separator.join(asked),
        "state": state,
        **vendor.asks,
    }
    if not asked:
        del parameters["scope"]
    if vendor.pkce:
        parameters |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    if places.issuer:
        parameters["nonce"] = nonce
    if registered.prompt:
        parameters["prompt"] = " ".join(registered.prompt)
    if max_age := registered.options.get("maxAge"):
        parameters["max_age"] = max_age
    parts = urlsplit(places.authorize)
    query = urlencode(parameters)
    return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()


def challenge(verifier: str) -> str:
    """What PKCE shows of the verifier at first (S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def read_profile(vendor: Vendor, told: dict[str, Any]) -> Profile:
    """What a vendor tells of somebody. Raises VendorFailed when it does not say who it is."""
    reading = vendor.reading
    found = look_up(told, reading.id)
    if isinstance(found, bool) or not isinstance(found, str | int) or not 0 < len(str(found)) <= 256:
        raise VendorFailed("it did not say who you are")
    verified = reading.verified
    return Profile(
        id=str(found),
        email=_read(told, reading.email)[:254],
        verified=verified if isinstance(verified, bool) else _says_yes(look_up(told, verified)),
        name=_as_name(_read(told, reading.name)),
    )


def _as_name(told: str) -> str:
    """On one line, and as long as a name may be: it goes into mails and pages like any other."""
    words = "".join(" " if unicodedata.category(each) in _BREAKS else each for each in told).split()
    return " ".join(words)[:128].rstrip()


_BREAKS = ("Cc", "Cs", "Zl", "Zp")
"""Controls, halves of letters, and what ends a line, by their Unicode categories."""


def _says_yes(said: Any) -> bool:
    """A flag, however it is spelled; or the moment at which an address was confirmed."""
    if isinstance(said, str) and len(said) > 5:
        return said[:4].isdecimal()
    return is_true(said)


def _read(told: Any, paths: str) -> str:
    """The first of several paths at which there is something; see `Reading`."""
    for alternative in paths.split("|"):
        found = [look_up(told, path) for path in alternative.split()]
        words = [each for each in found if isinstance(each, str) and each]
        if words:
            return " ".join(words)
    return ""


def _with_email(vendor: Vendor, profile: Profile, listed: Any) -> Profile:
    """The profile with the primary address of a list, or with the first verified one."""
    assert vendor.emails is not None
    entries = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    if not entries:
        return profile
    primary = next((each for each in entries if is_true(each.get(vendor.emails.primary))), None)
    verified = next((each for each in entries if is_true(each.get(vendor.emails.verified))), None)
    chosen = primary or verified or entries[0]
    return profile._replace(
        email=_text(chosen.get(vendor.emails.address))[:254],
        verified=is_true(chosen.get(vendor.emails.verified)),
    )


def _client_secret(vendor: Vendor, registered: Registration) -> str:
    """What the client shows: for Apple a token that is signed with the key that Apple gave."""
    if vendor.id != "apple":
        return registered.client_secret
    now = int(time.time())
    claims = {
        "iss": registered.option(vendor, "teamId"),
        "iat": now,
        "exp": now + _APPLE_SECRET_S,
        "aud": "https://appleid.apple.com",
        "sub": registered.client_id,
    }
    header = {"alg": "ES256", "kid": registered.option(vendor, "keyId")}
    try:
        return jwt.encode(header, claims, ECKey.import_key(registered.client_secret), algorithms=["ES256"])
    except (JoseError, ValueError, TypeError) as error:
        raise VendorFailed("the key that was entered for it (p8File) cannot be read") from error


def _object(answer: Answer, *, refusing: bool = False) -> dict[str, Any]:
    told = _decoded(answer, refusing=refusing)
    if not isinstance(told, dict):
        raise VendorFailed("its answer is not a JSON object")
    if refusing and told.get("error"):
        raise VendorRefused("the code or the client was not accepted")
    return told


def _decoded(answer: Answer, *, refusing: bool = False) -> Any:
    if answer.status in (400, 401, 403) and refusing:
        raise VendorRefused("the code or the client was not accepted")
    if not 200 <= answer.status < 300:
        raise VendorFailed(f"it answered {answer.status}")
    try:
        return answer.json()
    except OutsideProblem as error:
        raise VendorFailed(str(error)) from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST else ""
