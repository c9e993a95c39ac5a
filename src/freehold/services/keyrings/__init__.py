"""Keys that act on the console for somebody: for an organization, or for a user's account."""

from freehold.services.keyrings.keys import ERRORS, create, delete, delete_all, find, list_keys, update
from freehold.services.keyrings.models import CreateKey, SayKey
from freehold.services.keyrings.rings import ACCOUNTS, ORGANIZATIONS

__all__ = [
    "ACCOUNTS",
    "ERRORS",
    "ORGANIZATIONS",
    "CreateKey",
    "SayKey",
    "create",
    "delete",
    "delete_all",
    "find",
    "list_keys",
    "update",
]
