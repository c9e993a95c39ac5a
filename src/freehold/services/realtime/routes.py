"""The change feed: what happened since an event that was seen, for those who were not there."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from freehold import events
from freehold.services.realtime.errors import EventsGone, InvalidToken
from freehold.services.realtime.subscriptions import MAX_CHANNELS, channels_of
from freehold.services.realtime.telling import told
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import Input, Output

routes = Routes("realtime", protocol="rest")

FEED = "/v1/changes"
MAX_CHANGES = 500
_MAX_BYTES = 8 * 1024**2
_SCOPES = (
    "rows.read",
    "documents.read",
    "files.read",
    "teams.read",
    "users.read",
    "presences.read",
    "reports.read",
)


class ChangesQuery(Input):
    since: Annotated[str, Meta(max_length=20)] = ""
    channels: Annotated[list[Annotated[str, Meta(max_length=256)]], Meta(max_length=MAX_CHANNELS)] = []
    limit: Annotated[int, Meta(ge=1, le=MAX_CHANGES)] = 100


class Change(Output):
    sequence: int
    """Which event of the project it was. Numbers of what the caller may not see are left out."""
    events: list[str]
    channels: list[str]
    timestamp: str
    payload: dict[str, Any]


class ChangeList(Output):
    changes: list[Change]
    since: str
    """To be sent next time."""
    more: bool
    """Whether there is more already."""


@routes.get(
    FEED,
    scope=_SCOPES,
    name="listChanges",
    reference=False,
    limit=limit("120/60s", key="url:{url},ip:{ip},userId:{userId}"),
    raises=(EventsGone, InvalidToken),
)
async def list_changes(call: Call, query: ChangesQuery) -> ChangeList:
    """Tell what happened since an earlier answer, of what the caller may read now, in the order in which it
    happened. Without `since` it tells where to begin, and nothing else. `channels` are those of realtime.

    What is too old to be kept is an error (410): then the caller has to read anew what it follows.
    """
    await events.number(call.app.db)
    last = await events.head(call.db, call.project.id)
    if not query.since:
        return ChangeList(changes=[], since=str(last), more=False)
    if not (query.since.isascii() and query.since.isdecimal() and int(query.since) < 1 << 62):
        raise InvalidToken()
    since = int(query.since)
    records = await events.read(call.db, call.project.id, since, query.limit)
    if since > last or (since < last and not records) or not events.follow(records, since):
        raise EventsGone(since=since, latest=last)
    wanted = channels_of(query.channels, call.identity.user_id)
    changes: list[Change] = []
    size = 0
    for record in records:
        if size > _MAX_BYTES:
            break
        since = record["sequence"]
        event = told(record)
        if event is None or (query.channels and wanted.isdisjoint(event.channels)):
            continue
        view = await event.to(call)
        if view is not None:
            size += len(view.payload)
            changes.append(
                Change(
                    sequence=since,
                    events=event.names,
                    channels=list(event.channels),
                    timestamp=event.timestamp,
                    payload=dict(view.values),
                )
            )
    return ChangeList(changes=changes, since=str(since), more=since < last)
