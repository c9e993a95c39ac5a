"""Endpoints of buckets."""

from __future__ import annotations

from typing import Any

from freehold import ids, jobs
from freehold.config import size_text
from freehold.db.pool import Record
from freehold.errors import InvalidParameter
from freehold.providers.blobs import new_folder
from freehold.services.storage import store
from freehold.services.storage.access import checked_permissions
from freehold.services.storage.cleanup import DELETE_CONTENTS, Contents
from freehold.services.storage.errors import BucketAlreadyExists, BucketNotFound
from freehold.services.storage.models import Bucket, BucketList, CreateBucket, UpdateBucket
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import SearchQuery, wire_time

routes = Routes("storage")


@routes.get("/v1/storage/buckets", scope="buckets.read")
async def list_buckets(call: Call, query: SearchQuery) -> BucketList:
    """List buckets."""
    found = await store.fetch_buckets(
        call.db, call.project.id, query.queries, search=query.search, total=query.total
    )
    return BucketList(total=found.total, buckets=[_as_bucket(call, row) for row in found.rows])


@routes.post(
    "/v1/storage/buckets",
    scope="buckets.write",
    event="buckets.[bucketId].create",
    status=201,
    raises=(BucketAlreadyExists,),
)
async def create_bucket(call: Call, body: CreateBucket) -> Bucket:
    """Create a bucket. Without permissions only keys and the console reach its files."""
    values = _values(call, body)
    bucket_id = ids.resolve(body.bucket_id)
    return _as_bucket(
        call, await store.create_bucket(call.db, call.project.id, bucket_id, new_folder(), values)
    )


@routes.get("/v1/storage/buckets/{bucketId}", scope="buckets.read", raises=(BucketNotFound,))
async def get_bucket(call: Call, bucket_id: str) -> Bucket:
    """Get a bucket."""
    row = await store.read_bucket(call.db, call.project.id, bucket_id)
    if row is None:
        raise BucketNotFound(id=bucket_id)
    return _as_bucket(call, row)


@routes.put(
    "/v1/storage/buckets/{bucketId}",
    scope="buckets.write",
    event="buckets.[bucketId].update",
    raises=(BucketNotFound,),
)
async def update_bucket(call: Call, bucket_id: str, body: UpdateBucket) -> Bucket:
    """Change a bucket. What is not said is as in a new one, but for permissions and description."""
    row = await store.update_bucket(call.db, call.project.id, bucket_id, _values(call, body))
    if row is None:
        raise BucketNotFound(id=bucket_id)
    return _as_bucket(call, row)


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
    call.tells(_as_bucket(call, row))
    await jobs.enqueue(
        call.db, DELETE_CONTENTS, Contents(folders=[row["folder"]]), project_id=call.project.id
    )


def _values(call: Call, body: UpdateBucket) -> dict[str, Any]:
    """What is kept of a bucket. Raises InvalidParameter."""
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
        "transformations": body.transformations,
        "compression": body.compression,
        "encryption": body.encryption,
        "antivirus": body.antivirus,
        "strip_metadata": body.strip_metadata,
        "allowed_extensions": [each.removeprefix(".").lower() for each in body.allowed_file_extensions],
    }


def _as_bucket(call: Call, row: Record) -> Bucket:
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
        transformations=row["transformations"],
        compression=row["compression"],
        encryption=row["encryption"],
        # Nobody is to rely on a scanner that there is not.
        antivirus=row["antivirus"] and bool(call.app.settings.clamav),
        strip_metadata=row["strip_metadata"],
    )
