"""Shapes of the mock OAuth provider. The names are OAuth's, hence with underscores."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=100)]
Redirect = Annotated[str, Meta(max_length=2048)]


class Authorize(msgspec.Struct, kw_only=True):
    client_id: Text
    redirect_uri: Redirect
    scope: Text
    state: Annotated[str, Meta(max_length=1024)]


class Exchange(msgspec.Struct, kw_only=True):
    client_id: Text
    client_secret: Text
    grant_type: Literal["authorization_code", "refresh_token"] = "authorization_code"
    redirect_uri: Redirect = ""
    code: Text = ""
    refresh_token: Text = ""


class Presented(msgspec.Struct, kw_only=True):
    token: Text


class Tokens(msgspec.Struct, kw_only=True):
    access_token: str
    refresh_token: str
    expires_in: int


class MockUser(msgspec.Struct, kw_only=True):
    id: int
    name: str
    email: str
    verified: bool


class Outcome(msgspec.Struct, kw_only=True):
    result: str
