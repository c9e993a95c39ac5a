"""Many rows in one request: all of them or none, and a refusal that points at its item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import asyncpg
from fastapi import Response
from pydantic import BaseModel

from app.core.access import Principal
from app.core.errors import Problem, from_database
from app.core.web import attributes

Item = TypeVar("Item")
Result = TypeVar("Result")


async def each(
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


def check_items_writable(caller: Principal, entity: str, pointer: str, items: Iterable[Iterable[str]]) -> None:
    """Refuse fields that the caller may not set, wherever they are."""
    for position, fields in enumerate(items):
        try:
            caller.check_writable(entity, fields)
        except Problem as problem:
            raise _at(f"{pointer}/{position}", problem) from problem


def _at(pointer: str, problem: Problem) -> Problem:
    def moved(error: Mapping[str, str]) -> dict[str, str]:
        return {**error, "pointer": pointer + error.get("pointer", "")}

    errors = [moved(error) for error in problem.errors]
    errors = errors or [{"pointer": pointer, "code": problem.code, "message": problem.detail}]
    return Problem(problem.status, problem.code, problem.detail, errors, problem.headers)


def reply_rows(rows: Sequence[BaseModel], hidden: set[str], *, status: int = 200) -> Response:
    """The rows in the order of the items."""
    exclude = attributes(type(rows[0]), hidden)
    shown = ",".join(row.model_dump_json(by_alias=True, exclude=exclude) for row in rows)
    headers = {"Cache-Control": "private, no-cache"}
    return Response(f'{{"data":[{shown}]}}', status, headers, media_type="application/json")
