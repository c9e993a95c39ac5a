"""What can go wrong with teams and memberships."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound, Problem


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


class MailDisabled(Problem, type="general_smtp_disabled", status=503):
    """Invitations go by e-mail, and this server has no mail set up. Add the member with an API key."""
