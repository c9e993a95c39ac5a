"""Shapes of buckets and files on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from freehold.providers.images import MAX_SIDE, Gravity
from freehold.providers.images import Output as ImageFormat
from freehold.web.multipart import Upload
from freehold.web.wire import CustomId, Description, Input, Metric, Name, Output, Permissions, Resource

MAXIMUM_FILE_SIZE = 30_000_000
"""Of a bucket that says nothing of it."""

Extension = Annotated[str, Meta(max_length=64)]


class Bucket(Resource, kw_only=True):
    permissions: list[str] = field(name="$permissions")
    file_security: bool
    name: str
    description: str
    enabled: bool
    maximum_file_size: int
    allowed_file_extensions: list[str]
    total_size: int
    compression: str
    encryption: bool
    antivirus: bool
    transformations: bool
    strip_metadata: bool


class BucketList(Output):
    total: int
    buckets: list[Bucket]


class File(Resource, kw_only=True):
    bucket_id: str
    permissions: list[str] = field(name="$permissions")
    name: str
    folder: str
    key: str
    signature: str
    mime_type: str
    size_original: int
    size_actual: int
    chunks_total: int
    chunks_uploaded: int
    encryption: bool
    compression: str


class FileList(Output):
    total: int
    files: list[File]


class UpdateBucket(Input, kw_only=True):
    name: Name
    permissions: Permissions | None = None
    file_security: bool = False
    enabled: bool = True
    maximum_file_size: Annotated[int, Meta(ge=1)] = MAXIMUM_FILE_SIZE
    allowed_file_extensions: Annotated[list[Extension], Meta(max_length=100)] = []
    compression: Literal["none", "gzip", "zstd"] = "none"
    encryption: bool = True
    antivirus: bool = True
    transformations: bool = True
    description: Description | None = None
    strip_metadata: bool = False


class CreateBucket(UpdateBucket, kw_only=True):
    bucket_id: CustomId


class CreateFile(Input):
    file_id: CustomId
    file: Upload
    permissions: Permissions | None = None
    folder: Annotated[str, Meta(max_length=512)] = ""


class UpdateFile(Input):
    name: Name | None = None
    permissions: Permissions | None = None


class ContentsQuery(Input):
    """The query string of what sends a file's contents."""

    token: Annotated[str, Meta(max_length=512, description="A token of the file")] = ""


Color = Annotated[str, Meta(pattern=r"^(?:#?[0-9a-fA-F]{6})?$(?!\n)", description="Six hex digits")]
Side = Annotated[int, Meta(ge=0, le=MAX_SIDE)]


class PreviewQuery(ContentsQuery):
    """The query string of a preview. A side that is 0 follows the other one."""

    width: Side = 0
    height: Side = 0
    gravity: Gravity = "center"
    quality: Annotated[int, Meta(ge=-1, le=100)] = -1
    border_width: Annotated[int, Meta(ge=0, le=100)] = 0
    border_color: Color = ""
    border_radius: Side = 0
    opacity: Annotated[float, Meta(ge=0, le=1)] = 1.0
    rotation: Annotated[int, Meta(ge=-360, le=360)] = 0
    background: Color = ""
    output: ImageFormat | None = None


class PushQuery(Input):
    """The query string of a picture in a push message."""

    jwt: Annotated[str, Meta(max_length=2048, description="What the message was sent with")] = ""


class UsageStorage(Output):
    range: str
    buckets_total: int
    files_total: int
    files_storage_total: int
    """In bytes, as they were uploaded."""
    buckets: list[Metric]
    files: list[Metric]
    storage: list[Metric]


class UsageBuckets(Output):
    range: str
    files_total: int
    files_storage_total: int
    """In bytes, as they were uploaded."""
    files: list[Metric]
    storage: list[Metric]


class ResourceToken(Output):
    """What opens the contents of one file to whoever has it."""

    id: str = field(name="$id")
    created_at: str = field(name="$createdAt")
    resource_id: str
    """The bucket and the file, with a colon between."""
    resource_type: str
    expire: str
    secret: str
    accessed_at: str


class ResourceTokenList(Output):
    total: int
    tokens: list[ResourceToken]


class SayToken(Input):
    expire: datetime | None = None
