"""Which events there are, as `teams.*.memberships.*.update.status`, and by which names they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from freehold import events

_ID = re.compile(r"\*|[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}")


class Kind(NamedTuple):
    """A kind of resource: what is done to it, and what it holds."""

    actions: frozenset[str]
    within: Mapping[str, Kind] = {}
    updates: frozenset[str] = frozenset()
    """What can be told of an update: `update.prefs`."""


def _kind(actions: str, within: Mapping[str, Kind] | None = None, updates: str = "") -> Kind:
    return Kind(frozenset(actions.split()), within or {}, frozenset(updates.split()))


_ANY = "create update delete"
_ROWS = _kind("create update upsert delete")
_TABLES = {"tables": _kind(_ANY, {"rows": _ROWS, "indexes": _kind(_ANY), "columns": _kind(_ANY)})}
_COLLECTIONS = {
    "collections": _kind(_ANY, {"documents": _ROWS, "indexes": _kind(_ANY), "attributes": _kind(_ANY)})
}

KINDS: Mapping[str, Kind] = {
    "users": _kind(
        _ANY,
        {
            "sessions": _kind("create delete"),
            "recovery": _kind("create update"),
            "verification": _kind("create update"),
            "targets": _kind(_ANY),
            "tokens": _kind("create"),
        },
        "email impersonator labels mfa name password phone prefs status verification",
    ),
    "databases": _kind(_ANY, {**_TABLES, **_COLLECTIONS}),
    "tablesdb": _kind(_ANY, _TABLES),
    "documentsdb": _kind(_ANY, _COLLECTIONS),
    "vectorsdb": _kind(_ANY, _COLLECTIONS),
    "buckets": _kind(_ANY, {"files": _kind(_ANY)}),
    "teams": _kind(_ANY, {"memberships": _kind(_ANY, updates="status")}, "prefs"),
    "sites": _kind(_ANY, {"deployments": _kind(_ANY)}),
    "functions": _kind(_ANY, {"deployments": _kind(_ANY), "executions": _kind(_ANY)}),
    "messages": _kind("create update"),
    "topics": _kind(_ANY, {"subscribers": _kind("create delete")}),
    "providers": _kind(_ANY),
    "schedules": _kind("create"),
    "rules": _kind(_ANY),
    "presences": _kind("upsert update delete"),
    "reports": _kind(_ANY, {"insights": _kind(_ANY)}),
}


def is_event(text: str) -> bool:
    """Tell whether the text names events: a kind, an id or `*`, and perhaps more."""
    kinds, parts = KINDS, text.split(".")
    while True:
        kind = kinds.get(parts[0])
        if kind is None or len(parts) < 2 or _ID.fullmatch(parts[1]) is None:
            return False
        parts = parts[2:]
        if not parts:
            return True
        if parts[0] in kind.actions:
            return not parts[1:] or (parts[0] == "update" and len(parts) == 2 and parts[1] in kind.updates)
        kinds = kind.within


def all_names(event: str) -> list[str]:
    """All names by which an event can be asked for, the most exact ones first.

    Ids may be `*`; and who asks for a resource is told of all that is done to it, and to what it holds.
    """
    found = [each for name in events.names(event) for each in _parsed(name)]
    exact = [".".join([*_joined(each.kinds, each.ids), *each.done]) for each in found]
    wide = [
        ".".join([*_joined(each.kinds, ids), *done])
        for each in found
        for depth in range(len(each.kinds), 0, -1)
        for done in ([each.done, each.done[:1], []] if depth == len(each.kinds) else [[]])
        for ids in product(*((own, "*") for own in each.ids[:depth]))
    ]
    return list(dict.fromkeys(exact + wide)) or [event]


class _Parsed(NamedTuple):
    kinds: list[str]
    ids: list[str]
    done: list[str]


def _joined(kinds: list[str], ids: tuple[str, ...] | list[str]) -> Iterator[str]:
    for kind, one in zip(kinds, ids, strict=False):
        yield kind
        yield one


def _shapes(kinds: Mapping[str, Kind], within: list[str]) -> Iterator[tuple[re.Pattern[str], list[str]]]:
    """How events look, the innermost kinds first: ids may hold dots, and so look like what is inside."""
    for name, kind in kinds.items():
        path = [*within, name]
        yield from _shapes(kind.within, path)
        done = "|".join([*kind.actions, *(rf"update\.{each}" for each in kind.updates)])
        yield re.compile(r"\.".join(rf"{re.escape(each)}\.(.+?)" for each in path) + rf"\.({done})"), path


_SHAPES = list(_shapes(KINDS, []))


def _parsed(event: str) -> Iterator[_Parsed]:
    for shape, kinds in _SHAPES:
        if match := shape.fullmatch(event):
            *ids, done = match.groups()
            yield _Parsed(kinds, ids, done.split("."))
            return
