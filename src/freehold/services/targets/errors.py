"""What can go wrong with targets."""

from __future__ import annotations

from freehold.errors import BadRequest, Conflict, NotFound


class TargetNotFound(NotFound, type="user_target_not_found"):
    """The user has no target with this id."""


class TargetAlreadyExists(Conflict, type="user_target_already_exists"):
    """There is a target with this id, or one that reaches the same place. Change or delete that one."""


class TooManyTargets(BadRequest, type="general_bad_request"):
    """A user has at most {most} targets. Delete those that are not used any more."""


class NotAnAddress(BadRequest, type="general_invalid_email"):
    """The identifier of an e-mail target is an e-mail address."""


class NotANumber(BadRequest, type="general_invalid_phone"):
    """The identifier of an SMS target is a phone number as in E.164, such as +14155552671."""
