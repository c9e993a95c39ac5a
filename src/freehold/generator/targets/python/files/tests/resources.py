"""What the tests know about each resource and each role, read from resources.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .samples import made

Condition = dict[str, Any]
Grant = tuple[Condition, ...]
"""All conditions must hold of a row; an empty grant reaches every row."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How one gets from a row to the rows that belong to it."""

    target: str
    many: bool
    guard: tuple[str, str]
    """Resource and field: only who may read it may follow the relation."""
    key: str
    """The field of the row that is looked up: a reference, or its id."""
    body: str = ""
    """The key of a body that sets the links."""
    link: str = ""
    """The table of links, and its columns."""
    link_here: str = ""
    link_there: str = ""
    link_tenant: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API and its table."""

    name: str
    path: str
    table: str
    tenant: Literal["self", "scoped", "none"]
    id_kind: Literal["uuid", "serial", "text"]
    columns: dict[str, str]
    recipes: dict[str, Any]
    """Field to how a value of it is made."""
    relations: dict[str, Relation]
    """By the name that `include` takes."""
    search: tuple[str, ...]
    """The fields that `q` looks into."""
    words: str
    """One of them that takes any words; empty when none does."""
    required: tuple[str, ...]
    """The references that cannot be null."""
    places: tuple[str, ...]
    """The fields that hold points, lines and polygons."""
    filters: dict[str, str]
    """Query parameter to a value that it takes."""
    sorts: tuple[str, ...]
    readable_by: dict[str, frozenset[str]]
    """Fields that only some roles see."""
    writable_by: dict[str, frozenset[str]]
    """Fields that only some roles set."""
    references: dict[str, str] = field(default_factory=dict)
    """Field to the resource that it refers to."""
    tenant_column: str = ""
    natural_key: str = ""
    natural_key_global: bool = False
    """Whether it is unique at all, and not in each tenant."""
    natural_key_scarce: bool = False
    """Whether there is one that is left out here, as it is among the scarce keys."""
    versioned: bool = False
    soft_delete: bool = False
    read_only: bool = False
    """Whether the service itself writes it, and nobody over HTTP."""
    audited: bool = False
    """Whether its changes are in the audit log."""

    def __str__(self) -> str:
        return self.name

    def sample(self) -> dict[str, Any]:
        """A valid body, less its references: different each time where it must be."""
        return {name: made(recipe) for name, recipe in self.recipes.items()}


def _relation(told: dict[str, Any]) -> Relation:
    return Relation(guard=tuple(told.pop("guard")), **told)


def _resource(told: dict[str, Any]) -> Resource:
    """A resource as it is told: what is absent is empty, or false."""
    return Resource(
        recipes=told.pop("sample"),
        relations={name: _relation(each) for name, each in told.pop("relations", {}).items()},
        search=tuple(told.pop("search", ())),
        words=told.pop("words", ""),
        required=tuple(told.pop("required", ())),
        places=tuple(told.pop("places", ())),
        filters={name: value for value, names in told.pop("filters", {}).items() for name in names},
        sorts=tuple(told.pop("sorts", ())),
        readable_by={name: frozenset(roles) for name, roles in told.pop("readable_by", {}).items()},
        writable_by={name: frozenset(roles) for name, roles in told.pop("writable_by", {}).items()},
        **told,
    )


_TOLD: dict[str, Any] = json.loads((Path(__file__).parent / "resources.json").read_text(encoding="utf-8"))

ROLES: tuple[str, ...] = tuple(_TOLD["roles"])
TENANT_TABLES: tuple[str, ...] = tuple(_TOLD["tenant_tables"])
SCARCE_KEYS: tuple[str, ...] = tuple(_TOLD["scarce_keys"])
"""Statements that take away the unique keys which allow fewer rows than the tests make, such as of a flag."""
PERMISSIONS: dict[str, dict[str, tuple[Grant, ...]]] = {
    role: {permission: tuple(map(tuple, grants)) for permission, grants in permissions.items()}
    for role, permissions in _TOLD["permissions"].items()
}
RESOURCES = tuple(map(_resource, _TOLD["resources"]))
USER: str | None = _TOLD["user"]
"""The resource whose rows are the callers, if the schema says so."""
BY_NAME = {resource.name: resource for resource in RESOURCES}
TENANT = next((resource for resource in RESOURCES if resource.tenant == "self"), None)
