"""What has been done to a resource, newest first: for keys and the console."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.db.queries import MAX_TOTAL, page, parse
from freehold.errors import InvalidQuery, UserUnauthorized
from freehold.services.audit import store
from freehold.web import devices
from freehold.web.call import Call
from freehold.web.countries import country_of
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


async def list_logs(call: Call, resource: str, queries: list[str]) -> LogList:
    """List what has been done to a resource. Raises InvalidQuery, UserUnauthorized."""
    if not call.identity.privileged:
        raise UserUnauthorized()
    return await _list(call, store.OF_RESOURCE, resource, queries)


async def list_logs_of(call: Call, user_id: str, queries: list[str]) -> LogList:
    """List what a user has done in the project, signing in included. Raises InvalidQuery."""
    return await _list(call, store.OF_USER, user_id, queries)


async def _list(call: Call, which: str, value: str, queries: list[str]) -> LogList:
    asked = page(parse(queries))
    if asked.filters or asked.orders or asked.select or asked.cursor:
        raise InvalidQuery(reason="logs come newest first; only `limit` and `offset` can be asked for.")
    if asked.limit > MAX_LIMIT or asked.offset > MAX_TOTAL:
        raise InvalidQuery(reason=f"a page has at most {MAX_LIMIT} logs, and begins within {MAX_TOTAL}.")
    total = await store.count(call.db, call.project.id, which, value, most=MAX_TOTAL)
    entries = await store.find(call.db, call.project.id, which, value, asked.limit, asked.offset)
    used = await devices.read_all([entry["user_agent"] for entry in entries])
    return LogList(
        total=total,
        logs=[_log(entry, device, call.language) for entry, device in zip(entries, used, strict=True)],
    )


def _log(entry: Record, device: devices.Device, language: str) -> Log:
    kind, _, actor_id = entry["actor"].partition(":")
    country = country_of(entry["ip"], language)
    return Log(
        event=entry["action"],
        user_id=actor_id if kind in ("user", "admin") else "",
        user_email=entry["actor_email"],
        user_name=entry["actor_name"],
        mode=entry["mode"],
        ip=entry["ip"],
        time=wire_time(entry["happened_at"]),
        country_code=country.code,
        country_name=country.name,
        **device._asdict(),
    )
