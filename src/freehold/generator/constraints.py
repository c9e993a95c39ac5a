"""Which fields a constraint of the database speaks of: the same table in every language."""

from __future__ import annotations

from freehold.schema.design import design
from freehold.schema.model import Schema


def tenant_tables(schema: Schema) -> list[str]:
    """The tables that row-level security has to guard."""
    return [table.name for table in design(schema) if table.policy is not None]


def constraint_fields(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Name of a constraint or a unique index to the fields of the body that it is about."""
    found: dict[str, tuple[str, ...]] = {}
    entities = {entity.table: entity for entity in schema.entities}
    for table in design(schema):
        entity = entities.get(table.name)
        if entity is None:
            continue
        wire = {each.column: each.wire_name for each in entity.columns}
        parts: list[tuple[str, tuple[str, ...]]] = [(each.name, each.columns) for each in table.uniques]
        parts += [(each.name, each.columns) for each in table.indexes if each.unique]
        parts += [(each.name, each.columns) for each in table.foreign_keys]
        parts += [(each.name, (each.column,)) for each in table.checks]
        for name, columns in parts:
            found[name] = tuple(wire[column] for column in columns if column in wire)
    return found
