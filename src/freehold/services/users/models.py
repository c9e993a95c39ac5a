"""Shapes of users on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from freehold.db.pool import Record
from freehold.passwords.formats import Kept, ShaVersion
from freehold.passwords.formats import read as read_hash
from freehold.services.targets import Target, read_targets
from freehold.services.users.email_rules import is_corporate, is_disposable, is_free
from freehold.web.wire import (
    CustomId,
    Email,
    Id,
    Input,
    Labels,
    Metric,
    Name,
    NewPassword,
    Output,
    Password,
    Prefs,
    Resource,
    wire_time,
)

PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$(?!\n)"
Phone = Annotated[str, Meta(pattern=PHONE_PATTERN, description="As in E.164: +14155552671")]

Identifier = Annotated[str, Meta(min_length=1, max_length=255)]
"""What a target is reached by: an address, a number, or the token of a device."""


class AlgoArgon2(Output, kw_only=True):
    type: Literal["argon2"] = "argon2"
    memory_cost: int
    """In KiB."""
    time_cost: int
    threads: int


class AlgoBcrypt(Output, kw_only=True):
    type: Literal["bcrypt"] = "bcrypt"


class AlgoMd5(Output, kw_only=True):
    type: Literal["md5"] = "md5"


class AlgoPhpass(Output, kw_only=True):
    type: Literal["phpass"] = "phpass"


class AlgoScrypt(Output, kw_only=True):
    type: Literal["scrypt"] = "scrypt"
    cost_cpu: int
    cost_memory: int
    cost_parallel: int
    length: int


class AlgoScryptModified(Output, kw_only=True):
    type: Literal["scryptMod"] = "scryptMod"
    salt: str
    salt_separator: str
    signer_key: str


class AlgoSha(Output, kw_only=True):
    type: Literal["sha"] = "sha"


Algo = AlgoArgon2 | AlgoBcrypt | AlgoMd5 | AlgoPhpass | AlgoScrypt | AlgoScryptModified | AlgoSha


class User(Resource):
    name: str
    registration: str
    status: bool
    labels: list[str]
    password_update: str
    email: str
    phone: str
    email_verification: bool
    phone_verification: bool
    mfa: bool
    prefs: msgspec.Raw
    targets: list[Target]
    accessed_at: str
    email_canonical: str
    """The address of the mailbox itself, without the tags and dots that its provider ignores."""
    email_is_free: bool
    email_is_disposable: bool
    email_is_corporate: bool
    email_is_canonical: bool
    impersonator: bool
    """Whether the user may act for others."""
    impersonator_user_id: str = ""
    """Who acts for the user right now."""
    password: str | UnsetType = UNSET
    """Its hash; for keys and the console, as long as the user has one."""
    hash: str | UnsetType = UNSET
    """How it is hashed."""
    hash_options: Algo | UnsetType = UNSET


class UserList(Output):
    total: int
    users: list[User]


class UsageUsers(Output):
    range: str
    users_total: int
    sessions_total: int
    users: list[Metric]
    sessions: list[Metric]


class CreateUser(Input):
    user_id: CustomId
    email: Email | None = None
    phone: Phone | None = None
    password: NewPassword | None = None
    name: Name = ""


class ImportUser(Input, kw_only=True):
    """A user whose password another system has hashed."""

    user_id: CustomId
    email: Email
    password: Password
    """Its hash."""
    name: Name = ""


class ImportShaUser(ImportUser, kw_only=True):
    password_version: ShaVersion = "sha3-512"  # noqa: S105


class ImportScryptUser(ImportUser, kw_only=True):
    password_salt: Annotated[str, Meta(max_length=128)]
    password_cpu: int
    password_memory: int
    password_parallel: int
    password_length: int


class ImportScryptModifiedUser(ImportUser, kw_only=True):
    password_salt: Annotated[str, Meta(max_length=128)]
    password_salt_separator: Annotated[str, Meta(max_length=128)]
    password_signer_key: Annotated[str, Meta(max_length=128)]


class CreateTarget(Input):
    target_id: CustomId
    provider_type: Literal["email", "sms", "push"]
    identifier: Identifier
    provider_id: Id | None = None
    name: Name = ""


class UpdateTarget(Input):
    identifier: Identifier | None = None
    provider_id: Id | None = None
    name: Name | None = None


class UpdateStatus(Input):
    status: bool


class UpdateName(Input):
    name: Name


class UpdateEmail(Input):
    email: Email
    """Empty: the user has none any more."""


class UpdatePhone(Input):
    number: Annotated[str, Meta(pattern=rf"^$|{PHONE_PATTERN}", description="As in E.164, or empty for none")]


class UpdatePassword(Input):
    password: Annotated[str, Meta(max_length=256)]
    """Empty: the user has none any more."""


class UpdatePrefs(Input):
    prefs: Prefs


class UpdateEmailVerification(Input):
    email_verification: bool


class UpdatePhoneVerification(Input):
    phone_verification: bool


class UpdateImpersonator(Input):
    impersonator: bool


class CreateToken(Input):
    length: Annotated[int, Meta(ge=4, le=128)] = 6
    """Of the secret, in characters."""
    expire: Annotated[int, Meta(ge=60, le=31_536_000)] = 900
    """In seconds."""


class CreateJwt(Input):
    session_id: Id = "recent"
    duration: Annotated[int, Meta(ge=0, le=3600)] = 900
    """In seconds."""


class ListSessionsQuery(Input):
    total: bool = True


class UpdateLabels(Input):
    labels: Labels


def as_user(row: Record, *, impersonator_id: str = "") -> User:
    """A row of freehold.users as the wire has it, without anything of its password."""
    email = row["email"] or ""
    return User(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        name=row["name"],
        registration=wire_time(row["created_at"]),
        status=row["enabled"],
        labels=row["labels"],
        password_update=wire_time(row["password_changed_at"]),
        email=email,
        phone=row["phone"] or "",
        email_verification=row["email_verified"],
        phone_verification=row["phone_verified"],
        mfa=row["mfa"],
        prefs=row["prefs"],
        targets=read_targets(row["targets"]),
        accessed_at=wire_time(row["accessed_at"]),
        email_canonical=row["email_canonical"] or "",
        email_is_free=is_free(email),
        email_is_disposable=is_disposable(email),
        email_is_corporate=is_corporate(email),
        email_is_canonical=bool(email) and row["email_canonical"] == email.lower(),
        impersonator=row["impersonator"],
        impersonator_user_id=impersonator_id,
    )


def with_hash(user: User, row: Record) -> User:
    """The user with its password's hash, as keys and the console are shown it. For no event."""
    if row["password_hash"] is None:
        return user
    kept = read_hash(row["password_hash"])
    algo = _algo(kept)
    return msgspec.structs.replace(user, password=kept.hash, hash=algo.type, hash_options=algo)


def _algo(kept: Kept) -> Algo:
    options = kept.options
    match kept.format:
        case "argon2":
            return AlgoArgon2(
                memory_cost=int(options["m"]), time_cost=int(options["t"]), threads=int(options["p"])
            )
        case "scrypt":
            return AlgoScrypt(
                cost_cpu=int(options["n"]),
                cost_memory=int(options["r"]),
                cost_parallel=int(options["p"]),
                length=int(options["l"]),
            )
        case "scrypt-modified":
            return AlgoScryptModified(salt=options["s"], salt_separator=options["b"], signer_key=options["k"])
        case _:
            return _PLAIN[kept.format]()


_PLAIN: dict[str, type[AlgoBcrypt | AlgoMd5 | AlgoPhpass | AlgoSha]] = {
    "bcrypt": AlgoBcrypt,
    "md5": AlgoMd5,
    "phpass": AlgoPhpass,
    "sha": AlgoSha,
}
