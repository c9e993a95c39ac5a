"""Who calls: which of the credentials that a request brings counts, and for whom somebody else may act."""

from __future__ import annotations

import msgspec

from freehold.access import scopes
from freehold.config import Settings
from freehold.db.pool import Queries
from freehold.errors import BadRequest, JwtAndCookieSet, NotFound, Unauthorized
from freehold.web.api_keys import ApiKeys
from freehold.web.cache import Cache, Stamps
from freehold.web.identity import GUEST, Callers, Identity, unblocked
from freehold.web.jwts import Jwts
from freehold.web.projects import CONSOLE, Project, Projects
from freehold.web.request import Request
from freehold.web.sessions import Sessions, session_token
from freehold.web.signing import SigningKeys
from freehold.web.users import Users


class NoAdminMode(BadRequest, type="general_bad_request"):
    """The console project has no admin mode. Leave X-Appwrite-Mode out, or name another project."""


class ImpersonationDenied(Unauthorized, type="user_unauthorized"):
    """Only a signed-in user with the capability `impersonator` acts for others. A server gives it with
    `users.updateImpersonator`."""


class ImpersonatedNotFound(NotFound, type="user_not_found"):
    """There is no such user to act for in this project."""


class Authenticator:
    """Resolves requests to callers, remembering them as long as nothing about them changes."""

    def __init__(self, db: Queries, stamps: Stamps, settings: Settings, projects: Projects) -> None:
        callers: Callers = Cache(stamps, size=50_000, ttl_s=300)
        self._db = db
        self._projects = projects
        self.signing = SigningKeys(db, stamps, settings)
        self.users = Users(db, callers)
        self.api_keys = ApiKeys(db, stamps, self.users, callers, secret=settings.secret)
        self.jwts = Jwts(self.users, self.signing, callers, endpoint=settings.endpoint)
        self._sessions = Sessions(self.users, callers)

    async def caller(self, request: Request, project: Project, *, as_admin: bool = False) -> Identity:
        """Find out who calls. Unknown keys and sessions are guests, as on the reference server.

        `as_admin`: the session is one of the console, and the caller acts as a member of the project's
        organization. Raises KeyExpired, UserBlocked, InvalidJwt, JwtAndCookieSet, NoAdminMode,
        ImpersonationDenied, ImpersonatedNotFound.
        """
        target = _impersonated(request)
        key = request.headers.get(b"x-appwrite-key")
        if key and target is None:
            return await self.api_keys.caller(project, key.decode("latin-1"), request)
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
            return await self.jwts.caller(project, presented_jwt.decode("latin-1"))
        if not token:
            return GUEST
        return await self._sessions.caller(project, token) or GUEST

    async def _acting_for(self, project: Project, identity: Identity, condition: str, value: str) -> Identity:
        if identity.user is None or not identity.user["impersonator"]:
            raise ImpersonationDenied()
        user_id = await self._db.value(
            f"select id from freehold.users where project_id = $1 and {condition}", project.id, value
        )
        other = await self.users.without_session(project, user_id) if user_id is not None else None
        if other is None:
            raise ImpersonatedNotFound()
        return msgspec.structs.replace(
            unblocked(other),
            scopes=scopes.USER,
            impersonator=identity.user,
            wants_factor=identity.wants_factor,
            has_other_factor=identity.has_other_factor,
            challenged_at=identity.challenged_at,
            signed_in_at=identity.signed_in_at,
            expires_at=identity.expires_at,
            answers={},
        )

    async def _admin(self, request: Request, project: Project) -> Identity:
        console = await self._projects.find(CONSOLE)
        token = session_token(request, CONSOLE)
        identity = await self._sessions.caller(console, token) if token else None
        if identity is None:
            return GUEST
        granted = identity.scopes_in(project.team_id, project.id)
        if not granted:
            return GUEST
        return msgspec.structs.replace(identity, kind="admin", scopes=granted)


def _impersonated(request: Request) -> tuple[str, str] | None:
    """Whom the request wants to be answered as: how to find the user, and by which value."""
    for header, condition in _TARGETS:
        value = request.headers.get(header)
        if value:
            return condition, value.decode("latin-1")
    return None


_TARGETS = (
    (b"x-appwrite-impersonate-user-id", "id = $2"),
    (b"x-appwrite-impersonate-user-email", "lower(email) = lower($2)"),
    (b"x-appwrite-impersonate-user-phone", "phone = $2"),
)
"""The headers that say whom one acts for, and how that user is found."""
