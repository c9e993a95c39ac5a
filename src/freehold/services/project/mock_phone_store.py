"""SQL of mock phones."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from freehold.db import listing
from freehold.db.listing import Found, Listing, moment, text
from freehold.db.pool import Queries, Record
from freehold.services.project.errors import MockPhoneAlreadyExists

_PHONE = "m.number, m.otp, m.created_at, m.updated_at"

MOCK_PHONES = Listing(
    columns=_PHONE,
    source="freehold.mock_phones m",
    id="m.number",
    created_at="m.created_at",
    attributes={
        "number": text("m.number"),
        "$createdAt": moment("m.created_at"),
        "$updatedAt": moment("m.updated_at"),
    },
)


async def fetch(db: Queries, project_id: str, queries: Sequence[str], *, total: bool) -> Found:
    """List a project's mock phones."""
    return await listing.fetch(db, MOCK_PHONES, queries, where={"m.project_id = {}": project_id}, total=total)


async def count(db: Queries, project_id: str) -> int:
    """How many mock phones a project has."""
    total: int = await db.value("select count(*) from freehold.mock_phones where project_id = $1", project_id)
    return total


async def find(db: Queries, project_id: str, number: str) -> Record | None:
    """Find a mock phone."""
    return await db.row(
        f"select {_PHONE} from freehold.mock_phones m where m.project_id = $1 and m.number = $2",
        project_id,
        number,
    )


async def create(db: Queries, project_id: str, number: str, otp: str) -> Record:
    """Make a mock phone. Raises MockPhoneAlreadyExists."""
    try:
        row = await db.row(
            f"""
            insert into freehold.mock_phones as m (project_id, number, otp) values ($1, $2, $3)
            returning {_PHONE}
            """,
            project_id,
            number,
            otp,
        )
    except asyncpg.UniqueViolationError as error:
        raise MockPhoneAlreadyExists() from error
    assert row is not None
    return row


async def set_code(db: Queries, project_id: str, number: str, otp: str) -> Record | None:
    """Give a mock phone another code."""
    return await db.row(
        f"""
        update freehold.mock_phones m set otp = $3, updated_at = now()
        where m.project_id = $1 and m.number = $2
        returning {_PHONE}
        """,
        project_id,
        number,
        otp,
    )


async def delete(db: Queries, project_id: str, number: str) -> Record | None:
    """Delete a mock phone. Gives what it was."""
    return await db.row(
        f"""
        delete from freehold.mock_phones m where m.project_id = $1 and m.number = $2
        returning {_PHONE}
        """,
        project_id,
        number,
    )


async def delete_all(db: Queries, project_id: str) -> None:
    """Delete all mock phones of a project."""
    await db.run("delete from freehold.mock_phones where project_id = $1", project_id)
