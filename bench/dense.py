"""A schema of many entities that are densely related: it makes generators slow, and what they emit large."""

from __future__ import annotations

from freehold.schema.model import Schema
from freehold.schema.read import parse_schema

REACHES = (1, 7, 23)
"""Each entity belongs to the ones that were so many before it, and so has as many that belong to it."""


def dense(entities: int) -> Schema:
    """Entities with seven fields each: three lead to others, which list their rows the other way too."""
    return parse_schema(text(entities), file="dense.yaml")


def text(entities: int) -> str:
    """The same as a file."""
    return HEAD + "".join(_entity(number) for number in range(1, entities))


HEAD = """\
freehold: 1
service: dense
tenancy: { entity: entity_0, isolation: rls }
auth: { provider: auth0 }
roles: { admin: [member], member: [viewer], viewer: [] }
defaults: { id: uuid, timestamps: true, version: true }
entities:
  entity_0:
    tenant: self
    access: { read: viewer, update: admin }
    fields: { name: string(80) }
"""


def _entity(number: int) -> str:
    references = "".join(
        f"      near_{reach}: {{ type: ref(entity_{number - reach}), nullable: true, on_delete: restrict,"
        f" inverse: far_{reach} }}\n"
        for reach in REACHES
        if number - reach > 0
    )
    return f"""\
  entity_{number}:
    tenant: scoped
    access: {{ read: viewer, create: member, update: member, delete: admin }}
    fields:
      name: {{ type: string(80), search: true }}
      state: {{ type: "enum(draft, active, closed)", default: draft, index: true }}
      amount: {{ type: "decimal(12,2)", nullable: true }}
      due_on: {{ type: date, nullable: true }}
{references}"""
