"""Shapes of targets on the wire."""

from __future__ import annotations

from datetime import datetime

import msgspec

from freehold.db.pool import Record
from freehold.web.wire import Output, Resource, wire_time


class Target(Resource):
    """Where messages can reach a user."""

    name: str
    user_id: str
    provider_id: str | None
    provider_type: str
    identifier: str
    expired: bool


class TargetList(Output):
    total: int
    targets: list[Target]


def as_target(row: Record) -> Target:
    """A row of freehold.targets as the wire has it."""
    return _target(_Stored(**dict(row.items())))


class _Stored(msgspec.Struct):
    """A row of freehold.targets, as `OF_USER` gathers it in JSON."""

    id: str
    user_id: str
    provider_id: str | None
    provider_type: str
    identifier: str
    name: str
    expired: bool
    created_at: datetime
    updated_at: datetime


_decoder = msgspec.json.Decoder(list[_Stored])


def read_targets(gathered: msgspec.Raw) -> list[Target]:
    """The targets of a user, from the column that `OF_USER` makes."""
    return [_target(each) for each in _decoder.decode(gathered)]


def _target(stored: _Stored) -> Target:
    return Target(
        id=stored.id,
        created_at=wire_time(stored.created_at),
        updated_at=wire_time(stored.updated_at),
        name=stored.name,
        user_id=stored.user_id,
        provider_id=stored.provider_id,
        provider_type=stored.provider_type,
        identifier=stored.identifier,
        expired=stored.expired,
    )
