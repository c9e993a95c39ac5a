"""What can go wrong with the keys of an account."""

from __future__ import annotations

from freehold.errors import Unauthorized


class OnlyOnConsole(Unauthorized, type="general_access_forbidden"):
    """Only accounts of the console have keys. A project's users sign in, and its servers have API keys."""
