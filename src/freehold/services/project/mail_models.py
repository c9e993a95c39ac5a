"""Shapes of a project's SMTP server, mail templates and mock phones on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.services.locale import LOCALES
from freehold.services.users.models import Phone
from freehold.web.wire import Email, Input, Output

TemplateId = Literal[
    "verification",
    "magicSession",
    "recovery",
    "invitation",
    "mfaChallenge",
    "sessionAlert",
    "otpSession",
    "otpVerification",
    "otpRecovery",
]
Locale = Annotated[str, Meta(max_length=10, extra_json_schema={"enum": list(LOCALES)})]
Short = Annotated[str, Meta(max_length=256)]
Line = Annotated[str, Meta(max_length=255)]
Host = Annotated[str, Meta(max_length=253, pattern=r"^(?:[a-zA-Z0-9_.:-]{1,253})?$(?!\n)")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Otp = Annotated[str, Meta(min_length=6, max_length=6, pattern=r"^[0-9]{6}$(?!\n)", description="Six digits")]


class UpdateSmtp(Input):
    """What is null stays; an empty text is cleared."""

    host: Host | None = None
    port: Port | None = None
    username: Short | None = None
    password: Short | None = None
    sender_email: Email | None = None
    sender_name: Short | None = None
    reply_to_email: Email | None = None
    reply_to_name: Short | None = None
    secure: Literal["tls", "ssl", ""] | None = None
    enabled: bool | None = None


class CreateSmtpTest(Input):
    """To whom a test is sent; a server of older SDKs is tried instead of the project's."""

    emails: Annotated[list[Email], Meta(min_length=1, max_length=10)]
    sender_name: Short = ""
    sender_email: Email = ""
    reply_to: Email = ""
    host: Host = ""
    port: Port | None = None
    username: Short = ""
    password: Short = ""
    secure: Literal["tls", "ssl", ""] = ""


class EmailTemplate(Output):
    template_id: str
    locale: str
    message: str
    sender_name: str
    sender_email: str
    reply_to_email: str
    reply_to_name: str
    subject: str


class EmailTemplateList(Output):
    total: int
    templates: list[EmailTemplate]


class LocaleQuery(Input):
    locale: Locale = "en"


class TemplateChanges(Input):
    """What is null stays; an empty text is undone."""

    subject: Line | None = None
    message: Annotated[str, Meta(max_length=10_485_760)] | None = None
    sender_name: Line | None = None
    sender_email: Email | None = None
    reply_to_email: Email | None = None
    reply_to_name: Line | None = None


class UpdateEmailTemplate(TemplateChanges, kw_only=True):
    template_id: TemplateId
    locale: Locale = "en"


class ResetEmailTemplate(Input):
    template_id: TemplateId
    locale: Locale = "en"


class MockNumber(Output):
    number: str
    otp: str
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")


class MockNumberList(Output):
    total: int
    mock_numbers: list[MockNumber]


class CreateMockPhone(Input):
    number: Phone
    otp: Otp


class UpdateMockPhone(Input):
    otp: Otp


class MockNumberOfOld(Input):
    phone: Phone
    otp: Otp


class UpdateMockNumbers(Input):
    numbers: Annotated[list[MockNumberOfOld], Meta(max_length=10)]
