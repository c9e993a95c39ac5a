"""A project's variables: their shapes on the wire, their SQL, and what may not be seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import asyncpg
from msgspec import UNSET, Meta, UnsetType

from freehold import secrets
from freehold.db import listing
from freehold.db.listing import Found, Listing, flag, moment, text
from freehold.db.pool import Queries, Record
from freehold.ids import UNIQUE
from freehold.services.project.errors import VariableAlreadyExists
from freehold.web.call import Call
from freehold.web.wire import CustomId, Description, Input, Output, Resource, wire_time

OF_PROJECT = "project"

VariableKey = Annotated[str, Meta(min_length=1, max_length=255)]
Value = Annotated[str, Meta(max_length=8192)]


class Variable(Resource):
    key: str
    description: str
    value: str
    """Empty when it is secret."""
    secret: bool
    resource_type: str
    resource_id: str


class VariableList(Output):
    total: int
    variables: list[Variable]


class CreateVariable(Input, kw_only=True):
    variable_id: CustomId = UNIQUE
    key: VariableKey
    value: Value
    secret: bool = True
    description: Description = ""


class UpdateVariable(Input):
    key: VariableKey | None = None
    value: Value | None = None
    secret: bool | None = None
    description: Description | UnsetType = UNSET


_VARIABLE = """
    v.id, v.resource_type, v.resource_id, v.key, v.description, v.value_sealed, v.secret, v.created_at,
    v.updated_at
"""

VARIABLES = Listing(
    columns=_VARIABLE,
    source="freehold.variables v",
    id="v.id",
    created_at="v.created_at",
    attributes={
        "$id": text("v.id"),
        "$createdAt": moment("v.created_at"),
        "$updatedAt": moment("v.updated_at"),
        "key": text("v.key"),
        "secret": flag("v.secret"),
        "resourceType": text("v.resource_type"),
        "resourceId": text("v.resource_id"),
    },
)


def sealing_key(call: Call) -> bytes:
    """The key under which values are kept."""
    return secrets.derive(call.app.settings.secret, "variables")


def as_variable(call: Call, row: Record) -> Variable:
    """A variable as the wire has it: the value of a secret one is told to nobody."""
    value = "" if row["secret"] else secrets.unseal(sealing_key(call), row["value_sealed"])
    return Variable(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        key=row["key"],
        description=row["description"],
        value=value or "",
        secret=row["secret"],
        resource_type=row["resource_type"],
        resource_id=row["resource_id"],
    )


async def create(
    db: Queries, project_id: str, variable_id: str, body: CreateVariable, sealed: bytes
) -> Record:
    """Make a variable of the project. Raises VariableAlreadyExists."""
    try:
        row = await db.row(
            f"""
            insert into freehold.variables as v (project_id, id, resource_type, resource_id, key, description,
                                                 value_sealed, secret)
            values ($1, $2, $3, $1, $4, $5, $6, $7)
            returning {_VARIABLE}
            """,
            project_id,
            variable_id,
            OF_PROJECT,
            body.key,
            body.description,
            sealed,
            body.secret,
        )
    except asyncpg.UniqueViolationError as error:
        raise VariableAlreadyExists() from error
    assert row is not None
    return row


async def find(db: Queries, project_id: str, variable_id: str) -> Record | None:
    """Find a variable of the project."""
    return await db.row(
        f"""
        select {_VARIABLE} from freehold.variables v
        where v.project_id = $1 and v.id = $2 and v.resource_type = $3
        """,
        project_id,
        variable_id,
        OF_PROJECT,
    )


async def fetch(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List the project's variables."""
    where = {"v.project_id = {}": project_id, "v.resource_type = {}": OF_PROJECT}
    return await listing.fetch(db, VARIABLES, queries, where=where, total=total)


async def update(
    db: Queries, project_id: str, variable_id: str, body: UpdateVariable, sealed: bytes | None
) -> Record | None:
    """Change what is said of a variable. Raises VariableAlreadyExists."""
    try:
        return await db.row(
            f"""
            update freehold.variables v
            set key = coalesce($4, v.key), value_sealed = coalesce($5, v.value_sealed),
                secret = coalesce($6, v.secret), description = coalesce($7, v.description),
                updated_at = now()
            where v.project_id = $1 and v.id = $2 and v.resource_type = $3
            returning {_VARIABLE}
            """,
            project_id,
            variable_id,
            OF_PROJECT,
            body.key,
            sealed,
            body.secret,
            body.description if body.description is not UNSET else None,
        )
    except asyncpg.UniqueViolationError as error:
        raise VariableAlreadyExists() from error


async def delete(db: Queries, project_id: str, variable_id: str) -> Record | None:
    """Delete a variable of the project. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.variables v
        where v.project_id = $1 and v.id = $2 and v.resource_type = $3
        returning {_VARIABLE}
        """,
        project_id,
        variable_id,
        OF_PROJECT,
    )
