"""Endpoints of the migrations service."""

from __future__ import annotations

from typing import Any

import msgspec

from freehold import ids, jobs
from freehold.db.pool import Record
from freehold.errors import InvalidParameter, InvalidQuery, MissingScope, UserUnauthorized
from freehold.services import storage
from freehold.services.databases import tables, transfer
from freehold.services.databases.errors import DatabaseNotFound, NoTenant, TableNotFound
from freehold.services.migrations import store
from freehold.services.migrations.cells import IGNORED, SYSTEM
from freehold.services.migrations.errors import (
    InternalFiles,
    MigrationInProgress,
    MigrationNotFound,
    TenantsTable,
)
from freehold.services.migrations.models import (
    Counters,
    CreateCsvExport,
    CreateExport,
    CreateImport,
    Migration,
    MigrationList,
)
from freehold.services.storage import BucketNotFound, FileNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import SearchQuery, wire_time

RUN = "migrations.run"


class Run(msgspec.Struct, frozen=True):
    """The job of an import or an export."""

    migration_id: str


routes = Routes("migrations", console=False)

_OF_TABLE = (DatabaseNotFound, TableNotFound, NoTenant, UserUnauthorized, MissingScope)
_OF_FILE = (BucketNotFound, FileNotFound, InternalFiles, TenantsTable)
_CREATED = "migrations.[migrationId].create"


@routes.get("/v1/migrations", scope="migrations.read", name="list")
async def list_migrations(call: Call, query: SearchQuery) -> MigrationList:
    """List imports and exports."""
    found = await store.fetch(call.db, call.project.id, query.queries, search=query.search, total=query.total)
    return MigrationList(total=found.total, migrations=[_as_migration(row) for row in found.rows])


@routes.post(
    "/v1/migrations/csv/imports",
    scope="migrations.write",
    event=_CREATED,
    status=202,
    aliases=("/v1/migrations/csv",),
    name="createCSVImport",
    raises=(*_OF_TABLE, *_OF_FILE),
)
async def create_csv_import(call: Call, body: CreateImport) -> Migration:
    """Make rows of a table from a CSV file in a bucket, whose first line names the columns.

    Rows are written a thousand at a time; of a thousand with a bad row among them none is, and the errors
    say what is wrong in which line.
    """
    return await _import(call, "csv", body)


@routes.post(
    "/v1/migrations/csv/exports",
    scope="migrations.write",
    event=_CREATED,
    status=202,
    name="createCSVExport",
    raises=(*_OF_TABLE, InvalidQuery),
)
async def create_csv_export(call: Call, body: CreateCsvExport) -> Migration:
    """Write rows of a table to a CSV file in the bucket of exports.

    Texts that spreadsheets would take for formulas begin with a `'`, which an import takes away again.
    """
    marks = {"delimiter": body.delimiter, "enclosure": body.enclosure, "escape": body.escape}
    for name, mark in marks.items():
        if len(mark) != 1 or mark in "\r\n\0" or not mark.isascii() or mark.isalnum():
            raise InvalidParameter(name=name, reason='It is one character such as `,`, `;` or `"`.')
    if body.delimiter in (body.enclosure, body.escape):
        raise InvalidParameter(name="delimiter", reason="It has to differ from enclosure and escape.")
    return await _export(call, "csv", body, marks | {"header": body.header})


@routes.post(
    "/v1/migrations/json/imports",
    scope="migrations.write",
    event=_CREATED,
    status=202,
    name="createJSONImport",
    raises=(*_OF_TABLE, *_OF_FILE),
)
async def create_json_import(call: Call, body: CreateImport) -> Migration:
    """Make rows of a table from a JSON file in a bucket: a list of objects, by the names of the columns."""
    return await _import(call, "json", body)


@routes.post(
    "/v1/migrations/json/exports",
    scope="migrations.write",
    event=_CREATED,
    status=202,
    name="createJSONExport",
    raises=(*_OF_TABLE, InvalidQuery),
)
async def create_json_export(call: Call, body: CreateExport) -> Migration:
    """Write rows of a table to a JSON file in the bucket of exports."""
    return await _export(call, "json", body, {})


@routes.get("/v1/migrations/{migrationId}", scope="migrations.read", raises=(MigrationNotFound,))
async def get(call: Call, migration_id: str) -> Migration:
    """Get an import or an export, and how far it has come."""
    row = await store.find(call.db, call.project.id, migration_id)
    if row is None:
        raise MigrationNotFound(id=migration_id)
    return _as_migration(row)


@routes.patch(
    "/v1/migrations/{migrationId}",
    scope="migrations.write",
    event="migrations.[migrationId].retry",
    status=202,
    raises=(MigrationNotFound, MigrationInProgress, *_OF_TABLE),
)
async def retry(call: Call, migration_id: str) -> Migration:
    """Try again what has failed. Of an import, what was written stays, and only the rest is tried."""
    known = await store.find(call.db, call.project.id, migration_id)
    if known is None:
        raise MigrationNotFound(id=migration_id)
    _must_hold_for(call, known["direction"])
    row = await store.begin_again(call.db, call.project.id, migration_id, call.identity.actor)
    if row is None:
        raise MigrationInProgress(id=migration_id, status=known["status"])
    await _enqueue(call, migration_id)
    return _as_migration(row)


@routes.delete(
    "/v1/migrations/{migrationId}",
    scope="migrations.write",
    event="migrations.[migrationId].delete",
    status=204,
    raises=(MigrationNotFound,),
)
async def delete(call: Call, migration_id: str) -> None:
    """Forget an import or an export; one that runs stops. Rows and files that it has made stay."""
    row = await store.delete(call.db, call.project.id, migration_id)
    if row is None:
        raise MigrationNotFound(id=migration_id)
    call.tells(_as_migration(row))


async def _import(call: Call, format: str, body: CreateImport) -> Migration:  # noqa: A002
    _must_hold_for(call, "import")
    if body.internal_file:
        raise InternalFiles()
    database_id, table_id = body.table()
    table = await tables.find(call, database_id, table_id)
    if table.follows_schema and table.entity.tenant == "self":
        raise TenantsTable(id=table_id)
    if tables.reach(call, table, "create") is None:
        raise UserUnauthorized()
    if await storage.find_bucket(call.db, call.project.id, body.bucket_id) is None:
        raise BucketNotFound(id=body.bucket_id)
    file = await storage.find_file(call.db, call.project.id, body.bucket_id, body.file_id)
    if file is None:
        raise FileNotFound(id=body.file_id)
    options = {
        "bucketId": body.bucket_id,
        "fileId": body.file_id,
        "size": file["size"],
        "onDuplicate": body.on_duplicate,
    }
    return await _create(call, "import", format, database_id, table_id, options)


async def _export(call: Call, format: str, body: CreateExport, marks: dict[str, Any]) -> Migration:  # noqa: A002
    _must_hold_for(call, "export")
    database_id, table_id = body.table()
    table = await tables.find(call, database_id, table_id)
    for name in body.columns:
        if name not in (*table.rows.columns, *SYSTEM, *IGNORED, "*"):
            raise InvalidParameter(name="columns", reason=f"`{name[:100]}` is not a column of this table.")
    transfer.select(call, table, body.columns, body.queries)
    name = storage.checked_name(f"{body.filename.removesuffix(f'.{format}')}.{format}", parameter="filename")
    options = {"filename": name, "columns": body.columns, "queries": body.queries, "notify": False, **marks}
    return await _create(call, "export", format, database_id, table_id, options)


async def _create(
    call: Call,
    direction: str,
    format: str,  # noqa: A002
    database_id: str,
    table_id: str,
    options: dict[str, Any],
) -> Migration:
    row = await store.create(
        call.db,
        call.project.id,
        ids.new_id(),
        direction=direction,
        format=format,
        database_id=database_id,
        table_id=table_id,
        options=options,
        actor=call.identity.actor,
        tenant=call.request.header(b"x-tenant-id").strip(),
    )
    await _enqueue(call, row["id"])
    return _as_migration(row)


async def _enqueue(call: Call, migration_id: str) -> None:
    await jobs.enqueue(call.db, RUN, Run(migration_id), project_id=call.project.id)


_NEEDED = {
    "import": (("rows.write", "documents.write"), ("files.read",)),
    "export": (("rows.read", "documents.read"), ("files.write",)),
}


def _must_hold_for(call: Call, direction: str) -> None:
    """An import writes rows and an export reads them; no key gets around what it may. Raises MissingScope."""
    for any_of in _NEEDED[direction]:
        if call.identity.scopes.isdisjoint(any_of):
            who = "This key" if call.identity.kind == "key" else "Your role"
            raise MissingScope(who=who, scopes=" or ".join(any_of))


def _as_migration(row: Record) -> Migration:
    named = row["format"].upper()
    is_import = row["direction"] == "import"
    return Migration(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        status=row["status"],
        stage=row["stage"],
        source=named if is_import else "Appwrite",
        destination="Appwrite" if is_import else named,
        resources=["row"],
        resource_id=row["table_id"],
        parent_resource_id=row["database_id"],
        status_counters={
            "row": Counters(
                success=row["written"], error=row["bad"], skip=row["skipped"], pending=row["waiting"]
            )
        },
        errors=row["errors"],
        options=msgspec.json.decode(row["options"]),
    )
