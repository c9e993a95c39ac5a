"""A sign-in at a vendor from where it begins to where somebody comes back: bound to one browser, for once."""

from __future__ import annotations

import hmac
import re
import secrets as random
from typing import NamedTuple

from freehold import secrets
from freehold.db.pool import Record
from freehold.providers.oauth.client import VendorFailed, VendorRefused, authorize_url
from freehold.providers.oauth.vendor import Profile, Tokens, Vendor
from freehold.services.oauth import errors, registrations, store
from freehold.web import landing, redirects
from freehold.web.call import Call
from freehold.web.sessions import cookie_name

_SECONDS = 900
"""How long somebody may take to agree at the vendor."""
_COOKIE_PATH = "/v1/account/sessions/oauth2"
_is_browser_secret = re.compile(r"[0-9a-f]{64}").fullmatch


class Asked(NamedTuple):
    """How an application wants somebody to sign in."""

    success: str
    failure: str
    scopes: list[str]
    wants_token: bool = False
    app_state: str = ""


class Answered(NamedTuple):
    """What somebody comes back with from a vendor."""

    state: str
    code: str
    error: str
    why: str
    issuer: str


async def begin(call: Call, vendor: Vendor, asked: Asked) -> str:
    """The vendor's page to send somebody to.

    Raises ProviderDisabled, InvalidSuccessUrl, InvalidFailureUrl, VendorFailed.
    """
    here = redirects.own_endpoint(call)
    success = asked.success or here.removesuffix("/v1") + landing.SUCCESS
    failure = asked.failure or here.removesuffix("/v1") + landing.FAILURE
    if asked.success and not redirects.is_known(call, success):
        raise errors.InvalidSuccessUrl()
    if asked.failure and not redirects.is_known(call, failure):
        raise errors.InvalidFailureUrl()
    registered = await registrations.find(call, vendor)
    try:
        places = await call.app.vendors.places(vendor, registered, here)
    except VendorFailed as error:
        raise errors.VendorFailed(provider=vendor.name, reason=str(error)) from error
    state, nonce, verifier = (random.token_urlsafe(48) for _ in range(3))
    redirect_uri = f"{here}/account/sessions/oauth2/callback/{vendor.id}/{call.project.id}"
    new = store.NewState(
        digest=secrets.digest(state),
        provider=vendor.id,
        browser_digest=_browser(call),
        user_id=_linking(call),
        success=success,
        failure=failure,
        wants_token=asked.wants_token,
        app_state=asked.app_state,
        redirect_uri=redirect_uri,
        nonce=nonce,
        verifier=verifier,
        seconds=_SECONDS,
    )
    await store.begin(call.app.db, call.project.id, new)
    return authorize_url(
        vendor,
        registered,
        places,
        scopes=asked.scopes,
        state=state,
        nonce=nonce,
        verifier=verifier,
        redirect_uri=redirect_uri,
    )


async def take(call: Call, vendor: Vendor, state: str) -> Record:
    """The sign-in that somebody comes back from. It is over with this. Raises SignInRefused."""
    begun = await store.take(call.app.db, call.project.id, secrets.digest(state)) if state else None
    if begun is None or not begun["in_time"]:
        raise errors.SignInRefused(reason="This sign-in is over, or never began here. Start it again.")
    if begun["provider"] != vendor.id:
        raise errors.SignInRefused(reason="This sign-in began at another provider. Start it again.")
    return begun


def check_browser(call: Call, begun: Record) -> None:
    """Let only the browser go on that the sign-in began in, with the same user. Raises SignInRefused."""
    if begun["browser_digest"] is not None:
        presented = call.request.cookies().get(_cookie(call), "")
        if not hmac.compare_digest(secrets.digest(presented), begun["browser_digest"]):
            raise errors.SignInRefused(reason="This sign-in began in another browser. Start it in this one.")
    if begun["user_id"] is not None and call.identity.user_id != begun["user_id"]:
        raise errors.SignInRefused(reason="Whoever began this is not signed in any more. Start it again.")


async def ask(call: Call, vendor: Vendor, begun: Record, answered: Answered) -> tuple[Profile, Tokens]:
    """Who it is that came back, as the vendor says. Raises NotAgreed, VendorFailed, ProviderDisabled."""
    if answered.error or not answered.code:
        reason = " ".join((answered.error, answered.why)).strip()[:200] or "it sent no code."
        raise errors.NotAgreed(provider=vendor.name, reason=_plain(reason))
    registered = await registrations.find(call, vendor)
    vendors = call.app.vendors
    try:
        places = await vendors.places(vendor, registered, own_address(call))
        if answered.issuer and places.issuer and answered.issuer != places.issuer:
            raise VendorRefused("another provider answered (iss)")
        tokens = await vendors.exchange(
            vendor,
            registered,
            places,
            code=answered.code,
            verifier=begun["verifier"],
            redirect_uri=begun["redirect_uri"],
        )
        profile = await vendors.profile(vendor, registered, places, tokens, nonce=begun["nonce"])
    except VendorRefused as error:
        raise errors.NotAgreed(provider=vendor.name, reason=f"{error}.") from error
    except VendorFailed as error:
        raise errors.VendorFailed(provider=vendor.name, reason=f"{error}.") from error
    return profile, tokens


def own_address(call: Call) -> str:
    """Where this very process is reached from itself, for the mocks."""
    port = call.request.header(b"host").rpartition(":")[2]
    return f"http://127.0.0.1:{port if port.isdecimal() else 80}/v1"


def _linking(call: Call) -> str | None:
    """Whose account the identity is to become part of: of whoever is signed in in this browser.

    Sessions in headers do not count, since whoever sends them could send somebody else to the vendor, whose
    identity would then be theirs. Nor do pages of strangers, that send a browser here without being asked.
    """
    if call.identity.kind != "user" or cookie_name(call.project.id) not in call.request.cookies():
        return None
    if call.request.header(b"sec-fetch-site") == "cross-site":
        referer = call.request.header(b"referer")
        if not redirects.is_known(call, referer):
            return None
    return call.identity.user_id


def _browser(call: Call) -> bytes | None:
    """What tells this browser from others, in a cookie; None for servers, whose users come back elsewhere."""
    if call.identity.kind == "key":
        return None
    presented = call.request.cookies().get(_cookie(call), "")
    mark = presented if _is_browser_secret(presented) else random.token_hex(32)
    cookie = f"{_cookie(call)}={mark}; path={_COOKIE_PATH}; max-age={_SECONDS}; httponly; samesite=Lax"
    if call.is_https:
        cookie += "; secure"
    call.headers.append((b"set-cookie", cookie.encode("latin-1")))
    return secrets.digest(mark)


def _cookie(call: Call) -> str:
    return f"a_oauth2_{call.project.id}"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
