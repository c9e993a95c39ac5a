"""Endpoints of signing in with other vendors: there, back again, and with ID tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from freehold.errors import UserBlocked
from freehold.providers.oauth.vendor import Tokens
from freehold.services import oauth
from freehold.services.account import id_tokens
from freehold.services.account.errors import UserLimitReached
from freehold.services.account.models import Session
from freehold.services.account.oauth import FACTOR, finish, user_of, with_tokens
from freehold.services.account.signing_in import answer, open_session
from freehold.web import redirects
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import Input, Name

routes = Routes("account")

_Said = Annotated[str, Meta(max_length=2048)]
_LIMIT = limit("50/3600s", key="ip:{ip}")


class Begin(Input):
    success: str = ""
    failure: str = ""
    scopes: Annotated[list[Annotated[str, Meta(max_length=4096)]], Meta(max_length=100)] = []


class BeginForToken(Begin):
    state: Annotated[str, Meta(max_length=256, pattern=r"^[ -~]*$(?!\n)")] = ""
    """What the application recognises its own sign-in by."""


class ComeBack(Input):
    """What a vendor sends somebody back with."""

    code: _Said = ""
    state: _Said = ""
    error: _Said = ""
    error_description: _Said = field(default="", name="error_description")
    iss: _Said = ""


class CreateIdTokenSession(Input):
    provider: Literal["apple", "google"]
    id_token: Annotated[str, Meta(min_length=1, max_length=16384)]
    nonce: Annotated[str, Meta(max_length=512)] = ""
    access_token: Annotated[str, Meta(max_length=16384)] = ""
    access_token_expiry: Annotated[float, Meta(ge=0, le=2_000_000_000)] = 0
    name: Name = ""


_BEGIN = {
    "scope": "sessions.write",
    "status": 301,
    "limit": _LIMIT,
    "raises": (
        oauth.ProviderUnsupported,
        oauth.ProviderDisabled,
        oauth.InvalidSuccessUrl,
        oauth.InvalidFailureUrl,
        oauth.VendorFailed,
    ),
    "in_person": True,
}


@routes.get("/v1/account/sessions/oauth2/{provider}", name="createOAuth2Session", **_BEGIN)
async def create_oauth_session(call: Call, provider: str, query: Begin) -> None:
    """Send the browser to a provider to sign in there. It comes back with a session."""
    asked = oauth.Asked(query.success, query.failure, query.scopes)
    vendor = oauth.vendor_named(provider, dev=call.app.settings.dev)
    _send(call, await oauth.begin(call, vendor, asked))


@routes.get("/v1/account/tokens/oauth2/{provider}", name="createOAuth2Token", **_BEGIN)
async def create_oauth_token(call: Call, provider: str, query: BeginForToken) -> None:
    """Send the browser to a provider to sign in there. It comes back with a user's id and a token, to be
    handed in for a session."""
    asked = oauth.Asked(query.success, query.failure, query.scopes, wants_token=True, app_state=query.state)
    vendor = oauth.vendor_named(provider, dev=call.app.settings.dev)
    _send(call, await oauth.begin(call, vendor, asked))


@routes.get(
    "/v1/account/sessions/oauth2/callback/{provider}/{projectId}",
    scope="public",
    status=301,
    from_anywhere=True,
    name="returnFromProvider",
)
async def return_from_provider(call: Call, provider: str, project_id: str, query: ComeBack) -> None:
    """Where providers send browsers back to: on to the redirect of the project."""
    _onwards(call, provider, project_id, query)


@routes.post(
    "/v1/account/sessions/oauth2/callback/{provider}/{projectId}",
    scope="public",
    status=303,
    from_anywhere=True,
    name="returnFromProviderWithForm",
)
async def return_with_form(call: Call, provider: str, project_id: str, body: ComeBack) -> None:
    """The same for providers that send a form, on which browsers send no cookies along."""
    _onwards(call, provider, project_id, body)


@routes.get(
    "/v1/account/sessions/oauth2/{provider}/redirect",
    scope="public",
    status=302,
    limit=_LIMIT,
    emits="users.[userId].sessions.[sessionId].create",
    name="redirectOAuth2",
    half_signed_in=True,
    raises=(oauth.ProviderUnsupported, oauth.SignInRefused),
    in_person=True,
)
async def redirect(call: Call, provider: str, query: ComeBack) -> None:
    """Sign in whom the provider says it is, and send the browser on into the application."""
    vendor = oauth.vendor_named(provider, dev=call.app.settings.dev)
    answered = oauth.Answered(
        state=query.state,
        code=query.code,
        error=query.error,
        why=query.error_description,
        issuer=query.iss,
    )
    _send(call, await finish(call, vendor, answered))


@routes.post(
    "/v1/account/sessions/id-token",
    scope="sessions.write",
    event="users.[userId].sessions.[sessionId].create",
    status=201,
    limit=_LIMIT,
    name="createIdTokenSession",
    reference=False,
    raises=(
        oauth.ProviderDisabled,
        oauth.InvalidIdToken,
        oauth.IdentityTaken,
        oauth.EmailTaken,
        UserBlocked,
        UserLimitReached,
    ),
    in_person=True,
)
async def create_id_token_session(call: Call, body: CreateIdTokenSession) -> Session:
    """Sign in with an ID token that an application got from Apple or Google by itself."""
    vendor = oauth.vendor_named(body.provider, dev=False)
    profile = await id_tokens.read(call, vendor, body.id_token, body.nonce)
    linking = call.identity.user_id if call.identity.kind == "user" else None
    user_id = await user_of(call, vendor, profile, linking=linking, name=body.name)
    given = Tokens(access=body.access_token, seconds=int(body.access_token_expiry))
    await oauth.keep(call, user_id, vendor.id, profile, given, id_token=body.id_token)
    session, secret = await open_session(
        call, user_id, provider=vendor.id, provider_uid=profile.id, factors=[FACTOR]
    )
    [shown] = await with_tokens(call, [answer(call, session, secret)])
    return shown


def _onwards(call: Call, provider: str, project_id: str, said: ComeBack) -> None:
    told = {
        "code": said.code,
        "state": said.state,
        "error": said.error,
        "error_description": said.error_description,
        "iss": said.iss,
    }
    url = f"{redirects.own_endpoint(call)}/account/sessions/oauth2/{provider}/redirect"
    known = {name: value for name, value in told.items() if value}
    _send(call, redirects.with_parameters(url, {"project": project_id, **known}))


def _send(call: Call, url: str) -> None:
    """Let the answer send the browser to a URL, and tell nobody there where it comes from."""
    ascii_only = "".join(letter for letter in url if 32 < ord(letter) < 127)
    call.headers += ((b"location", ascii_only.encode()), (b"referrer-policy", b"no-referrer"))
