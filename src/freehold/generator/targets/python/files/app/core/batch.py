"""Many rows in one request: all of them or none, and a refusal that points at its item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import asyncpg
from fastapi import Request, Response
from pydantic import BaseModel

from app.core.access import Principal
from app.core.db import Database, Tx
from app.core.errors import Problem, from_database
from app.core.fields import Body
from app.core.idempotency import once
from app.core.web import attributes

Item = TypeVar("Item")
Sent = TypeVar("Sent", bound=Body)
Result = TypeVar("Result")


async def write_each(
    request: Request,
    caller: Principal,
    db: Database,
    entity: str,
    items: Sequence[Sent],
    work: Callable[[Tx, Sent], Awaitable[BaseModel]],
    *,
    status: int = 200,
) -> Response:
    """Write a row for every item, or none; once for each idempotency key."""
    _check_writable(caller, entity, items)
    async with db.tx(caller) as tx:

        async def whole() -> Response:
            rows = await _each("/items", items, lambda item: work(tx, item))
            return _reply_rows(rows, caller.hidden(entity), status)

        return await once(request, tx, whole)


async def delete_each(
    request: Request,
    caller: Principal,
    db: Database,
    ids: Sequence[Item],
    work: Callable[[Tx, Item], Awaitable[None]],
) -> Response:
    """Delete the rows of all ids, or none."""
    async with db.tx(caller) as tx:

        async def whole() -> Response:
            await _each("/ids", ids, lambda id: work(tx, id), deleting=True)
            return Response(status_code=204)

        return await once(request, tx, whole)


async def _each(
    pointer: str,
    items: Sequence[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    deleting: bool = False,
) -> list[Result]:
    """The results of the work. The first item that fails ends it, and the transaction with it."""
    results = []
    for position, item in enumerate(items):
        try:
            results.append(await work(item))
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            raise  # the whole request is run again
        except (asyncpg.PostgresError, asyncpg.DataError) as error:
            raise _at(f"{pointer}/{position}", from_database(error, deleting=deleting)) from error
        except Problem as problem:
            raise _at(f"{pointer}/{position}", problem) from problem
    return results


def _check_writable(caller: Principal, entity: str, items: Sequence[Body]) -> None:
    """Refuse fields that the caller may not set, wherever they are."""
    for position, item in enumerate(items):
        try:
            caller.check_writable(entity, item.sent())
        except Problem as problem:
            raise _at(f"/items/{position}", problem) from problem


def _at(pointer: str, problem: Problem) -> Problem:
    def moved(error: Mapping[str, str]) -> dict[str, str]:
        return {**error, "pointer": pointer + error.get("pointer", "")}

    errors = [moved(error) for error in problem.errors]
    errors = errors or [{"pointer": pointer, "code": problem.code, "message": problem.detail}]
    return Problem(problem.status, problem.code, problem.detail, errors, problem.headers)


def _reply_rows(rows: Sequence[BaseModel], hidden: set[str], status: int) -> Response:
    """The rows in the order of the items."""
    exclude = attributes(type(rows[0]), hidden)
    shown = ",".join(row.model_dump_json(by_alias=True, exclude=exclude) for row in rows)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(f'{{"data":[{shown}]}}', status, headers, media_type="application/json")
