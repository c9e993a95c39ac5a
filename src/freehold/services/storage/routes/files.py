"""Endpoints of files. Contents are also sent to whoever brings a token of the file."""

from __future__ import annotations

from freehold import jobs
from freehold.errors import UserUnauthorized
from freehold.services.storage import store, tokens, uploads
from freehold.services.storage.access import (
    bucket_of,
    changeable,
    checked_permissions,
    may,
    readable,
    readable_of,
)
from freehold.services.storage.cleanup import DELETE_CONTENTS, Contents
from freehold.services.storage.errors import (
    BucketNotFound,
    FileAlreadyExists,
    FileNotFound,
    FileTooLarge,
    FileTypeUnsupported,
    ImageNotShown,
    InvalidContentRange,
    InvalidUploadId,
    RangeNotSatisfiable,
    TokenExpired,
    TransformationsDisabled,
)
from freehold.services.storage.files import as_file, sent
from freehold.services.storage.models import (
    ContentsQuery,
    CreateFile,
    File,
    FileList,
    PreviewQuery,
    PushQuery,
    UpdateFile,
)
from freehold.services.storage.names import checked_name, must_be_allowed
from freehold.services.storage.previews import preview
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import SearchQuery, Stream

routes = Routes("storage")

_WRITES = limit("60/60s", key="ip:{ip},method:{method},url:{url},userId:{userId}")
_UPLOADS = limit("60/60s", key="ip:{ip},method:{method},url:{url},userId:{userId},chunkId:{chunkId}")


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
    status_again=200,
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
    raises=(BucketNotFound, FileNotFound, RangeNotSatisfiable, TokenExpired),
)
async def download(call: Call, bucket_id: str, file_id: str, query: ContentsQuery) -> Stream:
    """Download a file, or with a `Range` a part of it."""
    return await sent(call, await readable(call, bucket_id, file_id, token=query.token), inline=False)


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}/view",
    scope="files.read",
    name="getFileView",
    raises=(BucketNotFound, FileNotFound, RangeNotSatisfiable, TokenExpired),
)
async def view(call: Call, bucket_id: str, file_id: str, query: ContentsQuery) -> Stream:
    """Show a file in the browser. What could run something there is sent to be saved instead."""
    return await sent(call, await readable(call, bucket_id, file_id, token=query.token), inline=True)


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}/push",
    scope="public",
    name="getFileForPushNotification",
    raises=(BucketNotFound, FileNotFound, RangeNotSatisfiable),
)
async def push(call: Call, bucket_id: str, file_id: str, query: PushQuery) -> Stream:
    """Show the picture of a push message, to the devices that got it."""
    bucket = await bucket_of(call, bucket_id)
    file = await store.find_file(call.db, call.project.id, bucket["id"], file_id)
    if file is None or not tokens.opens_push(call, file, query.jwt):
        raise FileNotFound(id=file_id)
    return await sent(call, file, inline=True)


@routes.get(
    "/v1/storage/buckets/{bucketId}/files/{fileId}/preview",
    scope="files.read",
    name="getFilePreview",
    raises=(BucketNotFound, FileNotFound, ImageNotShown, TokenExpired, TransformationsDisabled),
)
async def get_preview(call: Call, bucket_id: str, file_id: str, query: PreviewQuery) -> Stream:
    """Show a file as an image of another size or format; one that is no image as a sheet of paper."""
    bucket = await bucket_of(call, bucket_id)
    file = await readable_of(call, bucket, file_id, token=query.token)
    if not bucket["transformations"]:
        raise TransformationsDisabled()
    return await preview(call, file, query)
