"""Endpoints of the storage service."""

from __future__ import annotations

from typing import Any

from freehold import ids, jobs
from freehold.config import size_text
from freehold.db.pool import Record
from freehold.errors import BadRequest, InvalidParameter, UserUnauthorized
from freehold.providers.blobs import new_folder
from freehold.services.storage import store, uploads
from freehold.services.storage.access import bucket_of, changeable, checked_permissions, may, readable
from freehold.services.storage.cleanup import DELETE_CONTENTS, Contents
from freehold.services.storage.errors import (
    BucketAlreadyExists,
    BucketNotFound,
    FileAlreadyExists,
    FileNotFound,
    FileTooLarge,
    FileTypeUnsupported,
    InvalidContentRange,
    InvalidUploadId,
    RangeNotSatisfiable,
)
from freehold.services.storage.files import as_file, sent
from freehold.services.storage.models import (
    Bucket,
    BucketList,
    CreateBucket,
    CreateFile,
    File,
    FileList,
    UpdateBucket,
    UpdateFile,
)
from freehold.services.storage.names import checked_name, must_be_allowed
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import SearchQuery, Stream, wire_time

routes = Routes("storage")

_WRITES = limit("60/60s", key="ip:{ip},method:{method},url:{url},userId:{userId}")
_UPLOADS = limit("60/60s", key="ip:{ip},method:{method},url:{url},userId:{userId},chunkId:{chunkId}")


class NotBuilt(BadRequest, type="general_feature_unsupported"):
    """Files cannot be {what} on this server yet. Leave `{name}` at its default."""


@routes.get("/v1/storage/buckets", scope="buckets.read")
async def list_buckets(call: Call, query: SearchQuery) -> BucketList:
    """List buckets."""
    found = await store.fetch_buckets(
        call.db, call.project.id, query.queries, search=query.search, total=query.total
    )
    return BucketList(total=found.total, buckets=[_as_bucket(row) for row in found.rows])


@routes.post(
    "/v1/storage/buckets",
    scope="buckets.write",
    event="buckets.[bucketId].create",
    status=201,
    raises=(BucketAlreadyExists, NotBuilt),
)
async def create_bucket(call: Call, body: CreateBucket) -> Bucket:
    """Create a bucket. Without permissions only keys and the console reach its files."""
    values = _values(call, body)
    bucket_id = ids.resolve(body.bucket_id)
    return _as_bucket(await store.create_bucket(call.db, call.project.id, bucket_id, new_folder(), values))


@routes.get("/v1/storage/buckets/{bucketId}", scope="buckets.read", raises=(BucketNotFound,))
async def get_bucket(call: Call, bucket_id: str) -> Bucket:
    """Get a bucket."""
    row = await store.read_bucket(call.db, call.project.id, bucket_id)
    if row is None:
        raise BucketNotFound(id=bucket_id)
    return _as_bucket(row)


@routes.put(
    "/v1/storage/buckets/{bucketId}",
    scope="buckets.write",
    event="buckets.[bucketId].update",
    raises=(BucketNotFound, NotBuilt),
)
async def update_bucket(call: Call, bucket_id: str, body: UpdateBucket) -> Bucket:
    """Change a bucket. What is not said is as in a new one, but for permissions and description."""
    row = await store.update_bucket(call.db, call.project.id, bucket_id, _values(call, body))
    if row is None:
        raise BucketNotFound(id=bucket_id)
    return _as_bucket(row)


@routes.delete(
    "/v1/storage/buckets/{bucketId}",
    scope="buckets.write",
    event="buckets.[bucketId].delete",
    status=204,
    raises=(BucketNotFound,),
)
async def delete_bucket(call: Call, bucket_id: str) -> None:
    """Delete a bucket and its files."""
    row = await store.delete_bucket(call.db, call.project.id, bucket_id)
    if row is None:
        raise BucketNotFound(id=bucket_id)
    call.tells(_as_bucket(row))
    await jobs.enqueue(
        call.db, DELETE_CONTENTS, Contents(folders=[row["folder"]]), project_id=call.project.id
    )


def _values(call: Call, body: UpdateBucket) -> dict[str, Any]:
    """What is kept of a bucket. Raises InvalidParameter, NotBuilt."""
    if body.compression != "none":
        raise NotBuilt(what="compressed", name="compression")
    if body.strip_metadata:
        raise NotBuilt(what="rid of their metadata", name="stripMetadata")
    most = call.app.settings.file_limit
    if body.maximum_file_size > most:
        raise InvalidParameter(
            name="maximumFileSize", reason=f"This server takes files of {size_text(most)}."
        )
    given = body.permissions is not None
    return {
        "name": body.name,
        "description": body.description,
        "enabled": body.enabled,
        "file_security": body.file_security,
        "permissions": checked_permissions(call, body.permissions, of_bucket=True) if given else None,
        "maximum_file_size": body.maximum_file_size,
        "allowed_extensions": [each.removeprefix(".").lower() for each in body.allowed_file_extensions],
    }


def _as_bucket(row: Record) -> Bucket:
    return Bucket(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        permissions=row["permissions"],
        file_security=row["file_security"],
        name=row["name"],
        description=row["description"],
        enabled=row["enabled"],
        maximum_file_size=row["maximum_file_size"],
        allowed_file_extensions=row["allowed_extensions"],
        total_size=row["total_size"],
    )


# -- files -------------------------------------------------------------------------------------------------


@routes.get(
    "/v1/storage/buckets/{bucketId}/files",
    scope="files.read",
    raises=(BucketNotFound, UserUnauthorized),
)
async def list_files(call: Call, bucket_id: str, query: SearchQuery) -> FileList:
    """List the files of a bucket that the caller may read."""
    bucket = await bucket_of(call, bucket_id)
    of_all = may(call, bucket, "read")
    if not of_all and not bucket["file_security"]:
        raise UserUnauthorized()
    found = await store.fetch_files(
        call.db,
        call.project.id,
        bucket_id,
        query.queries,
        asks=None if of_all else call.asks("read"),
        search=query.search,
        total=query.total,
    )
    return FileList(total=found.total, files=[as_file(row) for row in found.rows])


@routes.post(
    "/v1/storage/buckets/{bucketId}/files",
    scope="files.write",
    emits="buckets.[bucketId].files.[fileId].create",
    status=201,
    limit=_UPLOADS,
    raises=(
        BucketNotFound,
        FileAlreadyExists,
        FileTooLarge,
        FileTypeUnsupported,
        InvalidContentRange,
        InvalidUploadId,
        UserUnauthorized,
    ),
)
async def create_file(call: Call, bucket_id: str, body: CreateFile) -> File:
    """Upload a file, or a part of one. A file of several parts is there once all of them have come."""
    return as_file(await uploads.receive(call, bucket_id, body))


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}",
    scope="files.read",
    raises=(BucketNotFound, FileNotFound),
)
async def get_file(call: Call, bucket_id: str, file_id: str) -> File:
    """Get what is known of a file."""
    return as_file(await readable(call, bucket_id, file_id))


@routes.put(
    "/v1/storage/buckets/{bucketId}/files/{fileId}",
    scope="files.write",
    event="buckets.[bucketId].files.[fileId].update",
    raises=(BucketNotFound, FileNotFound, FileTypeUnsupported, UserUnauthorized),
)
async def update_file(call: Call, bucket_id: str, file_id: str, body: UpdateFile) -> File:
    """Rename a file, or change who may do what with it."""
    bucket = await bucket_of(call, bucket_id)
    await changeable(call, bucket, file_id, "update")
    name = checked_name(body.name) if body.name is not None else None
    if name is not None:
        must_be_allowed(name, bucket["allowed_extensions"])
    row = await store.update_file(
        call.db,
        call.project.id,
        bucket_id,
        file_id,
        name=name,
        permissions=checked_permissions(call, body.permissions) if body.permissions is not None else None,
    )
    if row is None:
        raise FileNotFound(id=file_id)
    return as_file(row)


@routes.delete(
    "/v1/storage/buckets/{bucketId}/files/{fileId}",
    scope="files.write",
    event="buckets.[bucketId].files.[fileId].delete",
    status=204,
    limit=_WRITES,
    raises=(BucketNotFound, FileNotFound, UserUnauthorized),
)
async def delete_file(call: Call, bucket_id: str, file_id: str) -> None:
    """Delete a file."""
    found = await changeable(call, await bucket_of(call, bucket_id), file_id, "delete")
    row = await store.delete_file(call.db, found["place"])
    if row is None:
        raise FileNotFound(id=file_id)
    call.tells(as_file(row))
    await jobs.enqueue(call.db, DELETE_CONTENTS, Contents(places=[row["place"]]), project_id=call.project.id)


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}/download",
    scope="files.read",
    name="getFileDownload",
    raises=(BucketNotFound, FileNotFound, RangeNotSatisfiable),
)
async def download(call: Call, bucket_id: str, file_id: str) -> Stream:
    """Download a file, or with a `Range` a part of it."""
    return await sent(call, await readable(call, bucket_id, file_id), inline=False)


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}/view",
    scope="files.read",
    name="getFileView",
    raises=(BucketNotFound, FileNotFound, RangeNotSatisfiable),
)
async def view(call: Call, bucket_id: str, file_id: str) -> Stream:
    """Show a file in the browser. What could run something there is sent to be saved instead."""
    return await sent(call, await readable(call, bucket_id, file_id), inline=True)
