"""API keys: of projects, organizations and accounts, and those that hold for a while."""

from __future__ import annotations

import re
import time
from datetime import datetime

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from freehold import secrets
from freehold.access import scopes
from freehold.db.pool import Queries, Record
from freehold.errors import KeyExpired
from freehold.web.cache import Cache, Stamps
from freehold.web.identity import GUEST, Callers, Identity, unblocked
from freehold.web.projects import CONSOLE, Project, project_tag
from freehold.web.request import Request
from freehold.web.users import Users


class ApiKeys:
    """Finds what comes with a key, and makes keys that are not stored."""

    def __init__(self, db: Queries, stamps: Stamps, users: Users, callers: Callers, *, secret: str) -> None:
        self._db = db
        self._users = users
        self._callers = callers
        self._accounts: Cache[str, _AccountKey] = Cache(stamps, size=10_000, ttl_s=300)
        self._ephemeral = OctKey.import_key(secrets.derive(secret, "ephemeral keys"))

    async def caller(self, project: Project, text: str, request: Request) -> Identity:
        """What a key is, or the user for whom it acts; a guest if there is none. Remembered.

        Raises KeyExpired, UserBlocked.
        """
        sdk = request.header(b"x-sdk-name")
        prefix = _PREFIXES.fullmatch(text)
        kind, secret = (prefix[1], prefix[2]) if prefix else ("standard", text)
        if kind in ("ephemeral", "dynamic"):
            return self._of_ephemeral(project, secret)
        if kind == "organization" and project.id == CONSOLE:
            return await self._of_organization(project, secret)
        if kind == "account" and project.id == CONSOLE:
            return await self._of_account(project, secret, request.header(b"x-appwrite-user"), sdk)
        if kind != "standard":
            return GUEST

        async def find() -> Identity | None:
            row = await self._db.row(_KEY_SQL, project.id, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                await self._db.run(_KEY_ACCESS_SQL, project.id, row["id"], sdk.lower()[:64])
            return _key_identity(row)

        identity = await self._callers.load((project.realm, "key", secret), project_tag(project.id), find)
        return _unexpired(identity) if identity is not None else GUEST

    def new_ephemeral(self, project: Project, granted: list[str], duration_s: int) -> str:
        """A key with these scopes that holds for so many seconds. Nobody but us can read it."""
        key = _EphemeralKey(project.realm, frozenset(granted), int(time.time()) + duration_s)
        header = {"alg": "HS256", "typ": "JWT"}
        signed = jws.serialize_compact(
            header, msgspec.json.encode(key), self._ephemeral, algorithms=["HS256"]
        )
        return f"ephemeral_{signed}"

    async def _of_organization(self, console: Project, secret: str) -> Identity:
        async def find() -> Identity | None:
            row = await self._db.row(_ORGANIZATION_KEY_SQL, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                await self._db.run(_ORGANIZATION_KEY_ACCESS_SQL, row["team_id"], row["id"])
            return msgspec.structs.replace(_key_identity(row), organization_id=row["team_id"])

        identity = await self._callers.load(
            (console.realm, "organization key", secret), project_tag(CONSOLE), find
        )
        return _unexpired(identity) if identity is not None else GUEST

    async def _of_account(self, console: Project, secret: str, user_id: str, sdk: str) -> Identity:
        """The user for whom an account's key acts, who may be named beside it, within the key's scopes."""

        async def find() -> _AccountKey | None:
            row = await self._db.row(_ACCOUNT_KEY_SQL, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                await self._db.run(_ACCOUNT_KEY_ACCESS_SQL, row["user_id"], row["id"], sdk.lower()[:64])
            key = _key_identity(row)
            return _AccountKey(key.key_id, row["user_id"], key.scopes, key.expires_at)

        key = await self._accounts.load(secret, project_tag(CONSOLE), find)
        if key is None or user_id not in ("", key.user_id):
            return GUEST
        if key.expires_at <= time.time():
            raise KeyExpired()
        identity = await self._users.without_session(console, key.user_id)
        if identity is None:
            return GUEST
        return msgspec.structs.replace(
            unblocked(identity), scopes=key.scopes, key_id=key.id, expires_at=key.expires_at, answers={}
        )

    def _of_ephemeral(self, project: Project, text: str) -> Identity:
        try:
            signed = jws.deserialize_compact(text, self._ephemeral, algorithms=["HS256"])
            key = _ephemeral_decoder.decode(signed.payload)
        except (JoseError, ValueError, msgspec.DecodeError):
            return GUEST
        if key.realm != project.realm or key.exp <= time.time():
            return GUEST
        return Identity(
            kind="key",
            scopes=scopes.KEY | (scopes.ALL_PROJECT & key.scopes),
            roles=frozenset(),
            asks_read=[],
            key_id="ephemeral",
            expires_at=key.exp,
        )


def _key_identity(row: Record) -> Identity:
    expires_at: datetime | None = row["expires_at"]
    return Identity(
        kind="key",
        scopes=scopes.KEY | frozenset(row["scopes"]),
        roles=frozenset(),
        asks_read=[],
        key_id=row["id"],
        expires_at=expires_at.timestamp() if expires_at is not None else float("inf"),
    )


def _unexpired(identity: Identity) -> Identity:
    if identity.expires_at <= time.time():
        raise KeyExpired()
    return identity


class _EphemeralKey(msgspec.Struct, frozen=True):
    """A key that is not stored anywhere."""

    realm: str
    """Rather than an id: the key of a deleted project is none of a new one with its id."""
    scopes: frozenset[str]
    exp: int


_ephemeral_decoder = msgspec.json.Decoder(_EphemeralKey)


class _AccountKey(msgspec.Struct, frozen=True):
    """A key that acts for a user of the console."""

    id: str
    user_id: str
    scopes: frozenset[str]
    expires_at: float


_PREFIXES = re.compile(r"(standard|ephemeral|dynamic|account|organization)_(.+)", re.DOTALL)

# When a key was last seen is noted once a day.
_KEY_SQL = """
    select id, scopes, expires_at,
           accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.keys
    where project_id = $1 and secret_digest = $2
"""
_KEY_ACCESS_SQL = """
    update freehold.keys
    set accessed_at = now(),
        sdks = case when $3 = '' or $3 = any(sdks) then sdks else sdks || $3 end
    where project_id = $1 and id = $2
"""
_ORGANIZATION_KEY_SQL = """
    select id, team_id, scopes, expires_at,
           accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.organization_keys
    where secret_digest = $1
"""
_ORGANIZATION_KEY_ACCESS_SQL = """
    update freehold.organization_keys set accessed_at = now() where team_id = $1 and id = $2
"""
_ACCOUNT_KEY_SQL = """
    select id, user_id, scopes, expires_at,
           accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.account_keys
    where secret_digest = $1
"""
_ACCOUNT_KEY_ACCESS_SQL = """
    update freehold.account_keys
    set accessed_at = now(),
        sdks = case when $3 = '' or $3 = any(sdks) then sdks else sdks || $3 end
    where user_id = $1 and id = $2
"""
