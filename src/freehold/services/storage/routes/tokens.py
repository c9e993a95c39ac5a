"""Endpoints of file tokens: each opens the contents of one file to whoever has it, until it expires."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from freehold import ids
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.services.storage import token_store
from freehold.services.storage.access import file_of
from freehold.services.storage.errors import BucketNotFound, FileNotFound, TokenNotFound
from freehold.services.storage.models import ResourceToken, ResourceTokenList, SayToken
from freehold.services.storage.tokens import secret_of
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import ListQuery, in_utc, wire_time

routes = Routes("tokens")

_OF_FILE = "/v1/tokens/buckets/{bucketId}/files/{fileId}"
_WRITES = limit("60/60s", key="ip:{ip},method:{method},url:{url},userId:{userId}")


@routes.get(_OF_FILE, scope="tokens.read", name="list", raises=(BucketNotFound, FileNotFound))
async def list_tokens(call: Call, bucket_id: str, file_id: str, query: ListQuery) -> ResourceTokenList:
    """List the tokens of a file."""
    await file_of(call, bucket_id, file_id)
    found = await token_store.fetch(
        call.db, call.project.id, bucket_id, file_id, query.queries, total=query.total
    )
    return ResourceTokenList(total=found.total, tokens=[_as_token(call, row) for row in found.rows])


@routes.post(
    _OF_FILE,
    scope="tokens.write",
    event="tokens.[tokenId].create",
    status=201,
    limit=_WRITES,
    raises=(BucketNotFound, FileNotFound),
)
async def create_file_token(call: Call, bucket_id: str, file_id: str, body: SayToken) -> ResourceToken:
    """Make a token of a file. Without `expire` it holds until it is deleted."""
    await file_of(call, bucket_id, file_id)
    row = await token_store.create(call.db, call.project.id, bucket_id, file_id, ids.new_id(), _end(body))
    if row is None:  # deleted since we looked
        raise FileNotFound(id=file_id)
    return _changed(call, row)


@routes.get("/v1/tokens/{tokenId}", scope="tokens.read", raises=(TokenNotFound,))
async def get(call: Call, token_id: str) -> ResourceToken:
    """Get a token."""
    row = await token_store.find(call.db, call.project.id, token_id)
    if row is None:
        raise TokenNotFound(id=token_id)
    return _as_token(call, row)


@routes.patch(
    "/v1/tokens/{tokenId}",
    scope="tokens.write",
    event="tokens.[tokenId].update",
    limit=_WRITES,
    raises=(TokenNotFound,),
)
async def update(call: Call, token_id: str, body: SayToken) -> ResourceToken:
    """Let a token hold until another time; without `expire` until it is deleted. Its secret stays."""
    row = await token_store.update(call.db, call.project.id, token_id, _end(body))
    if row is None:
        raise TokenNotFound(id=token_id)
    return _changed(call, row)


@routes.delete(
    "/v1/tokens/{tokenId}",
    scope="tokens.write",
    event="tokens.[tokenId].delete",
    status=204,
    limit=_WRITES,
    raises=(TokenNotFound,),
)
async def delete(call: Call, token_id: str) -> None:
    """Delete a token, which opens nothing from then on."""
    row = await token_store.delete(call.db, call.project.id, token_id)
    if row is None:
        raise TokenNotFound(id=token_id)
    _changed(call, row)


def _end(body: SayToken) -> datetime | None:
    """When the token expires. Raises InvalidParameter."""
    expire = in_utc(body.expire)
    if expire is not None and expire <= datetime.now(UTC):
        raise InvalidParameter(name="expire", reason="It has to be in the future.")
    return expire


def _changed(call: Call, row: Record) -> ResourceToken:
    """The token as it is answered; the event tells all but its secret."""
    told = _as_token(call, row)
    call.tells(msgspec.structs.replace(told, secret=""))
    return told


def _as_token(call: Call, row: Record) -> ResourceToken:
    return ResourceToken(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        resource_id=f"{row['bucket_id']}:{row['file_id']}",
        resource_type="files",
        expire=wire_time(row["expires_at"]),
        secret=secret_of(call, row),
        accessed_at=wire_time(row["accessed_at"]),
    )
