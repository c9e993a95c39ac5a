"""Callers: who it is, what that may do, and how sure we are of it."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from freehold.access import permissions, policies, roles, scopes
from freehold.access.roles import Membership
from freehold.db.pool import Record
from freehold.errors import ChallengeRequired, UserBlocked
from freehold.web.cache import Cache
from freehold.web.projects import Project

_CHALLENGED_S = 1800
"""How long an answered challenge counts where one is asked for."""
_RECENT_S = 600
"""How long who has signed in, or answered a challenge, counts as having done it just now."""


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


_UNPRIVILEGED = roles.of_guest()
GUEST = Identity(
    kind="guest",
    scopes=scopes.GUEST,
    roles=_UNPRIVILEGED,
    asks_read=permissions.asks("read", _UNPRIVILEGED),
)

Callers = Cache[tuple[str, str, str], Identity]
"""Callers that are remembered: by realm, by what they showed, and by its text."""


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
    if identity.kind == "user" and time.time() - identity.challenged_at > _CHALLENGED_S:
        raise ChallengeRequired()


def must_be_recent(identity: Identity) -> None:
    """Ask the caller to have signed in, or answered a challenge, just now. Raises ChallengeRequired."""
    if time.time() - max(identity.signed_in_at, identity.challenged_at) > _RECENT_S:
        raise ChallengeRequired()


def unblocked(identity: Identity) -> Identity:
    """The caller, unless it is a user who is blocked. Raises UserBlocked."""
    if identity.user is not None and not identity.user["enabled"]:
        raise UserBlocked()
    return identity
