"""The operations that can be staged in a transaction: the same as the routes of rows, as values."""

from __future__ import annotations

from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from freehold.db.queries import Page
from freehold.errors import InvalidParameter
from freehold.ids import UNIQUE
from freehold.services.databases import bulk, deletions, nested_rows, rows
from freehold.services.databases.row_values import RowId, new_row_id
from freehold.services.databases.tables import Table
from freehold.web import misfits
from freehold.web.call import Call
from freehold.web.wire import Id, Input, Json, Object, Query

Rows = Annotated[list[Object], Meta(min_length=1, max_length=bulk.MAX_ROWS)]
Queries = Annotated[list[Query], Meta(max_length=100)]


class Operation(Input, tag_field="action"):
    """What all of them say. Permissions of a row stand in its data, as `$permissions`."""

    database_id: Id
    table_id: Id


class RowCreate(Operation, tag="create"):
    data: Object
    row_id: RowId = UNIQUE


class RowUpdate(Operation, tag="update"):
    row_id: Id
    data: Object


class RowUpsert(Operation, tag="upsert"):
    row_id: Id
    data: Object


class RowDelete(Operation, tag="delete"):
    row_id: Id


class ColumnAddition(Input):
    column: Id
    value: int | float = 1
    max: int | float | None = None


class ColumnSubtraction(Input):
    column: Id
    value: int | float = 1
    min: int | float | None = None


class RowIncrement(Operation, tag="increment"):
    row_id: Id
    data: ColumnAddition


class RowDecrement(Operation, tag="decrement"):
    row_id: Id
    data: ColumnSubtraction


class RowsCreate(Operation, tag="bulkCreate"):
    data: Rows


class RowsUpsert(Operation, tag="bulkUpsert"):
    data: Rows


class FittingRowsUpdate(Input):
    data: Object
    queries: Queries = []


class FittingRowsDelete(Input):
    queries: Queries = []


class RowsUpdate(Operation, tag="bulkUpdate"):
    data: FittingRowsUpdate


class RowsDelete(Operation, tag="bulkDelete"):
    data: FittingRowsDelete = msgspec.field(default_factory=FittingRowsDelete)


OneOfThem = (
    RowCreate
    | RowUpdate
    | RowUpsert
    | RowDelete
    | RowIncrement
    | RowDecrement
    | RowsCreate
    | RowsUpdate
    | RowsUpsert
    | RowsDelete
)

decode = msgspec.json.Decoder(OneOfThem).decode


def plain(operation: OneOfThem) -> OneOfThem:
    """The operation in the vocabulary of tables, in which it is kept, whichever it was sent in."""
    kind = next(each for each in get_args(OneOfThem) if isinstance(operation, each))
    said: OneOfThem = msgspec.convert(operation, kind, from_attributes=True)
    return said


def with_ids(table: Table, operation: OneOfThem) -> OneOfThem:
    """The operation with the ids that rows it makes will have, whenever it is done."""
    match operation:
        case RowCreate():
            data = _with_nested_ids(table, operation.data)
            return msgspec.structs.replace(operation, row_id=_id(table, operation.row_id), data=data)
        case RowUpdate() | RowUpsert():
            return msgspec.structs.replace(operation, data=_with_nested_ids(table, operation.data))
        case RowsCreate() | RowsUpsert():
            named = [
                _with_nested_ids(table, row) | {"$id": _id(table, bulk.own(row)[0])} for row in operation.data
            ]
            return msgspec.structs.replace(operation, data=named)
        case _:
            return operation


def _with_nested_ids(table: Table, data: Object) -> Object:
    return nested_rows.with_ids(data) if table.relations and not table.follows_schema else data


def _id(table: Table, requested: str) -> str:
    made = new_row_id(table.rows, requested)
    if made is None:
        raise InvalidParameter(
            name="rowId",
            reason="This table numbers its rows itself. Make them outside of the transaction.",
        )
    return str(made)


async def do(call: Call, table: Table, operation: OneOfThem, hit: list[str] | None) -> Json | None:
    """Do it, as its route would; what was found by queries once is `hit`, and is meant again."""
    match operation:
        case RowCreate(row_id=row_id, data=data):
            return await nested_rows.create(call, table, row_id, data, _granted(data))
        case RowUpdate(row_id=row_id, data=data):
            return await nested_rows.update(call, table, row_id, data, _granted(data))
        case RowUpsert(row_id=row_id, data=data):
            return await nested_rows.upsert(call, table, row_id, data, _granted(data))
        case RowDelete(row_id=row_id):
            await deletions.delete(call, table, row_id)
            return None
        case RowIncrement(row_id=row_id, data=by):
            return await rows.increment(call, table, row_id, by.column, by.value, by.max)
        case RowDecrement(row_id=row_id, data=by):
            return await rows.increment(call, table, row_id, by.column, -by.value, by.min)
        case RowsCreate(data=many):
            return await nested_rows.create_many(call, table, many)
        case RowsUpsert(data=many):
            return await nested_rows.upsert_many(call, table, many)
        case RowsUpdate(data=said):
            return await bulk.update(call, table, said.data, _fitting(said.queries, hit))
        case RowsDelete(data=said):
            return await deletions.delete_fitting(call, table, _fitting(said.queries, hit))


def _granted(data: Object) -> list[str] | None:
    try:
        return msgspec.convert(data, _Granting).permissions
    except msgspec.ValidationError as error:
        raise InvalidParameter(name="data", reason=misfits.sentence(str(error))) from error


class _Granting(msgspec.Struct):
    permissions: list[str] | None = msgspec.field(name="$permissions", default=None)


def _fitting(queries: list[str], hit: list[str] | None) -> Page:
    if hit is None:
        return bulk.fitting(queries)
    return bulk.these(hit)


def adds_up(operation: OneOfThem) -> bool:
    """Whether it comes to the same with what others do to the row in between."""
    return isinstance(operation, RowIncrement | RowDecrement)


def only_makes(operation: OneOfThem) -> bool:
    """Whether it makes rows, and changes none: what is there already makes it fail."""
    match operation:
        case RowsCreate(data=many):
            return not any(map(_may_name_rows, many))
        case RowCreate(data=data):
            return not _may_name_rows(data)
        case _:
            return False


def _may_name_rows(data: Object) -> bool:
    """Whether there may be rows inside, or others that are tied to the new one and so changed."""
    return any(isinstance(each, dict | list) for key, each in data.items() if key != "$permissions")


def found(table: Table, operation: OneOfThem, answer: Json | None) -> list[str] | None:
    """The ids of the rows that it has found by queries; None when it looked for none."""
    if not isinstance(operation, RowsUpdate | RowsDelete):
        return None
    assert answer is not None
    rows: list[Object] = msgspec.json.decode(answer.body)[table.vocabulary.rows]
    return [str(table.rows.encode_id(row["$id"])) for row in rows]
