"""Who may do what to the files of a bucket."""

from __future__ import annotations

from collections.abc import Iterable

from freehold.access import permissions
from freehold.access.permissions import InvalidPermission, Permission
from freehold.db.pool import Record
from freehold.errors import InvalidParameter, RoleNotHeld, UserUnauthorized
from freehold.services.storage import store, tokens
from freehold.services.storage.errors import BucketNotFound, FileNotFound
from freehold.web.call import Call


async def bucket_of(call: Call, bucket_id: str) -> Record:
    """The bucket that files are asked of. One that is switched off is there for keys and admins only."""
    bucket = await store.find_bucket(call.db, call.project.id, bucket_id)
    if bucket is None or not (bucket["enabled"] or call.identity.privileged):
        raise BucketNotFound(id=bucket_id)
    return bucket


def may(call: Call, bucket: Record, permission: Permission, file: Record | None = None) -> bool:
    """Whether the bucket lets the caller do this, or the file itself where files have a say."""
    asks = call.asks(permission)
    if asks is None or not set(asks).isdisjoint(bucket["permissions"]):
        return True
    return file is not None and bucket["file_security"] and not set(asks).isdisjoint(file["permissions"])


async def file_of(call: Call, bucket_id: str, file_id: str) -> Record:
    """A file, whoever asks. Raises BucketNotFound, FileNotFound."""
    await bucket_of(call, bucket_id)
    file = await store.find_file(call.db, call.project.id, bucket_id, file_id)
    if file is None:
        raise FileNotFound(id=file_id)
    return file


async def readable(call: Call, bucket_id: str, file_id: str, *, token: str = "") -> Record:
    """A file that the caller may read, or has a token of. Any other is not found. Raises TokenExpired."""
    return await readable_of(call, await bucket_of(call, bucket_id), file_id, token=token)


async def readable_of(call: Call, bucket: Record, file_id: str, *, token: str = "") -> Record:
    """The same, of a bucket that was found."""
    file = await store.find_file(call.db, call.project.id, bucket["id"], file_id)
    if file is None or not (may(call, bucket, "read", file) or await tokens.open_it(call, file, token)):
        raise FileNotFound(id=file_id)
    return file


async def changeable(call: Call, bucket: Record, file_id: str, permission: Permission) -> Record:
    """A file that the caller may change or delete. Raises FileNotFound, UserUnauthorized."""
    file = await store.find_file(call.db, call.project.id, bucket["id"], file_id)
    if file is None:
        raise FileNotFound(id=file_id)
    if not may(call, bucket, permission, file):
        raise UserUnauthorized()
    return file


def checked_permissions(call: Call, granted: list[str] | None, *, of_bucket: bool = False) -> list[str]:
    """The permissions that a caller gives; a user that says nothing may read and change what it made.

    Raises InvalidParameter, RoleNotHeld.
    """
    if granted is None:
        return permissions.own(call.identity.user_id) if call.identity.kind == "user" else []
    allowed = permissions.TABLE_PERMISSIONS if of_bucket else permissions.ROW_PERMISSIONS
    try:
        spelled = permissions.parse(granted, allowed)
    except InvalidPermission as error:
        raise InvalidParameter(name="permissions", reason=str(error)) from error
    if not call.identity.privileged:
        foreign = permissions.foreign_role(spelled, call.identity.roles)
        if foreign is not None:
            raise RoleNotHeld(role=foreign)
    return spelled


async def readers(call: Call, bucket_id: str, granted: Iterable[str]) -> frozenset[str]:
    """The permissions that let somebody read a file that has these; see `permissions.asks`."""
    bucket = await store.find_bucket(call.db, call.project.id, bucket_id)
    if bucket is None or not bucket["enabled"]:
        return frozenset()
    return frozenset(bucket["permissions"]) | frozenset(granted if bucket["file_security"] else ())
