"""Where each part of a schema that is being read stands, so that later checks can point at it."""

from __future__ import annotations

from freehold.schema.document import Value
from freehold.schema.model import Grant, Index


class Drafts:
    def __init__(self) -> None:
        self.root: Value
        self.tenancy: Value | None = None
        self.roles: Value | None = None
        self.has_tenancy = False
        self.memberships: Value | None = None
        self.session: Value | None = None
        self.seen: set[str] = set()
        """Every entity that was named, readable or not."""
        self.entities: dict[str, Value] = {}
        self.named: dict[str, Value] = {}
        """The map in which an entity is a key."""
        self.fields: dict[tuple[str, str], Value] = {}
        self.field_maps: dict[str, Value] = {}
        self.unread: set[tuple[str, str]] = set()
        """Fields that have a problem already."""
        self.indexes: dict[tuple[str, Index], Value] = {}
        self.grants: list[tuple[str, Grant, Value]] = []
        self.role_words: list[tuple[str, Value]] = []

    def at(self, entity: str, field: str, key: str) -> Value:
        """Where a key of a field stands; the field itself in its short form."""
        body = self.fields[(entity, field)]
        found = body.get(key) if body.kind == "map" else None
        return found or body
