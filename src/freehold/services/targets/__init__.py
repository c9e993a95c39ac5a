"""Targets: where messages reach a user, by e-mail, SMS and push. What account, users and messaging share."""

from freehold.services.targets.errors import (
    NotAnAddress,
    NotANumber,
    TargetAlreadyExists,
    TargetNotFound,
    TooManyTargets,
)
from freehold.services.targets.models import Target, TargetList, as_target, read_targets
from freehold.services.targets.store import (
    OF_USER,
    NewTarget,
    TargetChange,
    create,
    delete,
    fetch,
    find,
    update,
)

__all__ = [
    "OF_USER",
    "NewTarget",
    "NotANumber",
    "NotAnAddress",
    "Target",
    "TargetAlreadyExists",
    "TargetChange",
    "TargetList",
    "TargetNotFound",
    "TooManyTargets",
    "as_target",
    "create",
    "delete",
    "fetch",
    "find",
    "read_targets",
    "update",
]
