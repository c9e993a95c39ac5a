"""The data model as a picture: `docs/data-model.md`, which Git hosts draw from its Mermaid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from freehold.schema.model import Entity, Kind, Schema
from freehold.schema.table_names import link_name

HEAD = """\
# The data model

Drawn from the schema, anew whenever it changes. `PK` is what rows are found by, `FK` refers to another row,
and `UK` is unique.
{tenants}
```mermaid
erDiagram
{lines}```
"""

TENANTS = """\

Every resource but {spared} also has the id of its tenant, left out here: it leads keys and references.
"""


def text(schema: Schema) -> str:
    scoped = [entity for entity in schema.entities if entity.layout.tenant is not None]
    spared = [f"`{entity.name}`" for entity in schema.entities if entity not in scoped]
    tenants = TENANTS.format(spared=" and ".join(spared)) if scoped and spared else ""
    lines = [line for entity in schema.entities for line in _entity(entity)]
    tables = {entity.name: entity.table for entity in schema.entities}
    lines += [line for entity in schema.entities for line in _relations(entity, tables)]
    return HEAD.format(tenants=tenants, lines="".join(f"    {line}\n" for line in lines))


def _entity(entity: Entity) -> Iterator[str]:
    yield f"{entity.table} {{"
    yield f"    {entity.id_kind} {entity.layout.id} PK"
    for field in entity.columns:
        kind = str(field.type.kind) if field.type.kind is not Kind.REF else "ref"
        marks = [
            mark
            for mark, holds in (("FK", field.type.kind is Kind.REF), ("UK", field.unique is not None))
            if holds
        ]
        yield " ".join([f"    {kind}{'_list' * field.type.array}", field.column, ", ".join(marks)]).rstrip()
    yield "}"


def _relations(entity: Entity, tables: Mapping[str, str]) -> Iterator[str]:
    """Who refers to whom: how many of this there are for one of those, and whether it can be none."""
    for field in entity.fields:
        if field.type.target is None:
            continue
        other = tables[field.type.target]
        if field.type.kind is Kind.REF:
            one = "|o" if field.nullable else "||"
            many = "o|" if field.unique is not None else "o{"
            yield f"{other} {one}--{many} {entity.table} : {field.name}"
        else:
            yield f'{entity.table} }}o--o{{ {other} : "{field.name} ({link_name(entity, field)})"'
