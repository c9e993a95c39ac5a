"""Who is calling: the project that a request names, and the key, session or JWT that it brings."""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from freehold import secrets
from freehold.access import permissions, policies, roles, scopes
from freehold.access.roles import Membership
from freehold.config import Settings
from freehold.db.pool import Queries, Record
from freehold.errors import (
    BadRequest,
    ChallengeRequired,
    InvalidJwt,
    JwtAndCookieSet,
    KeyExpired,
    NotFound,
    ProjectNotFound,
    Unauthorized,
    UserBlocked,
)
from freehold.web import signing
from freehold.web.cache import Cache, Stamps
from freehold.web.request import Request

CONSOLE = "console"

_UNPRIVILEGED = roles.of_guest()


class NoAdminMode(BadRequest, type="general_bad_request"):
    """The console project has no admin mode. Leave X-Appwrite-Mode out, or name another project."""


class ImpersonationDenied(Unauthorized, type="user_unauthorized"):
    """Only a signed-in user with the capability `impersonator` acts for others. A server gives it with
    `users.updateImpersonator`."""


class ImpersonatedNotFound(NotFound, type="user_not_found"):
    """There is no such user to act for in this project."""


class Project(msgspec.Struct, frozen=True):
    """A project as far as a request needs it."""

    id: str
    realm: str
    """Its id and when it was made: what was cached of a deleted project is not of a new one with its id."""
    team_id: str
    settings: dict[str, Any]
    hostnames: tuple[str, ...]
    """Of its web platforms; may hold wildcards."""
    schemes: frozenset[str]

    def has_host(self, host: str) -> bool:
        """Tell whether a host name is one of the project's web platforms."""
        return any(_host_matches(host, pattern) for pattern in self.hostnames)

    def allows_origin(self, origin: str) -> bool:
        """Tell whether a browser page from this origin may call."""
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme in ("exp", f"appwrite-callback-{self.id}") or parts.scheme in self.schemes:
            return True
        if not host or parts.username is not None:
            return False
        return is_loopback(host) or self.has_host(host)


def _host_matches(host: str, pattern: str) -> bool:
    return host == pattern or ("*" in pattern and fnmatchcase(host, pattern.replace("[", "[[]")))


def is_loopback(host: str) -> bool:
    """Tell whether the host name is this machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Identity(msgspec.Struct, frozen=True):
    """A caller, and what it may do."""

    kind: Literal["guest", "user", "key", "admin"]
    scopes: frozenset[str]
    roles: frozenset[str]
    asks_read: list[str]
    """The permissions that would let the caller read; see `access.permissions.asks`."""
    user: Record | None = None
    """The row of freehold.users, of a user and of an admin."""
    impersonator: Record | None = None
    """The row of the user who acts for this one."""
    session_id: str = ""
    expires_at: float = float("inf")
    signed_in_at: float = 0.0
    challenged_at: float = 0.0
    """When the session last answered a challenge; 0 when it never has."""
    wants_factor: bool = False
    """Whether the user asks for two factors, and the session has shown one."""
    has_other_factor: bool = False
    """Whether the user has proven to have a factor that the session has not shown."""
    key_id: str = ""
    """Of an API key; of a user, that of the account key which acts for it."""
    organization_id: str = ""
    """Of an organization's key."""
    teams: tuple[Membership, ...] = ()
    answers: dict[str, bytes] = msgspec.field(default_factory=dict)
    """Encoded answers about the caller. They are right as long as this identity is."""

    @property
    def privileged(self) -> bool:
        """Keys and admins are held by their scopes alone; permissions are for the others."""
        return self.kind == "key" or self.kind == "admin"

    @property
    def in_person(self) -> bool:
        """Whether it is not somebody or something that acts for the user."""
        return self.impersonator is None and not (self.key_id and self.user is not None)

    @property
    def user_id(self) -> str:
        return self.user["id"] if self.user is not None else ""

    @property
    def impersonator_id(self) -> str:
        return self.impersonator["id"] if self.impersonator is not None else ""

    def scopes_in(self, organization_id: str, project_id: str = "") -> frozenset[str]:
        """What a console user may do in all projects of an organization, or in one of them."""
        if self.organization_id:
            return self.scopes if self.organization_id == organization_id else frozenset()
        return scopes.of_console_roles(self._roles_in(organization_id), project_id)

    def belongs_to(self, organization_id: str) -> bool:
        """Tell whether there is anything that a console user may do in an organization."""
        roles_there = self._roles_in(organization_id)
        return bool(self.scopes_in(organization_id)) or any(map(scopes.project_of, roles_there))

    def _roles_in(self, organization_id: str) -> list[str]:
        return [role for each in self.teams if each.team_id == organization_id for role in each.roles]

    @property
    def actor(self) -> str:
        """Who it was, for the outbox and the logs."""
        match self.kind:
            case "key":
                return f"key:{self.key_id}"
            case "guest":
                return "guest"
            case _:
                return f"{self.kind}:{self.impersonator_id or self.user_id}"

    def asks(self, permission: permissions.Permission) -> list[str]:
        return self.asks_read if permission == "read" else permissions.asks(permission, self.roles)


GUEST = Identity(
    kind="guest",
    scopes=scopes.GUEST,
    roles=_UNPRIVILEGED,
    asks_read=permissions.asks("read", _UNPRIVILEGED),
)


CHALLENGED_S = 1800
"""How long an answered challenge counts where one is asked for."""
RECENT_S = 600
"""How long who has signed in, or answered a challenge, counts as having done it just now."""


def lacks_factor(identity: Identity, project: Project) -> bool:
    """Tell whether the caller's session is only half a one: it has to answer a challenge first.

    A session whose user has no other factor to show is whole, or nobody could mend it.
    """
    if not identity.wants_factor:
        return False
    if identity.has_other_factor:
        return True
    return identity.kind == "user" and policies.of(project.settings).mfa_factors.custom


def must_be_challenged(identity: Identity) -> None:
    """Ask the caller's session for a challenge that was answered lately. Raises ChallengeRequired."""
    if identity.kind == "user" and time.time() - identity.challenged_at > CHALLENGED_S:
        raise ChallengeRequired()


def must_be_recent(identity: Identity) -> None:
    """Ask the caller to have signed in, or answered a challenge, just now. Raises ChallengeRequired."""
    if time.time() - max(identity.signed_in_at, identity.challenged_at) > RECENT_S:
        raise ChallengeRequired()


def user_tag(project_id: str, user_id: str) -> str:
    """The cache tag of a user: its row, its sessions and its memberships."""
    return f"user:{project_id}:{user_id}"


def project_tag(project_id: str) -> str:
    """The cache tag of a project: its row, its platforms and its keys."""
    return f"project:{project_id}"


ORIGINS_TAG = "origins"
"""The cache tag of all platforms of all projects taken together."""


def encode_session(user_id: str, secret: str) -> str:
    """A session as cookies and headers carry it."""
    return base64.b64encode(msgspec.json.encode({"id": user_id, "secret": secret})).decode()


class _SessionToken(msgspec.Struct):
    id: str
    secret: str


_session_decoder = msgspec.json.Decoder(_SessionToken)


def decode_session(text: str) -> tuple[str, str] | None:
    """The user id and the secret of a session; None when it is not one."""
    try:
        token = _session_decoder.decode(base64.b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        return None
    return token.id, token.secret


def cookie_name(project_id: str) -> str:
    return f"a_session_{project_id}"


_PROJECT_SQL = """
    select p.id, p.team_id, p.settings, p.created_at,
           array(select f.identifier from freehold.platforms f
                 where f.project_id = p.id and f.type = 'web') as hostnames,
           array(select f.identifier from freehold.platforms f
                 where f.project_id = p.id and f.type = 'scheme') as schemes
    from freehold.projects p
    where p.id = $1
"""

_KEY_SQL = """
    select id, scopes, expires_at,
           accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.keys
    where project_id = $1 and secret_digest = $2
"""

# When a key or a user was last seen is noted once a day.
_ACCESS_NOTED_S = 86400
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
_DEV_KEY_SQL = """
    select id, expires_at, accessed_at is null or accessed_at < now() - interval '1 day' as unnoted
    from freehold.dev_keys
    where project_id = $1 and secret_digest = $2
"""
_DEV_KEY_ACCESS_SQL = """
    update freehold.dev_keys
    set accessed_at = now(),
        sdks = case when $3 = '' or $3 = any(sdks) then sdks else sdks || $3 end
    where project_id = $1 and id = $2
"""
_USER_ACCESS_SQL = "update freehold.users set accessed_at = now() where project_id = $1 and id = $2"

_USER_SQL = """
    select u.id, u.name, u.email, u.phone, u.password_changed_at, u.enabled, u.labels, u.email_verified,
           u.phone_verified, u.mfa, u.prefs, u.accessed_at, u.created_at, u.updated_at, u.impersonator,
           {session},
           exists (select from freehold.authenticators a
                   where a.project_id = u.project_id and a.user_id = u.id and a.verified) as has_totp,
           coalesce((select jsonb_agg(jsonb_build_array(m.id, m.team_id, m.roles))
                     from freehold.memberships m
                     where m.project_id = u.project_id and m.user_id = u.id and m.confirmed),
                    '[]') as memberships
    from {source}
    where u.project_id = $1 and u.id = $2
"""
_IN_SESSION_SQL = _USER_SQL.format(
    session="s.id as session_id, s.expires_at, s.factors, s.mfa_at, s.created_at as signed_in_at",
    source="freehold.sessions s join freehold.users u on u.project_id = s.project_id and u.id = s.user_id",
)
_BY_SECRET_SQL = _IN_SESSION_SQL + " and s.secret_digest = $3 and s.expires_at > now()"
_BY_SESSION_SQL = _IN_SESSION_SQL + " and s.id = $3 and s.expires_at > now()"
_BY_ID_SQL = _USER_SQL.format(
    session="""'' as session_id, 'infinity'::timestamptz as expires_at, array[]::text[] as factors,
           null::timestamptz as mfa_at, 'epoch'::timestamptz as signed_in_at""",
    source="freehold.users u",
)

_TARGETS = (
    (b"x-appwrite-impersonate-user-id", "id = $2"),
    (b"x-appwrite-impersonate-user-email", "lower(email) = lower($2)"),
    (b"x-appwrite-impersonate-user-phone", "phone = $2"),
)
"""The headers that say whom one acts for, and how that user is found."""

_memberships_decoder = msgspec.json.Decoder(list[Membership])

_PREFIXES = re.compile(r"(standard|ephemeral|dynamic|account|organization)_(.+)", re.DOTALL)


_PLATFORM = ":platform"
"""Whom a JWT is for that is for no service; no project has such an id."""
_ROLES_BYTES = 1024


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


class Authenticator:
    """Resolves requests to projects and callers, remembering both as long as nothing about them changes."""

    def __init__(self, db: Queries, stamps: Stamps, settings: Settings) -> None:
        self._db = db
        self._endpoint = settings.endpoint
        self._ephemeral = OctKey.import_key(secrets.derive(settings.secret, "ephemeral keys"))
        self.signing = signing.SigningKeys(db, stamps, settings)
        self._projects: Cache[str, Project] = Cache(stamps, size=10_000, ttl_s=300)
        self._origins: Cache[str, Project] = Cache(stamps, size=1, ttl_s=300)
        self._callers: Cache[tuple[str, str, str], Identity] = Cache(stamps, size=50_000, ttl_s=300)
        self._account_keys: Cache[str, _AccountKey] = Cache(stamps, size=10_000, ttl_s=300)

    async def project(self, project_id: str) -> Project:
        """Find a project. Raises ProjectNotFound."""
        project = self._projects.get(project_id) or await self._projects.load(
            project_id, project_tag(project_id), lambda: self._find_project(project_id)
        )
        if project is None:
            raise ProjectNotFound(id=project_id[:100])
        return project

    async def _find_project(self, project_id: str) -> Project | None:
        row = await self._db.row(_PROJECT_SQL, project_id)
        if row is None:
            return None
        return Project(
            id=row["id"],
            realm=f"{row['id']}:{row['created_at'].timestamp()}",
            team_id=row["team_id"],
            settings=msgspec.json.decode(row["settings"]),
            hostnames=tuple(row["hostnames"]),
            schemes=frozenset(row["schemes"]),
        )

    async def is_known_origin(self, origin: str) -> bool:
        """Tell whether pages from this origin may call some project."""
        anywhere = await self._origins.load("", ORIGINS_TAG, self._find_origins)
        return anywhere is not None and anywhere.allows_origin(origin)

    async def _find_origins(self) -> Project:
        rows = await self._db.rows("select distinct type, identifier from freehold.platforms")
        ids = await self._db.rows("select id from freehold.projects")
        return Project(
            id=CONSOLE,
            realm=CONSOLE,
            team_id="",
            settings={},
            hostnames=tuple(row["identifier"] for row in rows if row["type"] == "web"),
            schemes=frozenset(row["identifier"] for row in rows if row["type"] == "scheme")
            | {f"appwrite-callback-{row['id']}" for row in ids},
        )

    async def caller(self, request: Request, project: Project, *, as_admin: bool = False) -> Identity:
        """Find out who calls. Unknown keys and sessions are guests, as on the reference server.

        `as_admin`: the session is one of the console, and the caller acts as a member of the project's
        organization. Raises KeyExpired, UserBlocked, InvalidJwt, JwtAndCookieSet, NoAdminMode,
        ImpersonationDenied, ImpersonatedNotFound.
        """
        target = _impersonated(request)
        key = request.headers.get(b"x-appwrite-key")
        if key and target is None:
            return await self._key(project, key.decode("latin-1"), request)
        if as_admin:
            if project.id == CONSOLE:
                raise NoAdminMode()
            if target is not None:
                raise ImpersonationDenied()
            return await self._admin(request, project)
        identity = await self._signed_in(request, project)
        return identity if target is None else await self._acting_for(project, identity, *target)

    async def _signed_in(self, request: Request, project: Project) -> Identity:
        token = session_token(request, project.id)
        presented_jwt = request.headers.get(b"x-appwrite-jwt")
        if presented_jwt:
            if token:
                raise JwtAndCookieSet()
            return await self._jwt(project, presented_jwt.decode("latin-1"))
        if not token:
            return GUEST
        return await self._session(project, token) or GUEST

    async def _acting_for(self, project: Project, identity: Identity, condition: str, value: str) -> Identity:
        if identity.user is None or not identity.user["impersonator"]:
            raise ImpersonationDenied()
        user_id = await self._db.value(
            f"select id from freehold.users where project_id = $1 and {condition}", project.id, value
        )
        other = await self._sessionless(project, user_id) if user_id is not None else None
        if other is None:
            raise ImpersonatedNotFound()
        return msgspec.structs.replace(
            _unblocked(other),
            scopes=scopes.USER,
            impersonator=identity.user,
            wants_factor=identity.wants_factor,
            has_other_factor=identity.has_other_factor,
            challenged_at=identity.challenged_at,
            signed_in_at=identity.signed_in_at,
            expires_at=identity.expires_at,
            answers={},
        )

    async def _sessionless(self, project: Project, user_id: str) -> Identity | None:
        async def find() -> Identity | None:
            row = await self._db.row(_BY_ID_SQL, project.id, user_id)
            # Who acts for somebody has shown its own factors, and a server needs none.
            return (
                msgspec.structs.replace(_user_identity(row), wants_factor=False) if row is not None else None
            )

        return await self._callers.load((project.realm, "user", user_id), user_tag(project.id, user_id), find)

    async def _session(self, project: Project, token: str) -> Identity | None:
        cached = self._callers.get((project.realm, "session", token))
        if cached is None:
            decoded = decode_session(token)
            if decoded is None:
                return None
            user_id, secret = decoded

            async def find() -> Identity | None:
                row = await self._db.row(_BY_SECRET_SQL, project.id, user_id, secrets.digest(secret))
                return await self._user(project, row) if row is not None else None

            cached = await self._callers.load(
                (project.realm, "session", token), user_tag(project.id, user_id), find
            )
        if cached is None or cached.expires_at <= time.time():
            return None
        return _unblocked(cached)

    async def _jwt(self, project: Project, text: str) -> Identity:
        claims = await self.signing.read(project, text)
        # Not whom it says to be of: another machine of ours may be known under another address. That it is
        # ours its key tells, which is of this project alone.
        if claims.aud not in (project.id, _PLATFORM):
            raise InvalidJwt()
        if not claims.session_id:
            return await self._by_server(project, claims)

        async def find() -> Identity | None:
            row = await self._db.row(_BY_SESSION_SQL, project.id, claims.user_id, claims.session_id)
            return await self._user(project, row) if row is not None else None

        identity = await self._callers.load(
            (project.realm, "jwt", f"{claims.user_id}:{claims.session_id}"),
            user_tag(project.id, claims.user_id),
            find,
        )
        if identity is None or identity.expires_at <= time.time():
            raise InvalidJwt()
        return _unblocked(identity)

    async def _by_server(self, project: Project, claims: signing.Claims) -> Identity:
        """Who a JWT is of that a server made without a session. It ends with the password of that time."""
        identity = await self._sessionless(project, claims.user_id)
        if identity is None or identity.user is None:
            raise InvalidJwt()
        if claims.password_update != _password_stamp(identity.user):
            raise InvalidJwt()
        return _unblocked(identity)

    async def jwt_of(self, project: Project, identity: Identity, duration_s: int) -> str:
        """A JWT that acts for a user for so many seconds, and ends with its session.

        The platform reads whose it is, and in which session; the services of others read the rest.
        """
        user, now = identity.user, int(time.time())
        assert user is not None
        # They cannot ask whether the user is blocked, or the session half a one: then it is not for them.
        is_whole = user["enabled"] and not lacks_factor(identity, project)
        claims: dict[str, Any] = {
            "iss": f"{self._endpoint}/projects/{project.id}",
            "aud": project.id if is_whole else _PLATFORM,
            "sub": user["id"],
            "iat": now,
            "exp": int(min(now + duration_s, identity.expires_at)),
            "userId": user["id"],
            "sessionId": identity.session_id,
            "email_verified": user["email_verified"],
            "phone_number_verified": user["phone_verified"],
            "roles": _fitting(user["labels"]),
        }
        if not identity.session_id:
            claims["passwordUpdate"] = _password_stamp(user)
        if len(identity.teams) == 1:
            (only,) = identity.teams
            claims["team"] = {"id": only.team_id, "roles": _fitting(only.roles)}
        return await self.signing.sign(project, claims)

    async def user_in(self, project: Project, user_id: str, session_id: str) -> Identity | None:
        """A user as the caller that it is in a session, or in none, where a server speaks for it."""
        if not session_id:
            return await self._sessionless(project, user_id)
        row = await self._db.row(_BY_SESSION_SQL, project.id, user_id, session_id)
        return _user_identity(row) if row is not None else None

    async def _user(self, project: Project, row: Record) -> Identity:
        accessed_at: datetime | None = row["accessed_at"]
        if accessed_at is None or time.time() - accessed_at.timestamp() > _ACCESS_NOTED_S:
            await self._db.run(_USER_ACCESS_SQL, project.id, row["id"])
        identity = _user_identity(row)
        if project.id != CONSOLE:
            return identity
        # On the console a user may ask for what some organization lets it do there; which one, the
        # endpoint knows.
        held = [role for each in identity.teams for role in each.roles]
        granted = scopes.of_console_roles(held)
        for project_id in {scopes.project_of(role) for role in held}:
            granted |= scopes.of_console_roles(held, project_id)
        wider = identity.scopes | (granted & scopes.OF_ITS_PROJECTS)
        return msgspec.structs.replace(identity, scopes=wider)

    async def _key(self, project: Project, text: str, request: Request) -> Identity:
        sdk = request.header(b"x-sdk-name")
        prefix = _PREFIXES.fullmatch(text)
        kind, secret = (prefix[1], prefix[2]) if prefix else ("standard", text)
        if kind in ("ephemeral", "dynamic"):
            return self._ephemeral_key(project, secret)
        if kind == "organization" and project.id == CONSOLE:
            return await self._organization_key(project, secret)
        if kind == "account" and project.id == CONSOLE:
            return await self._account_key(project, secret, request.header(b"x-appwrite-user"), sdk)
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
        if identity is None:
            return GUEST
        if identity.expires_at <= time.time():
            raise KeyExpired()
        return identity

    async def _organization_key(self, console: Project, secret: str) -> Identity:
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
        if identity is None:
            return GUEST
        if identity.expires_at <= time.time():
            raise KeyExpired()
        return identity

    async def _account_key(self, console: Project, secret: str, user_id: str, sdk: str) -> Identity:
        """The user for whom an account's key acts, who may be named beside it, within the key's scopes."""

        async def find() -> _AccountKey | None:
            row = await self._db.row(_ACCOUNT_KEY_SQL, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                await self._db.run(_ACCOUNT_KEY_ACCESS_SQL, row["user_id"], row["id"], sdk.lower()[:64])
            key = _key_identity(row)
            return _AccountKey(key.key_id, row["user_id"], key.scopes, key.expires_at)

        key = await self._account_keys.load(secret, project_tag(CONSOLE), find)
        if key is None or user_id not in ("", key.user_id):
            return GUEST
        if key.expires_at <= time.time():
            raise KeyExpired()
        identity = await self._sessionless(console, key.user_id)
        if identity is None:
            return GUEST
        return msgspec.structs.replace(
            _unblocked(identity), scopes=key.scopes, key_id=key.id, expires_at=key.expires_at, answers={}
        )

    async def has_dev_key(self, request: Request, project: Project) -> bool:
        """Tell whether the request brings a key for development of the project that has not expired."""
        text = request.header(b"x-appwrite-dev-key")
        if not text:
            return False
        secret = text.removeprefix("dev_")

        async def find() -> Identity | None:
            row = await self._db.row(_DEV_KEY_SQL, project.id, secrets.digest(secret))
            if row is None:
                return None
            if row["unnoted"]:
                sdk = request.header(b"x-sdk-name").lower()[:64]
                await self._db.run(_DEV_KEY_ACCESS_SQL, project.id, row["id"], sdk)
            return msgspec.structs.replace(GUEST, expires_at=row["expires_at"].timestamp())

        key = await self._callers.load((project.realm, "dev key", secret), project_tag(project.id), find)
        return key is not None and key.expires_at > time.time()

    def _ephemeral_key(self, project: Project, text: str) -> Identity:
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

    def new_ephemeral_key(self, project: Project, granted: list[str], duration_s: int) -> str:
        """A key with these scopes that holds for so many seconds. Nobody but us can read it."""
        key = _EphemeralKey(project.realm, frozenset(granted), int(time.time()) + duration_s)
        header = {"alg": "HS256", "typ": "JWT"}
        signed = jws.serialize_compact(
            header, msgspec.json.encode(key), self._ephemeral, algorithms=["HS256"]
        )
        return f"ephemeral_{signed}"

    async def _admin(self, request: Request, project: Project) -> Identity:
        console = await self.project(CONSOLE)
        token = session_token(request, CONSOLE)
        identity = await self._session(console, token) if token else None
        if identity is None:
            return GUEST
        granted = identity.scopes_in(project.team_id, project.id)
        if not granted:
            return GUEST
        return msgspec.structs.replace(identity, kind="admin", scopes=granted)


def _password_stamp(user: Record) -> float:
    """What a JWT without a session says of the password, so that it ends with it."""
    changed_at: datetime | None = user["password_changed_at"]
    return changed_at.timestamp() if changed_at is not None else 0


def _fitting(names: Sequence[str]) -> Sequence[str]:
    """Roles as a JWT has them, which goes into a header: all, or none when they are too many for that."""
    return names if sum(map(len, names)) + 3 * len(names) <= _ROLES_BYTES else ()


def _impersonated(request: Request) -> tuple[str, str] | None:
    """Whom the request wants to be answered as: how to find the user, and by which value."""
    for header, condition in _TARGETS:
        value = request.headers.get(header)
        if value:
            return condition, value.decode("latin-1")
    return None


def session_token(request: Request, project_id: str) -> str:
    """The session that a request brings: by cookie, by header, or by the fallback of the web SDK."""
    name = cookie_name(project_id)
    if b"cookie" in request.headers:
        cookies = request.cookies()
        found = cookies.get(name) or cookies.get(f"{name}_legacy")
        if found:
            return found
    header = request.headers.get(b"x-appwrite-session")
    if header:
        return header.decode("latin-1")
    fallback = request.headers.get(b"x-fallback-cookies")
    if fallback:
        try:
            value = msgspec.json.decode(fallback)
        except (msgspec.DecodeError, RecursionError):
            return ""
        if isinstance(value, dict):
            found = value.get(name) or value.get(f"{name}_legacy")
            if isinstance(found, str):
                return found
    return ""


def _unblocked(identity: Identity) -> Identity:
    if identity.user is not None and not identity.user["enabled"]:
        raise UserBlocked()
    return identity


def _user_identity(row: Record) -> Identity:
    memberships = tuple(_memberships_decoder.decode(row["memberships"]))
    held = roles.of_user(
        row["id"],
        verified=row["email_verified"] or row["phone_verified"],
        labels=row["labels"],
        memberships=memberships,
    )
    shown = frozenset(row["factors"])
    provable = {
        "email": row["email"] and row["email_verified"],
        "phone": row["phone"] and row["phone_verified"],
        "totp": row["has_totp"],
    }
    return Identity(
        kind="user",
        scopes=scopes.IMPERSONATOR if row["impersonator"] else scopes.USER,
        roles=held,
        asks_read=permissions.asks("read", held),
        user=row,
        session_id=row["session_id"],
        expires_at=row["expires_at"].timestamp(),
        signed_in_at=row["signed_in_at"].timestamp(),
        challenged_at=row["mfa_at"].timestamp() if row["mfa_at"] is not None else 0.0,
        wants_factor=row["mfa"] and len(shown) < 2,
        has_other_factor=any(has and name not in shown for name, has in provable.items()),
        teams=memberships,
    )


def _key_identity(row: Record) -> Identity:
    expires_at: datetime | None = row["expires_at"]
    return Identity(
        kind="key",
        scopes=scopes.KEY | frozenset(row["scopes"]),
        roles=frozenset(),
        asks_read=[],
        key_id=row["id"],
        expires_at=expires_at.astimezone(UTC).timestamp() if expires_at is not None else float("inf"),
    )
