"""Relations: how to get from rows to those that belong to them, and along which a soft delete goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.generator import names
from freehold.generator.permissions import holders
from freehold.generator.plan import Cascade, Lookup, Permissions, Relation
from freehold.schema.model import Entity, Field, Kind, Schema
from freehold.schema.table_names import link_columns, link_name


def of(schema: Schema, entity: Entity, permissions: Permissions) -> Iterator[Relation]:
    """Relations of the entity's own fields, in their order, and then those that come from the other side."""
    for each in entity.fields:
        if each.type.kind is Kind.REF:
            target = schema.known_entity(each.type.target)
            yield Relation(
                name=each.name,
                target=target.name,
                many=False,
                key=each.wire_name,
                column=target.layout.id,
                guard=(entity.name, each.wire_name),
                description=each.description,
                lookup=_lookup(schema, entity, each, target, permissions),
            )
        elif each.type.kind is Kind.MANY:
            here, there = link_columns(entity, each)
            target = schema.known_entity(each.type.target)
            yield Relation(
                name=each.name,
                target=target.name,
                many=True,
                key="id",
                column="",
                guard=(entity.name, each.name),
                description=each.description,
                link=link_name(entity, each),
                link_here=here,
                link_there=there,
                link_tenant=entity.layout.tenant or "",
                body=names.link_key(each.name),
                id_kind=target.id_kind,
                readers=holders(schema, each.read),
                writers=holders(schema, each.write),
            )
    for other in schema.entities:
        for each in other.fields:
            if each.inverse is None or each.type.target != entity.name:
                continue
            if each.type.kind is Kind.REF:
                yield Relation(
                    name=each.inverse,
                    target=other.name,
                    many=each.unique is None,
                    key="id",
                    column=each.column,
                    guard=(other.name, each.wire_name),
                )
            elif each.type.kind is Kind.MANY:
                there, here = link_columns(other, each)
                yield Relation(
                    name=each.inverse,
                    target=other.name,
                    many=True,
                    key="id",
                    column="",
                    guard=(other.name, each.name),
                    link=link_name(other, each),
                    link_here=here,
                    link_there=there,
                    link_tenant=other.layout.tenant or "",
                )


def cascades(schema: Schema, root: Entity) -> Iterator[Cascade]:
    """Where a soft delete goes on, parents before their children. Rows that refer to themselves stay."""
    below: dict[str, list[tuple[Entity, Field]]] = {}
    for entity in schema.entities:
        for each in entity.fields:
            if each.type.kind is Kind.REF and each.on_delete == "cascade" and entity.soft_delete:
                below.setdefault(each.type.target or "", []).append((entity, each))
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        for child, _ in below.get(name, ()):
            if child.name not in path and child.name not in order:
                visit(child.name, (*path, child.name))
        order.insert(0, name)

    visit(root.name, (root.name,))
    for position, name in enumerate(order):
        for parent in order[:position]:
            for child, each in below.get(parent, ()):
                if child.name == name:
                    yield Cascade(
                        child=child.name,
                        parent=parent,
                        table=child.table,
                        column=each.column,
                        tenant_column=child.layout.tenant,
                        system=names.system_columns(child.layout),
                    )


def _lookup(
    schema: Schema, entity: Entity, reference: Field, target: Entity, permissions: Permissions
) -> Lookup:
    if target.tenant == "self":  # a foreign key lets each tenant through, not the caller's own alone
        return "always"
    if schema.auth is not None and schema.auth.api_keys:  # the scopes of a key can leave reading out
        return "unless_all"
    writing = [
        role
        for role, held in permissions.items()
        if f"{entity.name}:create" in held or f"{entity.name}:update" in held
    ]
    may_write = holders(schema, reference.write)
    if _all_read(writing, target, permissions):
        return "never"
    return "never" if may_write is not None and _all_read(may_write, target, permissions) else "unless_all"


def _all_read(roles: Iterable[str], target: Entity, permissions: Permissions) -> bool:
    """Whether whoever has one of the roles, and what everybody has, may read all rows of the target."""

    def reads(role: str) -> bool:
        return permissions.get(role, {}).get(f"{target.name}:read") == ((),)

    return all(
        reads(role) or reads("public") or (role != "public" and reads("authenticated")) for role in roles
    )
