"""Whose keys there are: where they are kept, how they begin, and what they may be let do."""

from __future__ import annotations

from typing import NamedTuple

from freehold.access import scopes


class Ring(NamedTuple):
    """The keys of one kind of holder."""

    table: str
    holder: str
    """The column that says whose a key is."""
    prefix: str
    """What a key begins with."""
    scopes: tuple[str, ...]
    """What one may be let do."""
    sealed_for: str
    """What the key is derived for under which they are kept."""


ORGANIZATIONS = Ring(
    "organization_keys", "team_id", "organization_", scopes.ORGANIZATION, sealed_for="organization keys"
)
ACCOUNTS = Ring("account_keys", "user_id", "account_", scopes.ACCOUNT, sealed_for="account keys")
