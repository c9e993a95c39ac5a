"""Shapes of users on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.services.targets import Target, read_targets
from freehold.web.wire import (
    CustomId,
    Email,
    Id,
    Input,
    Labels,
    Name,
    NewPassword,
    Output,
    Resource,
    wire_time,
)

PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$(?!\n)"
Phone = Annotated[str, Meta(pattern=PHONE_PATTERN, description="As in E.164: +14155552671")]

Identifier = Annotated[str, Meta(min_length=1, max_length=255)]
"""What a target is reached by: an address, a number, or the token of a device."""


class User(Resource):
    name: str
    registration: str
    status: bool
    labels: list[str]
    password_update: str
    email: str
    phone: str
    email_verification: bool
    phone_verification: bool
    mfa: bool
    prefs: msgspec.Raw
    targets: list[Target]
    accessed_at: str
    impersonator: bool = False
    impersonator_user_id: str = ""


class UserList(Output):
    total: int
    users: list[User]


class CreateUser(Input):
    user_id: CustomId
    email: Email | None = None
    phone: Phone | None = None
    password: NewPassword | None = None
    name: Name = ""


class CreateTarget(Input):
    target_id: CustomId
    provider_type: Literal["email", "sms", "push"]
    identifier: Identifier
    provider_id: Id | None = None
    name: Name = ""


class UpdateTarget(Input):
    identifier: Identifier | None = None
    provider_id: Id | None = None
    name: Name | None = None


class UpdateStatus(Input):
    status: bool


class UpdateLabels(Input):
    labels: Labels


def as_user(row: Record) -> User:
    """A row of freehold.users as the wire has it."""
    return User(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        registration=wire_time(row["created_at"]),
        status=row["enabled"],
        labels=row["labels"],
        password_update=wire_time(row["password_changed_at"]),
        email=row["email"] or "",
        phone=row["phone"] or "",
        email_verification=row["email_verified"],
        phone_verification=row["phone_verified"],
        mfa=row["mfa"],
        prefs=row["prefs"],
        targets=read_targets(row["targets"]),
        accessed_at=wire_time(row["accessed_at"]),
    )
