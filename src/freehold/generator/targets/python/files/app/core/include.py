"""Relations: the rows that belong to the rows of an answer, and the links that a body sets.

`app/relations.py` is written in what stands here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.core.access import Principal
from app.core.db import Row, Tx
from app.core.errors import invalid_parameter, not_found, unknown_reference
from app.core.fields import View
from app.core.sql import Statement

MAX_INCLUDED = 2000
"""The rows that one relation may reach in one answer."""


Lookup = Literal["never", "unless_all", "always"]


@dataclass(frozen=True, slots=True)
class Link:
    """A table of links: the columns of both ends, and the one of the tenant, if it has one."""

    table: str
    here: str
    there: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """How to get from rows to the rows that belong to them."""

    entity: str
    """At the other end."""
    shape: type[View]
    many: bool
    key: str
    """The field of a row that is looked up."""
    column: str
    """The column that is compared with the keys; of links, the id of the other end."""
    guard: tuple[str, str]
    """Entity and field: only who may read it may follow the relation."""
    load: Callable[[Tx, Relation, Sequence[Any]], Awaitable[list[Row]]]
    link: Link | None = None
    lookup: Lookup = "never"
    """Whether what a body refers to is looked up: not for who may read every row at the other end, or always."""
    deleted: Literal["exclude", "include"] = "exclude"
    """Whether rows that are deleted softly are reached."""


@dataclass(frozen=True, slots=True)
class Far:
    """An entity that relations lead to: how its rows are shown, and how they are found."""

    entity: str
    shape: type[View]
    load: Callable[[Tx, Relation, Sequence[Any]], Awaitable[list[Row]]]


def one(far: Far, key: str, column: str, guard: tuple[str, str], lookup: Lookup = "never") -> Relation:
    """At most one row, whose column is what the field `key` holds."""
    return Relation(far.entity, far.shape, False, key, column, guard, far.load, lookup=lookup)


def many(far: Far, key: str, column: str, guard: tuple[str, str], link: Link | None = None) -> Relation:
    """Any number of rows, perhaps over a table of links."""
    return Relation(far.entity, far.shape, True, key, column, guard, far.load, link)


Relations = Mapping[str, Mapping[str, Relation]]
Tree = dict[str, "Tree"]


def tree(caller: Principal, relations: Relations, entity: str, paths: Sequence[str]) -> Tree:
    """The paths as a tree of relations. A relation that the caller may not follow is refused."""
    found: Tree = {}
    for path in paths:
        at, branch = entity, found
        parts = path.split(".")
        for name in parts:
            relation = relations.get(at, {}).get(name)
            if relation is None or len(parts) > 2:
                raise invalid_parameter("include", f"there is no relation {path[:100]!r}")
            guarded, field = relation.guard
            if field in caller.hidden(guarded):
                raise invalid_parameter("include", f"your role may not include {path}")
            caller.require(f"{relation.entity}:read")
            at, branch = relation.entity, branch.setdefault(name, {})
    return found


async def included(
    tx: Tx, relations: Relations, entity: str, rows: Sequence[View], wanted: Tree
) -> list[dict[str, Any]]:
    """The rows as the caller may see them, with the rows that belong to them: one statement for each relation."""
    hidden = tx.principal.hidden(entity)
    shown = [
        {name: value for name, value in row.model_dump(mode="json", by_alias=True).items() if name not in hidden}
        for row in rows
    ]
    for name, branch in wanted.items():
        relation = relations[entity][name]
        keys = [getattr(row, _attribute(row, relation.key)) for row in rows]
        sought = list(dict.fromkeys(key for key in keys if key is not None))
        found = await relation.load(tx, relation, sought) if sought else []
        if len(found) > MAX_INCLUDED:
            message = f"{name} reaches more than {MAX_INCLUDED} rows; ask for fewer rows with limit"
            raise invalid_parameter("include", message)
        views = [_view(relation, row) for row in found]
        below = await included(tx, relations, relation.entity, views, branch)
        by_key: dict[Any, list[dict[str, Any]]] = {}
        for row, value in zip(found, below, strict=True):
            by_key.setdefault(row["_key"], []).append(value)
        for row_shown, key in zip(shown, keys, strict=True):
            values = by_key.get(key, [])
            row_shown[name] = values if relation.many else next(iter(values), None)
    return shown


def _view(relation: Relation, row: Row) -> View:
    return relation.shape.of({name: value for name, value in row.items() if name != "_key"})


def _attribute(row: View, field: str) -> str:
    return next(name for name, info in type(row).model_fields.items() if (info.alias or name) == field)


async def unknown_references(tx: Tx, relations: Mapping[str, Relation], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Of the references that a body sends, those to rows that the caller may not see, if there are such rows at all."""
    found: dict[str, Any] = {}
    for relation in relations.values():
        id = None if relation.lookup == "never" else sent.get(relation.key)
        if id is None or (relation.lookup == "unless_all" and () in tx.principal.grants(f"{relation.entity}:read")):
            continue
        if not await _visible(tx, replace(relation, deleted="include"), [id]):
            found[relation.key] = id
    return found


async def check_references(tx: Tx, relations: Mapping[str, Relation], sent: Mapping[str, Any]) -> None:
    """Refuse a new row that refers to what the caller may not see, as if it was not there."""
    for field in await unknown_references(tx, relations, sent):
        raise unknown_reference(f"/{field}")


async def set_links(tx: Tx, relation: Relation, pointer: str, id: Any, ids: Sequence[Any]) -> None:
    """Link the row with exactly these, all of which the caller has to be able to see."""
    visible = await _visible(tx, relation, ids)
    for position, each in enumerate(ids):
        if each not in visible:
            raise unknown_reference(f"{pointer}/{position}")
    link = _link(relation)
    statement = _of_row(tx, link, id)
    statement.where(f"{link.there} <> all({statement.bind(list(ids))})")
    await tx.execute(f"delete from {link.table} where {statement.conditions}", *statement.values)
    await _add(tx, link, id, list(dict.fromkeys(ids)))


async def link(tx: Tx, relation: Relation, id: Any, other: Any) -> None:
    """Link two rows; they may be linked already."""
    if not await _visible(tx, relation, [other]):
        raise not_found()
    await _add(tx, _link(relation), id, [other])


async def unlink(tx: Tx, relation: Relation, id: Any, other: Any) -> None:
    """Take the link between two rows away, if there is one."""
    if not await _visible(tx, relation, [other]):
        raise not_found()
    link = _link(relation)
    statement = _of_row(tx, link, id)
    statement.where(f"{link.there} = {statement.bind(other)}")
    await tx.execute(f"delete from {link.table} where {statement.conditions}", *statement.values)


async def _visible(tx: Tx, relation: Relation, ids: Sequence[Any]) -> set[Any]:
    """Those of the ids whose rows the caller may see."""
    if not ids:
        return set()
    return {row["_key"] for row in await relation.load(tx, replace(relation, link=None), ids)}


def _link(relation: Relation) -> Link:
    assert relation.link is not None
    return relation.link


def _of_row(tx: Tx, link: Link, id: Any) -> Statement:
    statement = Statement()
    if link.tenant:
        statement.where(f"{link.tenant} = {statement.bind(tx.principal.require_tenant())}")
    statement.where(f"{link.here} = {statement.bind(id)}")
    return statement


async def _add(tx: Tx, link: Link, id: Any, ids: list[Any]) -> None:
    columns = [link.here, link.there, *([link.tenant] if link.tenant else [])]
    places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    tenant = [tx.principal.require_tenant()] if link.tenant else []
    await tx.many(
        f"insert into {link.table} ({', '.join(columns)}) values ({places}) on conflict do nothing",
        [(id, other, *tenant) for other in ids],
    )
