"""Endpoints of keys for development, which spare an application the check of its origin and rate limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from freehold import ids, secrets
from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text, texts
from freehold.db.pool import Queries, Record
from freehold.errors import AccessForbidden, ProjectNotFound
from freehold.services.projects.access import must_hold
from freehold.services.projects.errors import DevKeyNotFound
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag
from freehold.web.wire import Input, ListQuery, Name, Output, Resource, in_utc, wire_time

routes = Routes("projects", raises=(AccessForbidden, ProjectNotFound))

_PATH = "/v1/projects/{projectId}/dev-keys"
_PREFIX = "dev_"
_SECRET_CHARACTERS = 256


class DevKey(Resource):
    name: str
    expire: str
    secret: str
    accessed_at: str
    sdks: list[str]


class DevKeyList(Output):
    total: int
    dev_keys: list[DevKey]


class SayDevKey(Input):
    name: Name
    expire: datetime


@routes.get(_PATH, scope="devKeys.read")
async def list_dev_keys(call: Call, project_id: str, query: ListQuery) -> DevKeyList:
    """List a project's keys for development."""
    await must_hold(call, project_id, "devKeys.read")
    found = await _fetch(call.db, project_id, query.queries, total=query.total)
    return DevKeyList(total=found.total, dev_keys=[_as_key(call, row) for row in found.rows])


@routes.post(_PATH, scope="devKeys.write", status=201, event="projects.[projectId].devKeys.[keyId].create")
async def create_dev_key(call: Call, project_id: str, body: SayDevKey) -> DevKey:
    """Make a key for development. It opens nothing; it only lets an application try things from anywhere."""
    await must_hold(call, project_id, "devKeys.write")
    secret = secrets.new_secret(_SECRET_CHARACTERS)
    sealed = secrets.seal(_sealing_key(call), _PREFIX + secret)
    row = await _create(call.db, project_id, body, secrets.digest(secret), sealed)
    return _changed(call, row, project_id)


@routes.get(f"{_PATH}/{{keyId}}", scope="devKeys.read", raises=(DevKeyNotFound,))
async def get_dev_key(call: Call, project_id: str, key_id: str) -> DevKey:
    """Get a key for development."""
    await must_hold(call, project_id, "devKeys.read")
    row = await _find(call.db, project_id, key_id)
    if row is None:
        raise DevKeyNotFound()
    return _as_key(call, row)


@routes.put(
    f"{_PATH}/{{keyId}}",
    scope="devKeys.write",
    event="projects.[projectId].devKeys.[keyId].update",
    raises=(DevKeyNotFound,),
)
async def update_dev_key(call: Call, project_id: str, key_id: str, body: SayDevKey) -> DevKey:
    """Rename a key for development, or let it hold until another time."""
    await must_hold(call, project_id, "devKeys.write")
    return _changed(call, await _update(call.db, project_id, key_id, body), project_id)


@routes.delete(
    f"{_PATH}/{{keyId}}",
    scope="devKeys.write",
    event="projects.[projectId].devKeys.[keyId].delete",
    status=204,
    raises=(DevKeyNotFound,),
)
async def delete_dev_key(call: Call, project_id: str, key_id: str) -> None:
    """Delete a key for development."""
    await must_hold(call, project_id, "devKeys.write")
    _changed(call, await _delete(call.db, project_id, key_id), project_id)


def _sealing_key(call: Call) -> bytes:
    return secrets.derive(call.app.settings.secret, "dev keys")


def _changed(call: Call, row: Record | None, project_id: str) -> DevKey:
    if row is None:
        raise DevKeyNotFound()
    call.changed(project_tag(project_id))
    call.event_ids["keyId"] = row["id"]
    key = _as_key(call, row)
    call.tells(msgspec.structs.replace(key, secret=""))
    return key


def _as_key(call: Call, row: Record) -> DevKey:
    return DevKey(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        expire=wire_time(row["expires_at"]),
        secret=secrets.unseal(_sealing_key(call), row["secret_sealed"]) or "",
        accessed_at=wire_time(row["accessed_at"]),
        sdks=row["sdks"],
    )


# -- SQL -----------------------------------------------------------------------------------------------------

_KEY = "d.id, d.name, d.secret_sealed, d.expires_at, d.accessed_at, d.sdks, d.created_at, d.updated_at"

DEV_KEYS = Listing(
    columns=_KEY,
    source="freehold.dev_keys d",
    id="d.id",
    created_at="d.created_at",
    attributes={
        "$id": text("d.id"),
        "$createdAt": moment("d.created_at"),
        "$updatedAt": moment("d.updated_at"),
        "name": text("d.name"),
        "expire": moment("d.expires_at"),
        "accessedAt": moment("d.accessed_at"),
        "sdks": texts("d.sdks"),
    },
)


async def _fetch(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    return await listing.fetch(db, DEV_KEYS, queries, where={"d.project_id = {}": project_id}, total=total)


async def _find(db: Queries, project_id: str, key_id: str) -> Record | None:
    return await db.row(
        f"select {_KEY} from freehold.dev_keys d where d.project_id = $1 and d.id = $2", project_id, key_id
    )


async def _create(
    db: Queries, project_id: str, said: SayDevKey, digest: bytes, sealed: bytes
) -> Record | None:
    return await db.row(
        f"""
        insert into freehold.dev_keys as d (project_id, id, name, expires_at, secret_digest, secret_sealed)
        values ($1, $2, $3, $4, $5, $6)
        returning {_KEY}
        """,
        project_id,
        ids.new_id(),
        said.name,
        in_utc(said.expire),
        digest,
        sealed,
    )


async def _update(db: Queries, project_id: str, key_id: str, said: SayDevKey) -> Record | None:
    return await db.row(
        f"""
        update freehold.dev_keys d set name = $3, expires_at = $4, updated_at = now()
        where d.project_id = $1 and d.id = $2
        returning {_KEY}
        """,
        project_id,
        key_id,
        said.name,
        in_utc(said.expire),
    )


async def _delete(db: Queries, project_id: str, key_id: str) -> Record | None:
    return await db.row(
        f"delete from freehold.dev_keys d where d.project_id = $1 and d.id = $2 returning {_KEY}",
        project_id,
        key_id,
    )
