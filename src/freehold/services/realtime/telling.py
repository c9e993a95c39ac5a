"""What events tell: on which channels, of which resource, and whom. The one place where this is decided."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import structlog

from freehold.db.pool import Record
from freehold.errors import ProjectNotFound, Unavailable
from freehold.services import databases, presences, storage, teams, webhooks
from freehold.web.call import Call
from freehold.web.identity import Identity
from freehold.web.projects import CONSOLE
from freehold.web.wire import wire_time

_log = structlog.get_logger("freehold.realtime")


class View(NamedTuple):
    """What somebody is told of an event."""

    payload: bytes
    """The resource, as JSON."""
    values: Mapping[str, Any]
    """The same, for queries."""


Tell = Callable[["Told", Call], Awaitable[View | None]]
"""Decides what a caller is told; None is nothing at all."""


class Kind(NamedTuple):
    """A kind of event."""

    shape: re.Pattern[str]
    channels: tuple[str, ...]
    """With the ids of the event as `{0}`, `{1}` and so on. Each exists with an action behind it as well."""
    scopes: frozenset[str]
    """One of these lets somebody hear of it at all."""
    tell: Tell
    is_of: Callable[[Told], bool] = lambda event: True
    """Whether the resource is the one that the name seems to say: ids hold dots, and clients choose some."""


class Told:
    """An event on its way to those who may know of it."""

    def __init__(self, kind: Kind, ids: tuple[str, ...], action: str, record: Record) -> None:
        self.kind = kind
        self.ids = ids
        self.action = action
        self.project_id: str = record["project_id"]
        self.sequence: int = record["sequence"]
        self.names = webhooks.all_names(record["event"])
        self.timestamp = wire_time(record["created_at"])
        self.kept: msgspec.Raw | None = record["payload"]
        self.remembered: dict[Any, Any] = {}
        """What was worked out for one caller and holds for others, by what it depends on."""
        self._views: dict[Any, View] = {}
        # Guests, and the sockets of one session, are the same caller: once is enough for all of them.
        self._told: dict[int, tuple[Identity, View | None]] = {}

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels that it is told on, without and with its action."""
        plain = tuple(channel.format(*self.ids) for channel in self.kind.channels)
        return (*plain, *(f"{channel}.{self.action}" for channel in plain))

    @cached_property
    def values(self) -> dict[str, Any]:
        """What the outbox has of the resource."""
        return msgspec.json.decode(self.kept) if self.kept is not None else {}

    async def to(self, call: Call) -> View | None:
        """What a caller is told of it; None when that is nothing. Raises Unavailable."""
        identity = call.identity
        found = self._told.get(id(identity))
        if found is None:
            found = self._told[id(identity)] = (identity, await self._shown(call))
        return found[1]

    async def _shown(self, call: Call) -> View | None:
        if call.identity.scopes.isdisjoint(self.kind.scopes):
            return None
        try:
            return await self.kind.tell(self, call)
        except Unavailable:
            raise
        except Exception:  # one event that cannot be told to one caller must not keep others from theirs
            _log.exception("not_told", of=self.names[0], project=self.project_id)
            return None

    def view(self, values: Mapping[str, Any], key: Any = "") -> View:
        """The same view for everybody whom it is shown to."""
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = View(msgspec.json.encode(values), values)
        return found


def told(record: Record) -> Told | None:
    """What a record of the outbox tells; None when that is nobody's business but the audit log's."""
    for kind in KINDS:
        if (match := kind.shape.fullmatch(record["event"])) is not None:
            *ids, done = match.groups()
            event = Told(kind, tuple(ids), _action(done), record)
            if kind.is_of(event):
                return event
    return None


def _action(done: str) -> str:
    return done.partition(".")[0]


# -- who is told what --------------------------------------------------------------------------------------


def _may(call: Call, readers: frozenset[str]) -> bool:
    return call.identity.privileged or not readers.isdisjoint(call.identity.asks_read)


async def _row(event: Told, call: Call) -> View | None:
    database_id, table_id, row_id = event.ids
    shown = await databases.shown.of_event(
        call,
        event.remembered,
        (database_id, table_id, row_id),
        event.values,
        is_gone=event.action == "delete",
    )
    return event.view(shown, id(shown)) if shown is not None else None


async def _file(event: Told, call: Call) -> View | None:
    if "readers" not in event.remembered:
        granted = event.values.get("$permissions") or ()
        event.remembered["readers"] = await storage.readers(call, event.ids[0], granted)
    return event.view(event.values) if _may(call, event.remembered["readers"]) else None


async def _team(event: Told, call: Call) -> View | None:
    return event.view(event.values) if _may(call, frozenset((f'read("team:{event.ids[0]}")',))) else None


async def _membership(event: Told, call: Call) -> View | None:
    user_id = str(event.values["userId"])
    if not _may(call, frozenset((f'read("team:{event.ids[0]}")', f'read("user:{user_id}")'))):
        return None
    hidden = teams.hidden_of_members(call, user_id)
    return event.view({**event.values, **hidden}, tuple(hidden))


_PRIVATE = frozenset(("password", "hash", "hashOptions"))
_SECRET = frozenset(("secret", "providerAccessToken", "providerRefreshToken", "phrase"))


async def _user(event: Told, call: Call) -> View | None:
    if not _may(call, frozenset((f'read("user:{event.ids[0]}")',))):
        return None
    shown = {name: value for name, value in event.values.items() if name not in _PRIVATE}
    return event.view(shown | {name: "" for name in _SECRET if name in shown})


async def _presence(event: Told, call: Call) -> View | None:
    readers = presences.readers(event.values.get("$permissions") or ())
    return event.view(event.values) if _may(call, readers) else None


async def _report(event: Told, call: Call) -> View | None:
    return event.view(event.values) if call.identity.privileged else None


async def _of_project(event: Told, call: Call) -> View | None:
    try:
        project = await call.app.projects.find(event.ids[0])
    except ProjectNotFound:
        return None
    scope = "migrations.read" if event.names[0].startswith("migrations.") else "tables.read"
    if scope not in call.identity.scopes_in(project.team_id, project.id):
        return None
    return event.view(event.values)


def _is_of_project(event: Told) -> bool:
    """Say of it what the project's own event says."""
    if event.project_id != CONSOLE:
        return False
    told = event.values
    event.names = webhooks.all_names(told["event"])
    event.ids, event.action = (told["projectId"],), told["event"].rpartition(".")[2]
    event.values = told["payload"] or {}
    return True


def _is_named(event: Told) -> bool:
    return bool(event.values.get("$id") == event.ids[-1])


def _is_membership(event: Told) -> bool:
    return _is_named(event) and event.values.get("teamId") == event.ids[0]


def _is_of_user(event: Told) -> bool:
    """Whether it is a user, or what has one; then that is whom it is told."""
    owner = event.values.get("userId") or ("registration" in event.values and event.values.get("$id"))
    if not owner or not f"{event.ids[0]}.".startswith(f"{owner}."):
        return False
    event.ids = (owner,)
    return True


_ROW_CHANNELS = (
    "rows",
    "documents",
    *(
        f"{path}{end}"
        for path in (
            "databases.{0}.tables.{1}.rows",
            "tablesdb.{0}.tables.{1}.rows",
            "databases.{0}.collections.{1}.documents",
        )
        for end in ("", ".{2}")
    ),
)

_DONE = r"((?:create|update|upsert|delete)(?:\.[\w.-]+)?)"

KINDS: tuple[Kind, ...] = (
    # Rows and files come first: their ids are chosen by anybody, and may look like what follows.
    Kind(
        re.compile(r"databases\.(.+?)\.tables\.(.+?)\.rows\.(.+)\.(create|update|upsert|delete)"),
        _ROW_CHANNELS,
        frozenset(("rows.read", "documents.read")),
        _row,
    ),
    Kind(
        re.compile(r"buckets\.(.+?)\.files\.(.+)\.(create|update|delete)"),
        ("files", "buckets.{0}.files", "buckets.{0}.files.{1}"),
        frozenset(("files.read",)),
        _file,
        _is_named,
    ),
    Kind(
        re.compile(rf"teams\.(.+)\.memberships\.(.+)\.{_DONE}"),
        ("memberships", "memberships.{1}"),
        frozenset(("teams.read",)),
        _membership,
        _is_membership,
    ),
    Kind(
        re.compile(rf"teams\.(.+)\.{_DONE}"),
        ("teams", "teams.{0}"),
        frozenset(("teams.read",)),
        _team,
        _is_named,
    ),
    Kind(
        re.compile(rf"users\.(.+)\.{_DONE}"),
        ("account", "account.{0}"),
        frozenset(("account", "users.read")),
        _user,
        _is_of_user,
    ),
    Kind(
        re.compile(r"presences\.(.+)\.(upsert|update|delete)"),
        ("presences", "presences.{0}"),
        frozenset(("presences.read",)),
        _presence,
        _is_named,
    ),
    Kind(
        re.compile(r"(console\.project)\.(tell)"),
        ("console", "projects.{0}"),
        frozenset(("account",)),
        _of_project,
        _is_of_project,
    ),
    Kind(
        re.compile(r"reports\.(.+)\.(create|update|delete)"),
        ("reports", "reports.{0}"),
        frozenset(("reports.read",)),
        _report,
        _is_named,
    ),
)
