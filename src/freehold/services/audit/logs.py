"""What has been done to a resource, newest first: for keys and the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from freehold import audit
from freehold.db.pool import Record
from freehold.db.queries import MAX_TOTAL, Page, Query, page, parse
from freehold.errors import InvalidQuery, UserUnauthorized
from freehold.services.audit import store
from freehold.web import devices
from freehold.web.call import Call
from freehold.web.countries import country_of
from freehold.web.projects import CONSOLE
from freehold.web.wire import Input, Output, Queries, wire_time

MAX_LIMIT = 100

AUDIENCE_ERRORS = (InvalidQuery, UserUnauthorized)
"""What `list_logs` raises."""


class LogQuery(Input):
    """The query string of a list of logs."""

    queries: Queries = []
    """`limit` and `offset` only."""


class Log(Output):
    """Something that was done, by whom, and from where."""

    event: str
    user_id: str
    user_email: str
    user_name: str
    mode: str
    user_type: str
    """See `audit.user_type`."""
    ip: str
    time: str
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


class LogList(Output):
    """A page of logs."""

    total: int
    logs: list[Log]


class ProjectLog(Log):
    """Something that was done to whatever a project has."""

    resource: str
    """Such as `keys/5f2`."""
    actor: str
    """Who did it: `user:`, `admin:` or `key:` with an id, `role:` with a role of PostgreSQL, or `guest`."""


class ProjectLogList(Output):
    """A page of a project's logs."""

    total: int
    logs: list[ProjectLog]


async def list_logs(call: Call, resource: str, queries: list[str]) -> LogList:
    """List what has been done to a resource. Raises InvalidQuery, UserUnauthorized."""
    if not call.identity.privileged:
        raise UserUnauthorized()
    return await list_logs_for_owner(call, resource, queries)


async def list_logs_for_owner(call: Call, resource: str, queries: list[str]) -> LogList:
    """The same for who has been found to own the resource, whoever that is. Raises InvalidQuery."""
    return await _list(call, store.OF_RESOURCE, resource, queries)


async def list_logs_of(call: Call, user_id: str, queries: list[str]) -> LogList:
    """List what a user has done in the project, signing in included. Raises InvalidQuery."""
    return await _list(call, store.OF_USER, user_id, queries)


async def list_project_logs(call: Call, queries: list[str]) -> ProjectLogList:
    """List what has been done to all that the project has, but for rows and files, and to the project itself.

    Raises InvalidQuery, UserUnauthorized.
    """
    if not call.identity.privileged:
        raise UserUnauthorized()
    asked = _page(queries)
    wanted = _wanted(asked.filters)
    total = await store.count_of_project(call.db, call.project.id, wanted, most=MAX_TOTAL)
    entries = await store.find_of_project(call.db, call.project.id, wanted, asked.limit, asked.offset)
    used = await devices.read_all([entry["user_agent"] for entry in entries])
    return ProjectLogList(
        total=total,
        logs=[
            ProjectLog(
                **_told(entry, device, call.language), resource=entry["resource"], actor=entry["actor"]
            )
            for entry, device in zip(entries, used, strict=True)
        ],
    )


def _wanted(filters: Sequence[Query]) -> store.Wanted:
    asked: dict[str, list[str]] = {}
    for each in filters:
        named = [value for value in each.values if isinstance(value, str) and "\0" not in value]
        if (
            each.method != "equal"
            or each.attribute not in store.Wanted._fields
            or len(named) != len(each.values)
        ):
            raise InvalidQuery(
                reason="of logs `event`, `resource` and `actor` can be asked for, with `equal`."
            )
        if each.attribute in asked:
            raise InvalidQuery(reason=f"ask once for `{each.attribute}`, with all its values.")
        asked[each.attribute] = named
    return store.Wanted(**asked)


def _page(queries: list[str]) -> Page:
    asked = page(parse(queries))
    if asked.orders or asked.select or asked.cursor:
        raise InvalidQuery(reason="logs come newest first; only `limit` and `offset` can be asked for.")
    if asked.limit > MAX_LIMIT or asked.offset > MAX_TOTAL:
        raise InvalidQuery(reason=f"a page has at most {MAX_LIMIT} logs, and begins within {MAX_TOTAL}.")
    return asked


async def _list(call: Call, which: str, value: str, queries: list[str]) -> LogList:
    asked = _page(queries)
    if asked.filters:
        raise InvalidQuery(reason="logs come newest first; only `limit` and `offset` can be asked for.")
    total = await store.count(call.db, call.project.id, which, value, most=MAX_TOTAL)
    entries = await store.find(call.db, call.project.id, which, value, asked.limit, asked.offset)
    used = await devices.read_all([entry["user_agent"] for entry in entries])
    return LogList(
        total=total,
        logs=[
            Log(**_told(entry, device, call.language)) for entry, device in zip(entries, used, strict=True)
        ],
    )


def _told(entry: Record, device: devices.Device, language: str) -> dict[str, Any]:
    kind, _, actor_id = entry["actor"].partition(":")
    country = country_of(entry["ip"], language)
    return {
        "event": entry["action"],
        "user_id": actor_id if kind in ("user", "admin") else "",
        "user_email": entry["actor_email"],
        "user_name": entry["actor_name"],
        "mode": "admin" if entry["mode"] == "admin" else "default",
        "user_type": audit.user_type(
            entry["actor"], entry["mode"], is_console=entry["project_id"] == CONSOLE
        ),
        "ip": entry["ip"],
        "time": wire_time(entry["happened_at"]),
        "country_code": country.code,
        "country_name": country.name,
        **device._asdict(),
    }
