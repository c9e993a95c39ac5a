"""Permissions: `read("user:jane")`, how they are checked, widened and asked for.

A resource keeps its permissions as text, as they are written on the wire. A caller asks with the list of
permissions that would let it in (`asks`), so that one array overlap decides, here and in SQL alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from freehold.access.roles import is_role

Permission = Literal["read", "create", "update", "delete"]

TABLE_PERMISSIONS: tuple[Permission, ...] = ("create", "read", "update", "delete")
ROW_PERMISSIONS: tuple[Permission, ...] = ("read", "update", "delete")

MAX_PERMISSIONS = 100

_PERMISSION = re.compile(r'(read|create|update|delete|write)\("([^"]*)"\)')


class InvalidPermission(ValueError):
    """A permission that cannot be read; its text says why."""


def parse(permissions: Sequence[str], allowed: Sequence[Permission]) -> list[str]:
    """Check permissions and spell them out: `write` becomes what it stands for among `allowed`.

    Gives them once each, in the order in which they came. Raises InvalidPermission.
    """
    if len(permissions) > MAX_PERMISSIONS:
        raise InvalidPermission(
            f"at most {MAX_PERMISSIONS} permissions can be set, these are {len(permissions)}."
        )
    spelled: dict[str, None] = {}
    for text in permissions:
        match = _PERMISSION.fullmatch(text)
        if match is None:
            raise InvalidPermission(f'`{text[:100]}` is not a permission such as read("any").')
        name, role = match.groups()
        if not is_role(role):
            raise InvalidPermission(
                f"`{role[:100]}` is not a role such as any, users, user:ID or team:ID/owner."
            )
        names = [each for each in allowed if each != "read"] if name == "write" else [name]
        for each in names:
            if each not in allowed:
                raise InvalidPermission(f"`{each}` cannot be granted here. Use one of {', '.join(allowed)}.")
            spelled[f'{each}("{role}")'] = None
    return list(spelled)


def foreign_role(permissions: Iterable[str], roles: frozenset[str]) -> str | None:
    """Find a role that is granted something and that the granting caller does not hold itself."""
    for text in permissions:
        match = _PERMISSION.fullmatch(text)
        if match is not None and match[2] not in roles:
            return match[2]
    return None


@lru_cache(maxsize=1000)
def asks(permission: Permission, roles: frozenset[str]) -> list[str]:
    """The permissions that would let a caller with these roles in. All share the list: leave it as it is."""
    return sorted(f'{permission}("{role}")' for role in roles)


def own(user_id: str) -> list[str]:
    """What a user gets on a row that it creates without saying anything of permissions."""
    return [f'{permission}("user:{user_id}")' for permission in ROW_PERMISSIONS]
