"""Shapes of the account and its sessions on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from freehold.services.users.models import Phone
from freehold.web.wire import CustomId, Email, Id, Input, Name, NewPassword, Output, Password, Prefs, Resource


class Session(Resource, kw_only=True):
    user_id: str
    expire: str
    provider: str
    provider_uid: str
    provider_access_token: str = ""
    provider_access_token_expiry: str = ""
    provider_refresh_token: str = ""
    ip: str
    os_code: str
    os_name: str
    os_version: str
    client_type: str
    client_code: str
    client_name: str
    client_version: str
    client_engine: str
    client_engine_version: str
    device_name: str
    device_brand: str
    device_model: str
    country_code: str
    country_name: str
    current: bool
    factors: list[str]
    secret: str = ""
    mfa_updated_at: str


class SessionList(Output):
    total: int
    sessions: list[Session]


class Token(Output):
    """A secret on its way to somebody, or to a server that asked for it."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    user_id: str
    secret: str
    expire: str
    phrase: str


class TokenSecret(Token):
    """A token with its secret, for who is to hand it in at once."""


class Jwt(Output):
    jwt: str


class CreateAccount(Input):
    user_id: CustomId
    email: Email
    password: NewPassword
    name: Name = ""


class CreateEmailSession(Input):
    email: Email
    password: Password


Secret = Annotated[str, Meta(max_length=256, description="What a link brought back, or a code")]


class RedeemToken(Input):
    user_id: CustomId
    secret: Secret


Redirect = Annotated[str, Meta(max_length=2048, description="A URL of one of the project's platforms")]


class CreateMagicUrlToken(Input):
    user_id: CustomId
    email: Email
    url: Redirect = ""
    phrase: bool = False


class CreateEmailToken(Input):
    user_id: CustomId
    email: Email
    phrase: bool = False


class CreatePhoneToken(Input):
    user_id: CustomId
    phone: Phone


class CreateRecovery(Input):
    email: Email
    url: Redirect


class CreateRecoveryOtp(Input):
    email: Email
    phrase: bool = False


class UpdateRecovery(Input):
    user_id: Id
    secret: Secret
    password: NewPassword


class CreateEmailVerification(Input):
    url: Redirect


class CreateEmailVerificationOtp(Input):
    phrase: bool = False


class VerifyAddress(Input):
    user_id: Id
    secret: Secret


class UpdateEmail(Input):
    email: Email
    password: Password


class UpdatePhone(Input):
    phone: Phone
    password: Password


class UpdatePassword(Input):
    password: NewPassword
    old_password: Annotated[str, Meta(max_length=256)] = ""


class CreateJwt(Input):
    duration: Annotated[int, Meta(ge=0, le=3600)] = 900


class UpdateName(Input):
    name: Name


class UpdatePrefs(Input):
    prefs: Prefs


Identifier = Annotated[str, Meta(min_length=1, max_length=255)]


class CreatePushTarget(Input):
    target_id: CustomId
    identifier: Identifier
    provider_id: Id | None = None


class UpdatePushTarget(Input):
    identifier: Identifier
