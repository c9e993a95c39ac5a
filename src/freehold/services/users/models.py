"""Shapes of users on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.web.wire import (
    CustomId,
    Email,
    Input,
    Labels,
    Name,
    NewPassword,
    Output,
    Resource,
    wire_time,
)

Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)", description="As in E.164: +14155552671")]


class Target(Resource):
    """Where messages can reach a user."""

    name: str
    user_id: str
    provider_id: str | None
    provider_type: str
    identifier: str
    expired: bool


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
        targets=[],
        accessed_at=wire_time(row["accessed_at"]),
    )
