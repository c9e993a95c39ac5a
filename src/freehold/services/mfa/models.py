"""Shapes of the second factor on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.web.wire import Input, Output

Factor = Literal["email", "phone", "totp", "recoverycode", "custom"]
Code = Annotated[str, Meta(max_length=256)]


class MfaFactors(Output):
    """What the user can answer a challenge with."""

    totp: bool
    phone: bool
    email: bool
    recovery_code: bool
    custom: bool


class MfaType(Output):
    """A new authenticator, to be typed or scanned into an app."""

    secret: str
    uri: str


class MfaRecoveryCodes(Output):
    recovery_codes: list[str]


class MfaChallenge(Output):
    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    user_id: str
    expire: str


class MfaChallengeSecret(MfaChallenge):
    """A challenge whose code the project's server brings to the user by itself."""

    code: str


class UpdateMfa(Input):
    mfa: bool


class VerifyAuthenticator(Input):
    otp: Code


class CreateChallenge(Input):
    factor: Factor


class AnswerChallenge(Input):
    challenge_id: Annotated[str, Meta(max_length=256)]
    otp: Code
