"""Endpoints of databases themselves."""

from __future__ import annotations

from freehold.db import listing
from freehold.db.listing import Listing, flag, moment, text
from freehold.db.pool import Record
from freehold.ids import resolve
from freehold.services.databases import changes, store
from freehold.services.databases.errors import DatabaseAlreadyExists, DatabaseNotFound
from freehold.services.databases.models import Database, DatabaseList
from freehold.services.databases.tables import database_tag
from freehold.services.databases.vocabulary import spoken
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import CustomId, Description, Input, Name, SearchQuery, wire_time

routes = Routes("tablesDB", console=False)

DATABASES = Listing(
    columns="d.*",
    source="freehold.databases d",
    id="d.id",
    attributes={
        "name": text("d.name"),
        "enabled": flag("d.enabled"),
        "$id": text("d.id"),
        "$createdAt": moment("d.created_at"),
        "$updatedAt": moment("d.updated_at"),
    },
    search=("d.id", "d.name"),
    created_at="d.created_at",
)


class CreateDatabase(Input):
    database_id: CustomId
    name: Name
    description: Description = ""
    enabled: bool = True


class UpdateDatabase(Input):
    name: Name | None = None
    description: Description | None = None
    enabled: bool = True


@routes.get("/v1/tablesdb", scope="databases.read", name="list")
async def list_(call: Call, query: SearchQuery) -> DatabaseList:
    """List the databases of the project."""
    found = await listing.fetch(
        call.db,
        DATABASES,
        query.queries,
        where={"d.project_id = {}": call.project.id},
        search=query.search,
        total=query.total,
    )
    return DatabaseList(total=found.total, databases=[_model(row) for row in found.rows])


@routes.post(
    "/v1/tablesdb",
    scope="databases.write",
    event="databases.[databaseId].create",
    status=201,
    raises=(DatabaseAlreadyExists,),
)
async def create(call: Call, body: CreateDatabase) -> Database:
    """Create a database: a schema of PostgreSQL's, in which its tables will lie."""
    database_id = resolve(body.database_id)
    if await store.find_database(call.db, call.project.id, database_id) is not None:
        raise DatabaseAlreadyExists(id=database_id)
    namespace = await changes.create_namespace(call.db, call.project.id, database_id)
    row = await store.create_database(
        call.db,
        call.project.id,
        database_id,
        name=body.name,
        description=body.description,
        enabled=body.enabled,
        namespace=namespace,
        type_=spoken(call).database_type,
    )
    return _model(row)


@routes.get("/v1/tablesdb/{databaseId}", scope="databases.read", raises=(DatabaseNotFound,))
async def get(call: Call, database_id: str) -> Database:
    """Get a database."""
    row = await store.find_database(call.db, call.project.id, database_id)
    if row is None:
        raise DatabaseNotFound(id=database_id)
    return _model(row)


@routes.put(
    "/v1/tablesdb/{databaseId}",
    scope="databases.write",
    event="databases.[databaseId].update",
    raises=(DatabaseNotFound,),
)
async def update(call: Call, database_id: str, body: UpdateDatabase) -> Database:
    """Rename a database, or switch it off for everybody but keys and the console."""
    row = await store.update_database(
        call.db,
        call.project.id,
        database_id,
        name=body.name,
        description=body.description,
        enabled=body.enabled,
    )
    if row is None:
        raise DatabaseNotFound(id=database_id)
    call.changed(database_tag(call.project.id, database_id))
    return _model(row)


@routes.delete(
    "/v1/tablesdb/{databaseId}",
    scope="databases.write",
    event="databases.[databaseId].delete",
    status=204,
    raises=(DatabaseNotFound,),
)
async def delete(call: Call, database_id: str) -> None:
    """Delete a database with all its tables and rows."""
    row = await store.delete_database(call.db, call.project.id, database_id)
    if row is None:
        raise DatabaseNotFound(id=database_id)
    await changes.drop_namespace(call.db, row["namespace"])
    call.tells(_model(row))
    call.changed(database_tag(call.project.id, database_id))


def _model(row: Record) -> Database:
    return Database(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        description=row["description"],
        enabled=row["enabled"],
        type=row["type"],
    )
