"""SQL on what the platform knows of databases, tables, columns and indexes. Rows are `db.rows`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from freehold.db.pool import Queries, Record
from freehold.schema.model import Entity
from freehold.services.databases.errors import DatabaseAlreadyExists, TableAlreadyExists

# -- databases ---------------------------------------------------------------------------------------------


async def create_database(
    db: Queries,
    project_id: str,
    database_id: str,
    *,
    name: str,
    description: str,
    enabled: bool,
    namespace: str,
    type_: str,
) -> Record:
    """Write a database down. Raises DatabaseAlreadyExists."""
    try:
        row = await db.row(
            """
            insert into freehold.databases (project_id, id, name, description, enabled, namespace, type)
            values ($1, $2, $3, $4, $5, $6, $7)
            returning *
            """,
            project_id, database_id, name, description, enabled, namespace, type_,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise DatabaseAlreadyExists(id=database_id) from error
    assert row is not None
    return row


async def namespace_is_taken(db: Queries, namespace: str) -> bool:
    """Tell whether PostgreSQL has a schema of this name, or is about to."""
    taken: bool = await db.value(
        """
        select exists (select from pg_namespace where nspname = $1)
            or exists (select from freehold.databases where namespace = $1)
        """,
        namespace,
    )
    return taken


async def find_database(
    db: Queries, project_id: str, database_id: str, *, lock: bool = False
) -> Record | None:
    return await db.row(
        "select * from freehold.databases where project_id = $1 and id = $2"
        + (" for update" if lock else ""),
        project_id,
        database_id,
    )


async def update_database(
    db: Queries,
    project_id: str,
    database_id: str,
    *,
    name: str | None,
    description: str | None,
    enabled: bool,
) -> Record | None:
    return await db.row(
        """
        update freehold.databases
        set name = coalesce($3, name), description = coalesce($4, description), enabled = $5,
            updated_at = now()
        where project_id = $1 and id = $2
        returning *
        """,
        project_id, database_id, name, description, enabled,
    )  # fmt: skip


async def delete_database(db: Queries, project_id: str, database_id: str) -> Record | None:
    """Forget a database and its tables; gives the row that it was."""
    return await db.row(
        "delete from freehold.databases where project_id = $1 and id = $2 returning *",
        project_id,
        database_id,
    )


async def keep_schema(db: Queries, project_id: str, database_id: str, schema: bytes) -> None:
    """Remember the schema that was applied to a database from a file."""
    await db.run(
        "update freehold.databases set schema = $3, updated_at = now() where project_id = $1 and id = $2",
        project_id, database_id, schema,
    )  # fmt: skip


# -- tables ------------------------------------------------------------------------------------------------

_TABLE = """
    select t.*, d.namespace, d.enabled as database_enabled, d.schema
    from freehold.tables t
    join freehold.databases d on d.project_id = t.project_id and d.id = t.database_id
"""


_RELATED_TABLE = """
    select t.*, d.namespace, d.enabled as database_enabled, d.schema, (
        select coalesce(jsonb_agg(to_jsonb(c) order by c.position), '[]') from freehold.columns c
        where c.project_id = t.project_id and c.database_id = t.database_id and c.type = 'relationship'
            and (c.table_id = t.id or c.related_table_id = t.id)
    ) as relationships
    from freehold.tables t
    join freehold.databases d on d.project_id = t.project_id and d.id = t.database_id
"""


async def find_table(db: Queries, project_id: str, database_id: str, table_id: str) -> Record | None:
    """A table with what is needed of its database, and the relationships that it has."""
    return await db.row(
        _RELATED_TABLE + "where t.project_id = $1 and t.database_id = $2 and t.id = $3",
        project_id,
        database_id,
        table_id,
    )


async def lock_table(db: Queries, project_id: str, database_id: str, table_id: str) -> Record | None:
    """The same, kept from being changed by anybody else until the transaction ends."""
    return await db.row(
        _TABLE + "where t.project_id = $1 and t.database_id = $2 and t.id = $3 for update of t",
        project_id, database_id, table_id,
    )  # fmt: skip


async def lock_tables(
    db: Queries, project_id: str, database_id: str, table_ids: Collection[str]
) -> list[Record]:
    """The same for several tables, always in one order, so that no two calls wait for each other."""
    return await db.rows(
        _TABLE
        + "where t.project_id = $1 and t.database_id = $2 and t.id = any($3) order by t.id for update of t",
        project_id, database_id, list(table_ids),
    )  # fmt: skip


async def create_table(
    db: Queries,
    project_id: str,
    database_id: str,
    table_id: str,
    *,
    name: str,
    description: str = "",
    enabled: bool = True,
    row_security: bool = False,
    permissions: Sequence[str] = (),
    entity: Entity,
) -> None:
    """Write a table down. Raises TableAlreadyExists."""
    try:
        await db.run(
            """
            insert into freehold.tables
                (project_id, database_id, id, name, description, enabled, row_security, permissions, entity)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            project_id, database_id, table_id, name, description, enabled, row_security, list(permissions),
            msgspec.json.encode(entity),
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise TableAlreadyExists(id=table_id) from error


async def update_table(
    db: Queries,
    project_id: str,
    database_id: str,
    table_id: str,
    *,
    name: str | None,
    description: str | None,
    enabled: bool,
    row_security: bool,
    permissions: list[str] | None,
) -> None:
    await db.run(
        """
        update freehold.tables
        set name = coalesce($4, name), description = coalesce($5, description), enabled = $6,
            row_security = $7, permissions = coalesce($8, permissions), updated_at = now()
        where project_id = $1 and database_id = $2 and id = $3
        """,
        project_id, database_id, table_id, name, description, enabled, row_security, permissions,
    )  # fmt: skip


async def keep_entity(db: Queries, project_id: str, database_id: str, table_id: str, entity: Entity) -> None:
    """Remember what a table has become."""
    await db.run(
        """
        update freehold.tables set entity = $4, updated_at = now()
        where project_id = $1 and database_id = $2 and id = $3
        """,
        project_id, database_id, table_id, msgspec.json.encode(entity),
    )  # fmt: skip


async def rename_table(db: Queries, project_id: str, database_id: str, table_id: str, new_id: str) -> None:
    """Let a table be called otherwise; its columns and indexes follow."""
    await db.run(
        """
        update freehold.tables set id = $4, name = $4, updated_at = now()
        where project_id = $1 and database_id = $2 and id = $3
        """,
        project_id, database_id, table_id, new_id,
    )  # fmt: skip


async def delete_table(db: Queries, project_id: str, database_id: str, table_id: str) -> None:
    await db.run(
        "delete from freehold.tables where project_id = $1 and database_id = $2 and id = $3",
        project_id, database_id, table_id,
    )  # fmt: skip


# -- columns -----------------------------------------------------------------------------------------------


async def list_columns(db: Queries, project_id: str, database_id: str, table_ids: list[str]) -> list[Record]:
    """The columns of some tables, in the order in which they were made."""
    return await db.rows(
        """
        select * from freehold.columns
        where project_id = $1 and database_id = $2 and table_id = any($3)
        order by table_id, position
        """,
        project_id, database_id, table_ids,
    )  # fmt: skip


async def find_column(
    db: Queries, project_id: str, database_id: str, table_id: str, key: str
) -> Record | None:
    return await db.row(
        """
        select * from freehold.columns
        where project_id = $1 and database_id = $2 and table_id = $3 and key = $4
        """,
        project_id, database_id, table_id, key,
    )  # fmt: skip


async def create_column(
    db: Queries,
    project_id: str,
    database_id: str,
    table_id: str,
    *,
    key: str,
    type_: str,
    format_: str,
    field_id: str,
) -> Record:
    row = await db.row(
        """
        insert into freehold.columns (project_id, database_id, table_id, key, type, format, field_id)
        values ($1, $2, $3, $4, $5, $6, $7)
        returning *
        """,
        project_id, database_id, table_id, key, type_, format_, field_id,
    )  # fmt: skip
    assert row is not None
    return row


async def update_column(
    db: Queries, project_id: str, database_id: str, table_id: str, key: str, *, new_key: str
) -> Record:
    row = await db.row(
        """
        update freehold.columns set key = $5, updated_at = now()
        where project_id = $1 and database_id = $2 and table_id = $3 and key = $4
        returning *
        """,
        project_id, database_id, table_id, key, new_key,
    )  # fmt: skip
    assert row is not None
    return row


async def delete_column(db: Queries, project_id: str, database_id: str, table_id: str, key: str) -> None:
    await db.run(
        """
        delete from freehold.columns
        where project_id = $1 and database_id = $2 and table_id = $3 and key = $4
        """,
        project_id, database_id, table_id, key,
    )  # fmt: skip


# -- relationships: columns of two tables over one field -----------------------------------------------------


async def create_relationship(
    db: Queries,
    project_id: str,
    database_id: str,
    table_id: str,
    *,
    key: str,
    field_id: str,
    related_table_id: str,
    relation_type: str,
    side: str,
    two_way: bool,
    two_way_key: str,
    on_delete: str,
    description: str,
) -> Record:
    """Write down one side of a relationship, as the API shows it."""
    row = await db.row(
        """
        insert into freehold.columns
            (project_id, database_id, table_id, key, type, field_id, related_table_id, relation_type, side,
             two_way, two_way_key, on_delete, description)
        values ($1, $2, $3, $4, 'relationship', $5, $6, $7, $8, $9, $10, $11, $12)
        returning *
        """,
        project_id, database_id, table_id, key, field_id, related_table_id, relation_type, side, two_way,
        two_way_key, on_delete, description,
    )  # fmt: skip
    assert row is not None
    return row


async def list_relationships(db: Queries, project_id: str, database_id: str, table_id: str) -> list[Record]:
    """The relationships of a table: its own columns, and those of other tables that lead to it."""
    return await db.rows(
        """
        select * from freehold.columns
        where project_id = $1 and database_id = $2 and $3 in (table_id, related_table_id)
            and type = 'relationship'
        order by position
        """,
        project_id, database_id, table_id,
    )  # fmt: skip


async def update_relationship(
    db: Queries,
    row: Record,
    *,
    key: str,
    on_delete: str,
    description: str,
) -> Record:
    """Change one side of a relationship; the other side follows."""
    await db.run(
        """
        update freehold.columns
        set two_way_key = $6, on_delete = $7, updated_at = now()
        where project_id = $1 and database_id = $2 and field_id = $3 and (table_id, key) <> ($4, $5)
        """,
        row["project_id"], row["database_id"], row["field_id"], row["table_id"], row["key"], key, on_delete,
    )  # fmt: skip
    changed = await db.row(
        """
        update freehold.columns
        set key = $5, on_delete = $6, description = $7, updated_at = now()
        where project_id = $1 and database_id = $2 and table_id = $3 and key = $4
        returning *
        """,
        row["project_id"], row["database_id"], row["table_id"], row["key"], key, on_delete, description,
    )  # fmt: skip
    assert changed is not None
    return changed


async def delete_relationship(db: Queries, row: Record) -> None:
    """Forget both sides of a relationship."""
    await db.run(
        "delete from freehold.columns where project_id = $1 and database_id = $2 and field_id = $3",
        row["project_id"], row["database_id"], row["field_id"],
    )  # fmt: skip


# -- indexes -----------------------------------------------------------------------------------------------


async def list_indexes(db: Queries, project_id: str, database_id: str, table_ids: list[str]) -> list[Record]:
    """The indexes of some tables, in the order in which they were made."""
    return await db.rows(
        """
        select * from freehold.indexes
        where project_id = $1 and database_id = $2 and table_id = any($3)
        order by table_id, position
        """,
        project_id, database_id, table_ids,
    )  # fmt: skip


async def create_index(
    db: Queries,
    project_id: str,
    database_id: str,
    table_id: str,
    *,
    key: str,
    type_: str,
    description: str,
    columns: list[str],
    orders: list[str],
    lengths: Sequence[int | None],
) -> Record:
    row = await db.row(
        """
        insert into freehold.indexes
            (project_id, database_id, table_id, key, type, description, columns, orders, lengths)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        returning *
        """,
        project_id, database_id, table_id, key, type_, description, columns, orders, lengths,
    )  # fmt: skip
    assert row is not None
    return row


async def rename_in_indexes(
    db: Queries, project_id: str, database_id: str, table_id: str, *, old: str, new: str
) -> None:
    """Let indexes follow the rename of a column."""
    await db.run(
        """
        update freehold.indexes set columns = array_replace(columns, $4, $5), updated_at = now()
        where project_id = $1 and database_id = $2 and table_id = $3 and $4 = any(columns)
        """,
        project_id, database_id, table_id, old, new,
    )  # fmt: skip


async def delete_index(db: Queries, project_id: str, database_id: str, table_id: str, key: str) -> None:
    await db.run(
        """
        delete from freehold.indexes
        where project_id = $1 and database_id = $2 and table_id = $3 and key = $4
        """,
        project_id, database_id, table_id, key,
    )  # fmt: skip
