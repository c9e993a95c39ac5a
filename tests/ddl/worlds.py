"""Random schemas that share stable ids, and rows that fit them."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from freehold.schema.model import (
    API_LAYOUT,
    Entity,
    Field,
    Index,
    IndexPart,
    Kind,
    Layout,
    Schema,
    Tenancy,
    Type,
)
from freehold.schema.types import NO_ARRAYS

NAMES = ("name", "order", "code", "Über Größe", "user", "a" * 60, "amount", "state")
TABLES = ("project", "select", "task", "Müll & Co", "b" * 61)
COMMENTS = ("", "plain", 'it\'s "quoted"', "two\nlines; -- no comment\n$$ /* */", "\\ ${x} `y`")
MEMBERS = (("a", "b"), ("a", "b", "c"), ("1st", "it's", 'x"; drop table y; --'), ("b",))
PATTERN = "^[a-z.]*$"

TEXTS = (Kind.STRING, Kind.TEXT)
NUMBERS = (Kind.INT, Kind.BIGINT, Kind.FLOAT, Kind.DECIMAL)
PLACES = (Kind.POINT, Kind.LINE, Kind.POLYGON)
UNINDEXED = (Kind.JSON, Kind.TEXT, Kind.BYTES, *PLACES)
SEARCHED = (Kind.STRING, Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.ENUM)

SIMPLE_KINDS = tuple(kind for kind in Kind if kind not in (Kind.REF, Kind.MANY))


@st.composite
def types(draw: st.DrawFn, kinds: tuple[Kind, ...] = SIMPLE_KINDS) -> Type:
    kind = draw(st.sampled_from(kinds))
    array = kind not in NO_ARRAYS and draw(st.integers(0, 4)) == 0
    if kind is Kind.STRING:
        return Type(kind=kind, length=draw(st.sampled_from((5, 40, 200))), array=array)
    if kind is Kind.DECIMAL:
        precision, scale = draw(st.sampled_from(((6, 2), (12, 2), (12, 4), (5, 0))))
        return Type(kind=kind, precision=precision, scale=scale, array=array)
    if kind is Kind.ENUM:
        return Type(kind=kind, values=draw(st.sampled_from(MEMBERS)), array=array)
    return Type(kind=kind, array=array)


@st.composite
def plain_fields(draw: st.DrawFn, id_: str) -> Field:
    type_ = draw(types())
    field = Field(
        id=id_,
        name=id_,
        column=id_,
        type=type_,
        nullable=draw(st.booleans()),
        description=draw(st.sampled_from(COMMENTS)),
        in_lists=True,
    )
    if type_.kind in TEXTS and not type_.array:
        field = replace(
            field,
            min=draw(st.sampled_from((None, None, 1))),
            max=draw(st.sampled_from((None, None, 4))),
            pattern=draw(st.sampled_from((None, None, PATTERN))),
        )
    if type_.kind in NUMBERS and draw(st.booleans()):
        number = str if type_.kind is Kind.DECIMAL else (float if type_.kind is Kind.FLOAT else int)
        field = replace(field, min=number(-1), max=draw(st.sampled_from((None, number(100)))))
    if type_.kind not in UNINDEXED and not type_.array:
        field = replace(
            field,
            unique=draw(st.sampled_from((None, None, None, "tenant", "global"))),
            sortable=draw(st.integers(0, 3)) == 0,
        )
    if (type_.kind not in UNINDEXED or type_.kind in PLACES) and draw(st.integers(0, 3)) == 0:
        field = replace(field, index=True)
    if type_.kind in SEARCHED and not type_.array:
        field = replace(field, search=draw(st.integers(0, 2)) == 0)
    if draw(st.integers(0, 2)) == 0:
        field = replace(field, default=sample(field, 0))
    return field


@st.composite
def relations(draw: st.DrawFn, id_: str, targets: tuple[str, ...]) -> Field:
    """A ref or a many; its target is an entity's stable id until names are given."""
    kind = draw(st.sampled_from((Kind.REF, Kind.REF, Kind.MANY)))
    nullable = kind is Kind.REF and draw(st.integers(0, 3)) > 0
    on_delete = draw(
        st.sampled_from(("cascade", "restrict", "set_null") if nullable else ("cascade", "restrict"))
    )
    return Field(
        id=id_,
        name=id_,
        column=id_,
        type=Type(kind=kind, target=draw(st.sampled_from(targets))),
        nullable=nullable,
        on_delete=on_delete if kind is Kind.REF else "restrict",
        unique="tenant" if kind is Kind.REF and draw(st.integers(0, 5)) == 0 else None,
        description=draw(st.sampled_from(COMMENTS)),
    )


ENTITY_IDS = ("e1", "e2", "e3")


@st.composite
def entities(draw: st.DrawFn, id_: str) -> Entity:
    layout = draw(st.sampled_from(("schema", "schema", "schema", "api")))
    audit = draw(st.integers(0, 3)) == 0
    sql_events = draw(st.integers(0, 3)) == 0
    fields = [draw(plain_fields(f"f{number}")) for number in range(draw(st.integers(1, 4)))]
    fields += [draw(relations(f"r{number}", ENTITY_IDS)) for number in range(draw(st.integers(0, 2)))]
    if layout == "api":
        return Entity(
            id=id_, name=id_, table=id_, layout=API_LAYOUT, id_kind="text", fields=tuple(fields),
            description=draw(st.sampled_from(COMMENTS)), sql_events=sql_events,
        )  # fmt: skip
    timestamps = draw(st.booleans())
    return Entity(
        id=id_,
        name=id_,
        table=id_,
        id_kind=draw(st.sampled_from(("uuid", "uuid", "serial", "text"))),
        tenant=draw(st.sampled_from(("scoped", "scoped", "none"))),
        layout=Layout(
            id="id",
            created_at="created_at" if timestamps else None,
            updated_at="updated_at" if timestamps else None,
            version="version" if draw(st.booleans()) else None,
            deleted_at="deleted_at" if draw(st.integers(0, 2)) == 0 else None,
            created_by="created_by" if audit else None,
            updated_by="updated_by" if audit else None,
        ),
        fields=tuple(fields),
        audit=audit,
        sql_events=sql_events,
        description=draw(st.sampled_from(COMMENTS)),
    )


@st.composite
def indexes(draw: st.DrawFn, entity: Entity) -> tuple[Index, ...]:
    usable = [
        field.name for field in entity.columns if field.type.kind not in UNINDEXED and not field.type.array
    ]
    found = []
    for _ in range(draw(st.integers(0, 2))):
        if usable:
            parts = draw(st.lists(st.sampled_from(usable), min_size=1, max_size=3, unique=True))
            unique = draw(st.booleans())
            down = [not unique and draw(st.booleans()) for _ in parts]
            named = tuple(
                IndexPart(field=each, descending=each_down)
                for each, each_down in zip(parts, down, strict=True)
            )
            found.append(Index(parts=named, unique=unique))
    return tuple(found)


@st.composite
def finished(draw: st.DrawFn, drafts: list[Entity], has_tenancy: bool, isolation: str) -> Schema:
    """A whole schema of drafts: names, tenancy, and only those relations that can be."""
    tables = draw(st.permutations(TABLES))
    names = {draft.id: tables[number] for number, draft in enumerate(drafts)}
    tenant_of = {draft.id: draft.tenant if has_tenancy else "none" for draft in drafts}
    title = Field(id="f1", name="title", column="title", type=Type(kind=Kind.TEXT))
    tenant = Entity(
        id="e0",
        name="organization",
        table="organization",
        tenant="self",
        layout=Layout(id="id", created_at=None, updated_at=None),
        fields=(title,),
    )
    done = []
    for draft in drafts:
        labels = draw(st.permutations(NAMES)) if draw(st.booleans()) else NAMES
        fields = []
        for number, field in enumerate(draft.fields):
            target = field.type.target
            if target is not None:
                if target not in names or (tenant_of[draft.id] == "none" and tenant_of[target] == "scoped"):
                    continue
                field = replace(field, type=replace(field.type, target=names[target]))
            label = labels[number % len(labels)]
            column = "" if field.type.kind is Kind.MANY else label + ("_id" if target is not None else "")
            fields.append(replace(field, name=label, column=column[:63]))
        scoped = tenant_of[draft.id] == "scoped"
        entity = replace(
            draft,
            name=names[draft.id],
            table=names[draft.id],
            tenant="scoped" if scoped else "none",
            layout=replace(draft.layout, tenant="tenant_id" if scoped else None),
            fields=tuple(fields),
        )
        done.append(replace(entity, indexes=draw(indexes(entity))))
    tenancy = Tenancy(entity="organization", isolation=isolation) if has_tenancy else None  # type: ignore[arg-type]
    return Schema(service="world", tenancy=tenancy, entities=((tenant,) if has_tenancy else ()) + tuple(done))


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Schema, Schema]:
    """A schema, and one that it might become."""
    before = [draw(entities(id_)) for id_ in ENTITY_IDS[: draw(st.integers(1, 3))]]
    after: list[Entity] = []
    for draft in before:
        fate = draw(st.integers(0, 9))
        if fate == 0:
            continue
        if fate == 1:
            after.append(draw(entities(draft.id)))
            continue
        after.append(draw(_evolved(draft)))
    if len(after) < 3 and draw(st.integers(0, 3)) == 0:
        free = next(id_ for id_ in ENTITY_IDS if id_ not in [each.id for each in after])
        after.append(draw(entities(free)))
    has_tenancy = draw(st.integers(0, 3)) > 0
    still = has_tenancy if draw(st.integers(0, 6)) > 0 else not has_tenancy
    old = draw(finished(before, has_tenancy, "rls"))
    new = draw(finished(after, still, draw(st.sampled_from(("rls", "rls", "rls", "where")))))
    return old, new


@st.composite
def _evolved(draw: st.DrawFn, draft: Entity) -> Entity:
    fields: list[Field] = []
    for field in draft.fields:
        fate = draw(st.integers(0, 9))
        if fate == 0:
            continue
        if fate == 1:
            is_relation = field.type.target is not None
            fields.append(draw(relations(field.id, ENTITY_IDS) if is_relation else plain_fields(field.id)))
        elif fate == 2 and field.type.target is None:
            fields.append(_fitting(replace(field, type=draw(types((field.type.kind,))))))
        elif fate == 3 and field.type.target is None:
            fields.append(replace(field, nullable=not field.nullable))
        elif fate == 4:
            fields.append(replace(field, description=draw(st.sampled_from(COMMENTS))))
        else:
            fields.append(field)
    if draw(st.integers(0, 2)) == 0:
        fields.append(draw(plain_fields("f9")))
    layout = draft.layout
    if layout.id == "id" and draw(st.integers(0, 3)) == 0:
        layout = replace(layout, deleted_at=None if layout.deleted_at else "deleted_at")
    return replace(draft, fields=tuple(fields), layout=layout)


def _fitting(field: Field) -> Field:
    """The field without what its new type does not allow."""
    if field.type.array:
        field = replace(field, unique=None, sortable=False, search=False, min=None, max=None, pattern=None)
    return replace(field, default=None if field.default is None else sample(field, 0))


def sample(field: Field, number: int) -> Any:
    """A JSON value that fits a field; another for every number, as far as there are others."""
    if field.type.array:
        return [] if number == 0 else [_one(field, number), _one(field, number)]
    return _one(field, number)


def _one(field: Field, number: int) -> Any:
    kind = field.type.kind
    if kind in (Kind.STRING, Kind.TEXT):
        return "abcdefghijklm"[number % 13]
    if kind is Kind.ENUM:
        return field.type.values[number % len(field.type.values)]
    if kind in (Kind.INT, Kind.BIGINT):
        return number
    if kind is Kind.FLOAT:
        return number + 0.5
    if kind is Kind.DECIMAL:
        return str(number) if field.type.scale == 0 else f"{number}.5"
    if kind is Kind.BOOL:
        return number % 2 == 0
    return {
        Kind.DATE: f"2026-02-{number % 27 + 1:02d}",
        Kind.TIME: f"10:{number % 60:02d}:00",
        Kind.DATETIME: f"2026-02-03T04:05:{number % 60:02d}.678Z",
        Kind.UUID: str(uuid.UUID(int=number + 1)),
        Kind.JSON: {"n": number, "it's": ["$$", None]},
        Kind.BYTES: "AAEC",
        Kind.EMAIL: f"p{number}@example.com",
        Kind.URL: f"https://example.com/{number}",
        Kind.IP: f"10.0.0.{number}",
        Kind.POINT: [8.5, float(number)],
        Kind.LINE: [[0.0, 0.0], [1.0, float(number)]],
        Kind.POLYGON: [[[0, 0], [4, 0], [4, 4], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]],
    }[kind]


def describe(schema: Schema) -> str:
    """A schema as JSON, for the message of a failing test."""
    import msgspec

    return json.dumps(msgspec.to_builtins(schema), ensure_ascii=False)
