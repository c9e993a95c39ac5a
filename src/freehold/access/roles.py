"""Roles: the strings that say who a caller is, and who a permission is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_ID = r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}"
_ROLE = re.compile(
    rf"any|guests|users(?:/(?:un)?verified)?|user:{_ID}(?:/(?:un)?verified)?"
    rf"|team:{_ID}(?:/[a-zA-Z0-9._-]{{1,36}})?|member:{_ID}|label:[a-zA-Z0-9]{{1,36}}"
)


def is_role(text: str) -> bool:
    """Tell whether the text is a role: `any`, `user:ID`, `team:ID/owner`, `label:vip`, ..."""
    return _ROLE.fullmatch(text) is not None


class Membership(NamedTuple):
    """A confirmed membership of a team, with the roles that it gives there."""

    id: str
    team_id: str
    roles: tuple[str, ...]


def of_guest() -> frozenset[str]:
    return frozenset(("any", "guests"))


def of_user(
    user_id: str, *, verified: bool, labels: Iterable[str], memberships: Iterable[Membership]
) -> frozenset[str]:
    """All roles of a signed-in user."""
    return frozenset(_of_user(user_id, verified, labels, memberships))


def _of_user(
    user_id: str, verified: bool, labels: Iterable[str], memberships: Iterable[Membership]
) -> Iterator[str]:
    dimension = "verified" if verified else "unverified"
    yield "any"
    yield "users"
    yield f"users/{dimension}"
    yield f"user:{user_id}"
    yield f"user:{user_id}/{dimension}"
    for label in labels:
        yield f"label:{label}"
    for membership in memberships:
        yield f"team:{membership.team_id}"
        yield f"member:{membership.id}"
        for role in membership.roles:
            yield f"team:{membership.team_id}/{role}"
