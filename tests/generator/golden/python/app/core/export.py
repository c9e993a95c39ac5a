"""Lists as CSV, for spreadsheets: read part by part, and without cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from app.core.access import Principal
from app.core.db import Database, Row, Tx
from app.core.errors import invalid_parameter
from app.core.fields import View

MAX_EXPORTED = 100_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NOT_WITH_CSV = ("limit", "cursor", "offset", "count", "include")


def wants_csv(request: Request) -> bool:
    """Whether CSV is the first media type of Accept that a list can be. Pages and relations are refused then."""
    accepted = request.headers.get("accept", "").lower().split(",")
    known = [each.partition(";")[0].strip() for each in accepted]
    first = next((each for each in known if each in ("application/json", "text/csv", "*/*")), "")
    if first != "text/csv":
        return False
    for name in NOT_WITH_CSV:
        if name in request.query_params:
            raise invalid_parameter(name, "not with text/csv, which holds every row")
    return True


async def reply_csv(
    name: str,
    shape: type[View],
    texts: frozenset[str],
    caller: Principal,
    hidden: set[str],
    db: Database,
    export: Callable[[Tx], AsyncIterator[list[Row]]],
) -> Response:
    """The rows as they are read. What fails before the first of them is an ordinary refusal."""
    fields = [info.alias or field for field, info in shape.model_fields.items()]
    shown = [field for field in fields if field not in hidden]

    async def parts() -> AsyncIterator[bytes]:
        yield _lines([shown])
        async with db.tx(caller) as tx:
            async for rows in export(tx):
                yield _lines([_cells(shape, row, shown, texts) for row in rows])

    found = parts()
    head = await anext(found)
    first = await anext(found, b"")

    async def whole() -> AsyncIterator[bytes]:
        yield head + first
        async for part in found:
            yield part

    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{name}.csv"',
    }
    return StreamingResponse(whole(), headers=headers, media_type="text/csv; charset=utf-8")


def _cells(shape: type[View], row: Row, shown: Sequence[str], texts: frozenset[str]) -> list[str]:
    values = shape.of(row).model_dump(mode="json", by_alias=True)
    return [_cell(values[field], is_text=field in texts) for field in shown]


def _cell(value: Any, *, is_text: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if is_text and value.startswith(FORMULA) else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
