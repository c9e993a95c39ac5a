"""JWTs of users: what they say, and whom they let act."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from freehold.db.pool import Record
from freehold.errors import InvalidJwt
from freehold.web.identity import Callers, Identity, lacks_factor, unblocked
from freehold.web.projects import Project
from freehold.web.signing import Claims, SigningKeys
from freehold.web.users import Users, user_tag

_PLATFORM = ":platform"
"""Whom a JWT is for that is for no service; no project has such an id."""
_ROLES_BYTES = 1024


class Jwts:
    """Makes JWTs of users, and finds who comes with one."""

    def __init__(self, users: Users, signing: SigningKeys, callers: Callers, *, endpoint: str) -> None:
        self._users = users
        self._signing = signing
        self._callers = callers
        self._endpoint = endpoint

    async def caller(self, project: Project, text: str) -> Identity:
        """Who a JWT lets act. Remembered. Raises InvalidJwt, UserBlocked."""
        claims = await self._signing.read(project, text)
        # Not whom it says to be of: another machine of ours may be known under another address. That it is
        # ours its key tells, which is of this project alone.
        if claims.aud not in (project.id, _PLATFORM):
            raise InvalidJwt()
        if not claims.session_id:
            return await self._by_server(project, claims)
        identity = await self._callers.load(
            (project.realm, "jwt", f"{claims.user_id}:{claims.session_id}"),
            user_tag(project.id, claims.user_id),
            lambda: self._users.by_session(project, claims.user_id, claims.session_id),
        )
        if identity is None or identity.expires_at <= time.time():
            raise InvalidJwt()
        return unblocked(identity)

    async def issue(self, project: Project, identity: Identity, duration_s: int) -> str:
        """A JWT that acts for a user for so many seconds, and ends with its session. Raises SigningKeySealed.

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
        return await self._signing.sign(project, claims)

    async def _by_server(self, project: Project, claims: Claims) -> Identity:
        """Who a JWT is of that a server made without a session. It ends with the password of that time."""
        identity = await self._users.without_session(project, claims.user_id)
        if identity is None or identity.user is None:
            raise InvalidJwt()
        if claims.password_update != _password_stamp(identity.user):
            raise InvalidJwt()
        return unblocked(identity)


def _password_stamp(user: Record) -> float:
    """What a JWT without a session says of the password, so that it ends with it."""
    changed_at: datetime | None = user["password_changed_at"]
    return changed_at.timestamp() if changed_at is not None else 0


def _fitting(names: Sequence[str]) -> Sequence[str]:
    """Roles as a JWT has them, which goes into a header: all, or none when they are too many for that."""
    return names if sum(map(len, names)) + 3 * len(names) <= _ROLES_BYTES else ()
