"""What is said when the embedded PostgreSQL cannot be used."""

from __future__ import annotations

from freehold.config import Refusal


class EmbeddedError(Refusal):
    """The embedded PostgreSQL cannot be used."""
