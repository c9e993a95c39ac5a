"""Endpoints of transactions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from freehold.db import listing
from freehold.db.listing import Listing, moment, number, text
from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.ids import new_id
from freehold.services.databases import transaction_store, transactions
from freehold.services.databases.errors import (
    TransactionConflict,
    TransactionExpired,
    TransactionInvalid,
    TransactionLimitExceeded,
    TransactionNotFound,
    TransactionNotReady,
)
from freehold.services.databases.models import Transaction, TransactionList
from freehold.services.databases.operations import OneOfThem
from freehold.services.databases.routes.rows import COUNTED_BY, READ, ROW_PROBLEMS, WRITE
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import Input, ListQuery, wire_time

routes = Routes("tablesDB", console=False, raises=(UserUnauthorized,))

TRANSACTIONS = Listing(
    columns="t.*",
    source="freehold.transactions t",
    id="t.id",
    attributes={
        "status": text("t.status"),
        "operations": number("t.operations"),
        "expiresAt": moment("t.expires_at"),
        "$id": text("t.id"),
        "$createdAt": moment("t.created_at"),
        "$updatedAt": moment("t.updated_at"),
    },
    created_at="t.created_at",
)


class CreateTransaction(Input):
    ttl: Annotated[int, Meta(ge=60, le=3600)] = 300


class UpdateTransaction(Input):
    commit: bool = False
    rollback: bool = False


class CreateOperations(Input):
    operations: Annotated[list[OneOfThem], Meta(max_length=transactions.MAX_OPERATIONS)] = []


@routes.get("/v1/tablesdb/transactions", scope=READ)
async def list_transactions(call: Call, query: ListQuery) -> TransactionList:
    """List the transactions that the caller began: of a user its own, of keys and the console theirs."""
    found = await listing.fetch(
        call.db,
        TRANSACTIONS,
        query.queries,
        where={"t.project_id = {}": call.project.id, "t.owner = {}": transactions.owner(call)},
        total=query.total,
    )
    return TransactionList(total=found.total, transactions=[_model(record) for record in found.rows])


@routes.post("/v1/tablesdb/transactions", scope=WRITE, status=201)
async def create_transaction(call: Call, body: CreateTransaction) -> Transaction:
    """Begin a transaction, which stays open for `ttl` seconds."""
    begun = transactions.owner(call)
    return _model(await transaction_store.create(call.db, call.project.id, new_id(), begun, body.ttl))


@routes.get("/v1/tablesdb/transactions/{transactionId}", scope=READ, raises=(TransactionNotFound,))
async def get_transaction(call: Call, transaction_id: str) -> Transaction:
    """Get a transaction."""
    record = await transaction_store.find(call.db, call.project.id, transaction_id, transactions.owner(call))
    if record is None:
        raise TransactionNotFound(id=transaction_id)
    return _model(record)


@routes.patch(
    "/v1/tablesdb/transactions/{transactionId}",
    scope=WRITE,
    raises=(
        TransactionNotFound,
        TransactionInvalid,
        TransactionNotReady,
        TransactionExpired,
        TransactionConflict,
        *ROW_PROBLEMS,
    ),
)
async def update_transaction(call: Call, transaction_id: str, body: UpdateTransaction) -> Transaction:
    """Commit a transaction, all of it or nothing, or roll it back."""
    if body.commit == body.rollback:
        raise TransactionInvalid()
    end = transactions.commit if body.commit else transactions.roll_back
    return _model(await end(call, transaction_id))


@routes.delete(
    "/v1/tablesdb/transactions/{transactionId}", scope=WRITE, status=204, raises=(TransactionNotFound,)
)
async def delete_transaction(call: Call, transaction_id: str) -> None:
    """Delete a transaction. What it has committed stays."""
    if (
        await transaction_store.delete(call.db, call.project.id, transaction_id, transactions.owner(call))
        is None
    ):
        raise TransactionNotFound(id=transaction_id)


@routes.post(
    "/v1/tablesdb/transactions/{transactionId}/operations",
    scope=WRITE,
    limit=limit("120/60s", key=COUNTED_BY, each_of="operations"),
    status=201,
    raises=(
        TransactionNotFound,
        TransactionNotReady,
        TransactionExpired,
        TransactionConflict,
        TransactionLimitExceeded,
        *ROW_PROBLEMS,
    ),
)
async def create_operations(call: Call, transaction_id: str, body: CreateOperations) -> Transaction:
    """Stage several changes of rows, all or none of them."""
    return _model(await transactions.stage_all(call, transaction_id, body.operations))


def _model(record: Record) -> Transaction:
    return Transaction(
        id=record["id"],
        created_at=wire_time(record["created_at"]),
        updated_at=wire_time(record["updated_at"]),
        status=record["status"],
        operations=record["operations"],
        expires_at=wire_time(record["expires_at"]),
    )
