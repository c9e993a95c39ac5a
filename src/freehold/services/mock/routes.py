"""Endpoints of the mock OAuth provider."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from freehold.errors import BadRequest, InvalidParameter, RouteNotFound
from freehold.services.mock.models import Authorize, Exchange, MockUser, Outcome, Presented, Tokens
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.hosts import host_name, is_loopback

routes = Routes("mock")

# What the contract's mock provider takes and gives; they open nothing.
CLIENT_ID = "1"
CLIENT_SECRET = "123456"  # noqa: S105
CODE = "abcdef"
ACCESS_TOKEN = "123456"  # noqa: S105
REFRESH_TOKEN = "tuvwxyz"  # noqa: S105


class MockRefused(BadRequest, type="general_mock"):
    """The mock provider refuses: {reason}"""


@routes.get("/v1/mock/tests/general/oauth2", scope="public", status=301, raises=(RouteNotFound,))
async def authorize(call: Call, query: Authorize) -> None:
    """Send the browser back with a code, as if somebody had agreed."""
    _dev_only(call)
    try:
        target = urlsplit(query.redirect_uri)
        host = target.hostname or ""
    except ValueError as error:
        raise _elsewhere() from error
    is_ours = is_loopback(host) or host == host_name(call.request.header(b"host"))
    if target.scheme not in ("http", "https") or not is_ours:
        raise _elsewhere()
    answer = urlencode({"code": CODE, "state": query.state})
    location = target._replace(query=f"{target.query}&{answer}" if target.query else answer).geturl()
    call.headers.append((b"location", location.encode("ascii", "ignore")))


@routes.get("/v1/mock/tests/general/oauth2/token", scope="public", raises=(RouteNotFound, MockRefused))
async def exchange(call: Call, query: Exchange) -> Tokens:
    """Give tokens for the code, or for the refresh token."""
    _dev_only(call)
    _must_be("client_id", query.client_id, CLIENT_ID)
    _must_be("client_secret", query.client_secret, CLIENT_SECRET)
    if query.grant_type == "authorization_code":
        _must_be("code", query.code, CODE)
    else:
        _must_be("refresh_token", query.refresh_token, REFRESH_TOKEN)
    return Tokens(access_token=ACCESS_TOKEN, refresh_token=REFRESH_TOKEN, expires_in=14400)


@routes.get("/v1/mock/tests/general/oauth2/user", scope="public", raises=(RouteNotFound, MockRefused))
async def get_user(call: Call, query: Presented) -> MockUser:
    """Tell who agreed."""
    _dev_only(call)
    _must_be("token", query.token, ACCESS_TOKEN)
    return MockUser(id=1, name="User Name", email="useroauth@localhost.test", verified=True)


@routes.get(
    "/v1/mock/tests/general/oauth2/user-unverified", scope="public", raises=(RouteNotFound, MockRefused)
)
async def get_unverified_user(call: Call, query: Presented) -> MockUser:
    """Tell who agreed: someone whose address nobody has verified."""
    _dev_only(call)
    _must_be("token", query.token, ACCESS_TOKEN)
    return MockUser(
        id=2, name="User Name Unverified", email="useroauthunverified@localhost.test", verified=False
    )


@routes.get("/v1/mock/tests/general/oauth2/success", scope="public", raises=(RouteNotFound,))
async def succeed(call: Call) -> Outcome:
    """Where a login that went well ends."""
    _dev_only(call)
    return Outcome(result="success")


@routes.get("/v1/mock/tests/general/oauth2/failure", scope="public", status=400, raises=(RouteNotFound,))
async def fail(call: Call) -> Outcome:
    """Where a login that went wrong ends."""
    _dev_only(call)
    return Outcome(result="failure")


def _elsewhere() -> InvalidParameter:
    return InvalidParameter(name="redirect_uri", reason="It has to be a URL of this machine.")


def _dev_only(call: Call) -> None:
    if not call.app.settings.dev:
        raise RouteNotFound()


def _must_be(name: str, given: str, right: str) -> None:
    if given != right:
        raise MockRefused(reason=f"the {name} is not the one that it knows.")
