"""Ends presences whose time is over."""

from __future__ import annotations

from freehold import events
from freehold.jobs import Context, Job, Kind
from freehold.services.presences import lasting


async def _expire(context: Context, job: Job) -> None:
    await lasting.end_expired(context.db)
    await events.number(context.db)


KINDS = (Kind("presences.expire", _expire, every_s=5),)
