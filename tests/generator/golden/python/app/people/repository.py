"""The SQL of people. Each statement names the tenant, and row-level security names it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from app.core.db import Row, Tx
from app.core.errors import forbidden, not_found, version_conflict
from app.core.export import MAX_EXPORTED
from app.core.ids import new_id
from app.core.include import MAX_INCLUDED, Relation
from app.core.paging import Page, after_cursor, order_by, page
from app.core.sql import Statement, select_list
from app.people.schemas import Person, PersonCreate, PersonQuery, PersonUpdate

# What the API calls a field, and its column.
COLUMNS = {
    "id": "id",
    "email": "email",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "version": "version",
}


async def list_people(tx: Tx, query: PersonQuery) -> Page[Person]:
    """One page of the people that the caller may read, in the order that the query asks for."""
    statement = _listed(tx, query)
    total = None
    if query.count == "exact":
        total = await tx.value(
            f"""select count(*) from person where {statement.conditions}""",
            *statement.values,
        )
    after_cursor(statement, query, COLUMNS)
    rows = await tx.all(
        f"""
        select {select_list(COLUMNS)}
        from person
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {statement.bind(query.limit + 1)} offset {statement.bind(query.offset or 0)}
        """,
        *statement.values,
    )
    return page(query, rows, total, Person)


def export_people(tx: Tx, query: PersonQuery) -> AsyncIterator[list[Row]]:
    """All of the people of a list, some at a time."""
    statement = _listed(tx, query)
    return tx.parts(
        "export_people",
        f"""
        declare export_people no scroll cursor for
        select {select_list(COLUMNS)}
        from person
        where {statement.conditions}
        order by {order_by(query, COLUMNS)}
        limit {MAX_EXPORTED}
        """,
        *statement.values,
    )


async def get_person(tx: Tx, id: UUID) -> Person:
    """The person, if the caller may read it."""
    statement = _reachable(tx, "person:read")
    statement.where(f"id = {statement.bind(id)}")
    row = await tx.one(
        f"""
        select {select_list(COLUMNS)}
        from person
        where {statement.conditions}
        """,
        *statement.values,
    )
    if row is None:
        raise not_found()
    return Person.model_construct(**row)


async def create_person(tx: Tx, body: PersonCreate) -> Person:
    """A new person, if the caller may make such a one."""
    row = await tx.one(
        f"""
        insert into person (
            tenant_id,
            id,
            email
        )
        values ($1, $2, $3)
        returning {select_list(COLUMNS)}
        """,
        tx.principal.require_tenant(),
        new_id(),
        body.email,
    )
    assert row is not None
    return Person.model_construct(**row)


async def update_person(
    tx: Tx,
    id: UUID,
    patch: PersonUpdate,
    versions: list[int] | None,
) -> Person:
    """The person after the change, unless it has changed since the caller saw it."""
    return await _change(tx, id, patch.sent(), versions)


async def _change(tx: Tx, id: UUID, sent: dict[str, Any], versions: list[int] | None) -> Person:
    statement = _reachable(tx, "person:update")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    assignments = statement.assignments(COLUMNS, sent)
    row = await tx.one(
        f"""
        update person
        set {assignments}updated_at = now(),
            version = version + 1
        where {statement.conditions}
        returning {select_list(COLUMNS)}
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)
    return Person.model_construct(**row)


async def delete_person(tx: Tx, id: UUID, versions: list[int] | None) -> None:
    """Delete the person for good."""
    statement = _reachable(tx, "person:delete")
    statement.where(f"id = {statement.bind(id)}")
    statement.version(versions)
    row = await tx.one(
        f"""
        delete from person
        where {statement.conditions}
        returning id
        """,
        *statement.values,
    )
    if row is None:
        raise await _refusal(tx, id, versions)


async def related_people(tx: Tx, relation: Relation, keys: Sequence[Any]) -> list[Row]:
    """The people that the relation leads to and that the caller may read, each with its key."""
    statement = _reachable(tx, "person:read")
    statement.where(f"{relation.column} = any({statement.bind(list(keys))})")
    return await tx.all(
        f"""
        select {relation.column} as "_key", {select_list(COLUMNS)}
        from person
        where {statement.conditions}
        order by id
        limit {MAX_INCLUDED + 1}
        """,
        *statement.values,
    )


def _listed(tx: Tx, query: PersonQuery) -> Statement:
    """The rows that a list is about."""
    statement = _reachable(tx, "person:read")
    statement.filter(COLUMNS, query.filters())
    return statement


def _reachable(tx: Tx, permission: str) -> Statement:
    """The rows of the caller's tenant on which it has the permission."""
    statement = Statement()
    statement.where(f"tenant_id = {statement.bind(tx.principal.require_tenant())}")
    statement.allow(tx.principal, permission)
    return statement


async def _refusal(tx: Tx, id: UUID, versions: list[int] | None) -> Exception:
    """Why nothing was changed: the row is not there, has changed, or is not the caller's to change."""
    current = await get_person(tx, id)
    if versions is not None and current.version not in versions:
        return version_conflict(current.version)
    return forbidden()
