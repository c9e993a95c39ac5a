"""Relationships between tables: a ref or a many in the schema model, shown as columns of both tables."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from freehold.db.pool import Record
from freehold.errors import ResourceLocked
from freehold.ids import new_id
from freehold.schema.model import Entity, Field, IndexPart, Kind, OnDelete, Type
from freehold.services.databases import changes, column_types, models, store
from freehold.services.databases.errors import (
    ColumnAlreadyExists,
    ColumnNotFound,
    ColumnTypeInvalid,
    ColumnValueInvalid,
    IndexDependency,
    IndexInvalid,
)
from freehold.services.databases.relation import holds
from freehold.web import misfits
from freehold.web.call import Call
from freehold.web.wire import Description, Id, Input, Object, wire_time

RelationType = Literal["oneToOne", "oneToMany", "manyToOne", "manyToMany"]
WireOnDelete = Literal["cascade", "restrict", "setNull"]

_KEPT_AS: dict[WireOnDelete, OnDelete] = {"cascade": "cascade", "restrict": "restrict", "setNull": "set_null"}
_SHOWN_AS: dict[OnDelete, WireOnDelete] = {kept: shown for shown, kept in _KEPT_AS.items()}


class Asked(NamedTuple):
    """A relationship that is to be made, seen from its parent."""

    related: str
    type: RelationType
    two_way: bool
    key: str
    """Of the parent's column; the related table's id when empty."""
    two_way_key: str
    """Of the related table's column; the parent's id when empty."""
    on_delete: WireOnDelete
    description: str


class InlineRelationship(Input, kw_only=True):
    """A relationship among the columns of a table that is made. The other table may be named in any words."""

    key: Id
    relation_type: RelationType
    related_table: str = ""
    related_table_id: str = ""
    related_collection: str = ""
    related_collection_id: str = ""
    two_way: bool = False
    two_way_key: Id | None = None
    on_delete: WireOnDelete = "restrict"
    description: Description = ""
    side: Literal["parent", "child"] = "parent"


def inline(column: Object) -> Asked:
    """Read a relationship that was sent with its table. Raises ColumnValueInvalid."""
    key = str(column.get("key", ""))[:100]
    try:
        given = {name: value for name, value in column.items() if value is not None}
        said = msgspec.convert(given, InlineRelationship)
    except msgspec.ValidationError as error:
        raise ColumnValueInvalid(key=key, reason=misfits.sentence(str(error)).rstrip(".")) from error
    related = (
        said.related_table or said.related_table_id or said.related_collection or said.related_collection_id
    )
    if not related:
        raise ColumnValueInvalid(key=key, reason="`relatedTable` has to name the other table")
    if said.side == "child":
        raise ColumnValueInvalid(key=key, reason="it is made with the relationship of the other table")
    return Asked(
        related=related,
        type=said.relation_type,
        two_way=said.two_way,
        key=said.key,
        two_way_key=said.two_way_key or "",
        on_delete=said.on_delete,
        description=said.description,
    )


async def create(call: Call, database_id: str, table_id: str, asked: Asked) -> Record:
    """Relate two tables, with a foreign key or a table of links. Gives the parent's column."""
    record, entities = await changes.changeable_together(call, database_id, (table_id, asked.related))
    key = asked.key or asked.related
    two_way_key = asked.two_way_key or table_id
    parent_holds = asked.type != "oneToMany"
    await _must_be_free(call, database_id, entities[table_id], key)
    if asked.two_way:
        await _must_be_free(call, database_id, entities[asked.related], two_way_key)
    elif not parent_holds:
        two_way_key = _free_name(entities[asked.related], asked.two_way_key, two_way_key, key)
    if table_id == asked.related and key == two_way_key and (asked.two_way or not parent_holds):
        raise ColumnAlreadyExists(key=key)
    holder, target = (table_id, asked.related) if parent_holds else (asked.related, table_id)
    field = _field(asked, entities[holder], target, key if parent_holds else two_way_key)
    if not parent_holds or asked.two_way:
        field = msgspec.structs.replace(field, inverse=two_way_key if parent_holds else key)
    await _change(call, record, entities, holder, None, field, key)
    sides = [(table_id, key, asked.related, two_way_key, "parent")]
    if asked.two_way:
        sides.append((asked.related, two_way_key, table_id, key, "child"))
    rows = [
        await store.create_relationship(
            call.db,
            call.project.id,
            database_id,
            own,
            key=own_key,
            field_id=field.id,
            related_table_id=other,
            relation_type=asked.type,
            side=side,
            two_way=asked.two_way,
            two_way_key=other_key,
            on_delete=field.on_delete,
            description=asked.description if side == "parent" else "",
        )
        for own, own_key, other, other_key, side in sides
    ]
    return rows[0]


async def update(
    call: Call,
    database_id: str,
    table_id: str,
    key: str,
    *,
    on_delete: WireOnDelete | None,
    new_key: str,
    description: str | None,
) -> Record:
    """Change what becomes of rows whose other is deleted, and the key of this side."""
    row, record, entities = await _locked(call, database_id, table_id, key)
    entity = entities[table_id]
    if new_key.lower() != row["key"].lower():
        await _must_be_free(call, database_id, entity, new_key)
    holder = holder_of(row)
    old = _held(entities[holder], row)
    new = msgspec.structs.replace(old, on_delete=_KEPT_AS[on_delete] if on_delete else old.on_delete)
    if new_key != row["key"] and _holds(row):
        column = column_types.free_column(entity, f"{new_key}_id", new_key, but=old) if old.is_column else ""
        new = msgspec.structs.replace(new, name=new_key, column=column)
        await store.rename_in_indexes(
            call.db, call.project.id, database_id, row["table_id"], old=row["key"], new=new_key
        )
    elif new_key != row["key"]:
        new = msgspec.structs.replace(new, inverse=new_key)
    if description is not None and row["side"] == "parent":
        new = msgspec.structs.replace(new, description=description)
    await _change(call, record, entities, holder, old, new, row["key"])
    return await store.update_relationship(
        call.db,
        row,
        key=new_key,
        on_delete=new.on_delete,
        description=row["description"] if description is None else description,
    )


async def delete(call: Call, database_id: str, table_id: str, key: str) -> Record:
    """Delete a relationship: its columns on both sides, and all that it holds. Gives what it was."""
    row, record, entities = await _locked(call, database_id, table_id, key)
    holder = holder_of(row)
    field = _held(entities[holder], row)
    _must_not_be_indexed(entities[holder], field)
    await _change(call, record, entities, holder, field, None, row["key"])
    await store.delete_relationship(call.db, row)
    return row


async def drop_table(call: Call, database_id: str, table_id: str) -> None:
    """Drop a table, and the relationships that other tables have with it."""
    rows = await store.list_relationships(call.db, call.project.id, database_id, table_id)
    related = {each for row in rows for each in (row["table_id"], row["related_table_id"])} - {table_id}
    record, entities = await changes.changeable_together(call, database_id, (table_id, *sorted(related)))
    if rows != await store.list_relationships(call.db, call.project.id, database_id, table_id):
        raise ResourceLocked()
    fields = {row["field_id"] for row in rows}
    for each in related:
        for field in entities[each].fields:
            if field.id in fields:
                _must_not_be_indexed(entities[each], field)
    others = [(entities[each], _without(entities[each], fields)) for each in sorted(related)]
    await changes.drop(call, record, entities[table_id], others)
    for row in rows:
        await store.delete_relationship(call.db, row)
    await store.delete_table(call.db, call.project.id, database_id, table_id)


def holder_of(row: Record) -> str:
    """The table whose entity has the field of a relationship."""
    holder: str = row["table_id"] if _holds(row) else row["related_table_id"]
    return holder


def _holds(row: Record) -> bool:
    return holds(row["relation_type"], row["side"])


def model(row: Record) -> models.ColumnRelationship:
    """One side of a relationship as the wire shows it."""
    return models.ColumnRelationship(
        key=row["key"],
        type="relationship",
        status="available",
        error="",
        required=False,
        array=False,
        description=row["description"],
        created_at=wire_time(row["created_at"]),
        updated_at=wire_time(row["updated_at"]),
        related_table=row["related_table_id"],
        relation_type=row["relation_type"],
        two_way=row["two_way"],
        two_way_key=row["two_way_key"],
        on_delete=_SHOWN_AS[row["on_delete"]],
        side=row["side"],
    )


def _field(asked: Asked, holder: Entity, target: str, name: str) -> Field:
    """The field that a relationship becomes in the entity that holds it."""
    is_many = asked.type == "manyToMany"
    return Field(
        id=new_id(),
        name=name,
        column="" if is_many else column_types.free_column(holder, f"{name}_id", name),
        type=Type(kind=Kind.MANY if is_many else Kind.REF, target=target),
        nullable=not is_many,
        unique="global" if asked.type == "oneToOne" else None,
        on_delete=_KEPT_AS[asked.on_delete],
        description=asked.description,
    )


async def _locked(
    call: Call, database_id: str, table_id: str, key: str
) -> tuple[Record, Record, dict[str, Entity]]:
    """A relationship's column that is about to change, its table, and the entities of both tables."""
    row = await store.find_column(call.db, call.project.id, database_id, table_id, key)
    related = row["related_table_id"] if row is not None and row["related_table_id"] else table_id
    record, entities = await changes.changeable_together(call, database_id, (table_id, related))
    row = await store.find_column(call.db, call.project.id, database_id, table_id, key)
    if row is None:
        raise ColumnNotFound(key=key)
    if row["type"] != "relationship":
        raise ColumnTypeInvalid(key=key, type=row["format"] or row["type"])
    if row["related_table_id"] != related:  # another one than before the lock
        raise ResourceLocked()
    return row, record, entities


def _held(holder: Entity, row: Record) -> Field:
    return next(field for field in holder.fields if field.id == row["field_id"])


def _must_not_be_indexed(entity: Entity, field: Field) -> None:
    for index in entity.indexes:
        if any(part.field == field.name for part in index.parts):
            raise IndexDependency(index=index.name.removeprefix(f"{entity.table}_"), key=field.name)


async def _change(
    call: Call,
    record: Record,
    entities: dict[str, Entity],
    holder: str,
    old: Field | None,
    new: Field | None,
    key: str,
) -> None:
    """Let the entity that holds a relationship have a field in place of another."""
    entity = entities[holder]
    fields = [new if each is old else each for each in entity.fields]
    if old is None:
        fields.append(new)
    indexes = entity.indexes
    if old is not None and new is not None and old.name != new.name:

        def follow(part: IndexPart) -> IndexPart:
            return msgspec.structs.replace(part, field=new.name) if part.field == old.name else part

        indexes = tuple(
            msgspec.structs.replace(index, parts=tuple(follow(part) for part in index.parts))
            for index in indexes
        )
    changed = msgspec.structs.replace(
        entity, fields=tuple(each for each in fields if each is not None), indexes=indexes
    )
    unchanged = [(each, each) for name, each in entities.items() if name != holder]
    try:
        await changes.change_together(call, record, [(entity, changed), *unchanged])
    except IndexInvalid as error:
        raise ColumnValueInvalid(key=key, reason=error.values["reason"]) from error


def _without(entity: Entity, field_ids: set[str]) -> Entity:
    return msgspec.structs.replace(
        entity, fields=tuple(field for field in entity.fields if field.id not in field_ids)
    )


async def _must_be_free(call: Call, database_id: str, entity: Entity, key: str) -> None:
    """Refuse a key that another column has. Raises ColumnAlreadyExists, ColumnValueInvalid."""
    column_types.must_be_ours(key)
    rows = await store.list_columns(call.db, call.project.id, database_id, [entity.name])
    if column_types.is_taken(key, entity, rows):
        raise ColumnAlreadyExists(key=key)


def _free_name(entity: Entity, asked: str, wanted: str, key: str) -> str:
    """A name for the side that is not shown. One that was asked for has to be free."""
    taken = {field.name.lower() for field in entity.fields} | {key.lower()}
    if asked and asked.lower() in taken:
        raise ColumnAlreadyExists(key=asked)
    number = 1
    name = wanted
    while name.lower() in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name
