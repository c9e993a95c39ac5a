"""What can go wrong with teams and memberships."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Unauthorized


class TeamNotFound(NotFound, type="team_not_found"):
    """There is no team with this id that you belong to."""


class TeamAlreadyExists(Conflict, type="team_already_exists"):
    """A team with this id already exists. Choose another id, or let the server choose with `unique()`."""


class MembershipNotFound(NotFound, type="membership_not_found"):
    """The team has no membership with this id."""


class AlreadyMember(Conflict, type="membership_already_confirmed"):
    """The user is a member of the team already."""


class LastOwnerStays(BadRequest, type="membership_deletion_prohibited"):
    """An organization needs an owner. Make someone else an owner first, or delete the organization."""


class LastOwnerStaysOwner(BadRequest, type="membership_downgrade_prohibited"):
    """An organization needs an owner. Make someone else an owner first."""


class InvitationOfAnother(Unauthorized, type="team_invite_mismatch"):
    """The invitation is for another user. Sign out first, or sign in as who was invited."""


class InvitationSecretInvalid(Unauthorized, type="team_invalid_secret"):
    """The invitation cannot be accepted with this secret. It may be too old, or there is a newer one."""
