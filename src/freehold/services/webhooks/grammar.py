"""Which events there are: `teams.*.memberships.*.update.status`, and which words may stand where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

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
