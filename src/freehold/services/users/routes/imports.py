"""Endpoints that take over users of another system, with the passwords that it has hashed.

The project's password policies cannot hold for what nobody here knows; they do when it is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from freehold import ids
from freehold.errors import InvalidParameter
from freehold.passwords import formats
from freehold.services.users import email_rules, store
from freehold.services.users.errors import EMAIL_ERRORS, UserAlreadyExists
from freehold.services.users.models import (
    ImportScryptModifiedUser,
    ImportScryptUser,
    ImportShaUser,
    ImportUser,
    User,
)
from freehold.services.users.routes.changes import changed
from freehold.web.call import Call
from freehold.web.endpoint import Routes

routes = Routes("users", raises=(UserAlreadyExists, *EMAIL_ERRORS))

_EVENT = "users.[userId].create"


@routes.post("/v1/users/argon2", scope="users.write", event=_EVENT, status=201, name="createArgon2User")
async def create_argon2_user(call: Call, body: ImportUser) -> User:
    """Create a user whose password is hashed with Argon2."""
    with _refusing():
        kept = formats.argon2_hash(body.password)
    return await _take_over(call, body, kept)


@routes.post("/v1/users/bcrypt", scope="users.write", event=_EVENT, status=201)
async def create_bcrypt_user(call: Call, body: ImportUser) -> User:
    """Create a user whose password is hashed with bcrypt."""
    with _refusing():
        kept = formats.bcrypt_hash(body.password)
    return await _take_over(call, body, kept)


@routes.post("/v1/users/md5", scope="users.write", event=_EVENT, status=201, name="createMD5User")
async def create_md5_user(call: Call, body: ImportUser) -> User:
    """Create a user whose password is hashed with MD5."""
    with _refusing():
        kept = formats.md5_hash(body.password)
    return await _take_over(call, body, kept)


@routes.post("/v1/users/phpass", scope="users.write", event=_EVENT, status=201, name="createPHPassUser")
async def create_phpass_user(call: Call, body: ImportUser) -> User:
    """Create a user whose password is hashed with PHPass, as of WordPress."""
    with _refusing():
        kept = formats.phpass_hash(body.password)
    return await _take_over(call, body, kept)


@routes.post("/v1/users/scrypt", scope="users.write", event=_EVENT, status=201)
async def create_scrypt_user(call: Call, body: ImportScryptUser) -> User:
    """Create a user whose password is hashed with scrypt. The salt is text, the hash hexadecimal digits."""
    with _refusing():
        kept = formats.scrypt_hash(
            body.password,
            salt=body.password_salt,
            cpu=body.password_cpu,
            memory=body.password_memory,
            parallel=body.password_parallel,
            length=body.password_length,
        )
    return await _take_over(call, body, kept)


@routes.post("/v1/users/scrypt-modified", scope="users.write", event=_EVENT, status=201)
async def create_scrypt_modified_user(call: Call, body: ImportScryptModifiedUser) -> User:
    """Create a user whose password is hashed with Firebase's scrypt. All parts are base64."""
    with _refusing():
        kept = formats.scrypt_modified_hash(
            body.password,
            salt=body.password_salt,
            separator=body.password_salt_separator,
            signer_key=body.password_signer_key,
        )
    return await _take_over(call, body, kept)


@routes.post("/v1/users/sha", scope="users.write", event=_EVENT, status=201, name="createSHAUser")
async def create_sha_user(call: Call, body: ImportShaUser) -> User:
    """Create a user whose password is hashed with SHA, by default SHA3-512."""
    with _refusing():
        kept = formats.sha_hash(body.password, body.password_version)
    return await _take_over(call, body, kept)


@contextmanager
def _refusing() -> Iterator[None]:
    """Say of a hash that cannot be used that the parameter is wrong. Raises InvalidParameter."""
    try:
        yield
    except formats.UnusableHash as error:
        raise InvalidParameter(name="password", reason=str(error)) from error


async def _take_over(call: Call, body: ImportUser, kept: str) -> User:
    new = store.NewUser(
        id=ids.resolve(body.user_id),
        name=body.name,
        email=await email_rules.admitted_email(call, body.email),
        password_hash=kept,
    )
    return changed(call, await store.create(call.db, call.project.id, new))
