"""Shapes of passkeys on the wire."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from freehold.db.pool import Record
from freehold.web.wire import CustomId, Input, Name, Object, Output, Resource, wire_time


class Passkey(Resource):
    name: str
    accessed_at: str
    """When somebody last signed in with it; empty before."""


class PasskeyList(Output):
    total: int
    passkeys: list[Passkey]


class PasskeyChallenge(Output):
    """What the browser asks the device with."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    passkey_id: str
    expire: str
    public_key: Object


class CreatePasskey(Input):
    passkey_id: CustomId = "unique()"
    name: Name = ""


class UpdatePasskey(Input):
    name: Name


class VerifyPasskey(Input):
    credential: Object


class UpdatePasskeyToken(Input):
    challenge_id: Annotated[str, Meta(max_length=256)]
    credential: Object


def as_passkey(row: Record) -> Passkey:
    """A row of freehold.passkeys as the wire has it."""
    return Passkey(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        accessed_at=wire_time(row["accessed_at"]),
    )
