"""`.apsorc` files as they are: what becomes of them, and what their author is asked."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
from typing import Any

import pytest

from freehold.schema import Problem, SchemaError, parse_schema
from freehold.schema.apsorc import TYPES, convert
from freehold.schema.model import Entity, Kind, Schema
from freehold.schema.sketch import Note

USER = {"name": "User", "fields": [{"name": "email", "type": "text", "length": 255, "is_email": True}]}
TEAM = {"name": "Team", "fields": [{"name": "name", "type": "text"}]}


def read(**keys: Any) -> tuple[Schema, tuple[Note, ...]]:
    imported = convert(
        json.dumps({"version": 2, "rootFolder": "src", **keys}), file=".apsorc", service="demo"
    )
    return parse_schema(imported.text), imported.notes


def field(**settings: Any) -> tuple[Entity, list[Note]]:
    """An entity with one field, and what is told of it."""
    schema, notes = read(entities=[{"name": "Item", "fields": [{"name": "a", "type": "text", **settings}]}])
    return schema.entities[0], [note for note in notes if note.where.startswith("item")]


def refusal(text: str) -> Problem:
    with pytest.raises(SchemaError) as raised:
        convert(text, file=".apsorc", service="demo")
    (found,) = raised.value.problems
    return found


def related(*relationships: dict[str, Any]) -> Schema:
    return read(entities=[USER, TEAM], relationships=list(relationships))[0]


def test_version_2_says_relations_beside_entities() -> None:
    schema = related(
        {"from": "Team", "to": "User", "type": "OneToMany", "cascadeDelete": True},
        {"from": "Team", "to": "User", "type": "ManyToOne", "to_name": "owner", "nullable": True},
    )
    user, team = schema.entities

    assert [str(each.type) for each in user.fields] == ["email", "ref(team)"]
    assert (user.fields[1].on_delete, user.fields[1].inverse) == ("cascade", "users")
    assert (team.fields[1].name, str(team.fields[1].type), team.fields[1].nullable) == (
        "owner",
        "ref(user)",
        True,
    )


def test_version_1_says_the_same_with_associations() -> None:
    one = {**TEAM, "associations": [{"name": "User", "type": "OneToMany"}]}
    many = {
        **USER,
        "associations": [
            {"name": "Team", "type": "ManyToOne", "reference_name": "homeTeam", "nullable": True}
        ],
    }
    schema, _ = read(version=1, entities=[many, one])
    relation = schema.entities[0].fields[1]

    assert (relation.name, str(relation.type), relation.nullable) == ("home_team", "ref(team)", True)
    assert relation.inverse == "users"


def test_a_file_without_a_version_is_read_by_what_is_in_it() -> None:
    text = json.dumps(
        {"entities": [USER, TEAM], "relationships": [{"from": "User", "to": "Team", "type": "OneToOne"}]}
    )
    schema = parse_schema(convert(text, file=".apsorc", service="demo").text)

    assert schema.entities[0].fields[1].unique == "tenant"


def test_both_sides_of_many_to_many_are_one_relation() -> None:
    schema = related(
        {"from": "User", "to": "Team", "type": "ManyToMany", "bi_directional": True, "to_name": "teams"},
        {"from": "Team", "to": "User", "type": "ManyToMany", "bi_directional": True, "to_name": "members"},
    )

    assert [each.name for each in schema.entities[0].fields] == ["email", "teams"]
    assert schema.entities[0].fields[1].inverse == "members"
    assert [each.name for each in schema.entities[1].fields] == ["name"]


@pytest.mark.parametrize("written", sorted(TYPES))
def test_every_type_is_read(written: str) -> None:
    entity, notes = field(type=written, precision=9, scale=2)

    assert entity.fields[0].type.kind in Kind
    assert all(note.kind == "changed" for note in notes)


@pytest.mark.parametrize(
    ("settings", "type_"),
    [
        ({"length": "64"}, "string(64)"),
        ({"length": 255, "is_email": True}, "email"),
        ({"type": "decimal", "precision": 10, "scale": 2}, "decimal(10,2)"),
        ({"type": "enum", "values": ["New", "In Progress", "1st"]}, "enum(New, In Progress, 1st)"),
        ({"type": "timestamptz", "nullable": "true"}, "datetime"),
    ],
)
def test_parameters_of_types_are_kept(settings: dict[str, Any], type_: str) -> None:
    entity, notes = field(**settings)

    assert (str(entity.fields[0].type), notes) == (type_, [])


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"type": "integer", "default": "5"}, 5),
        ({"type": "boolean", "default": "true"}, True),
        ({"type": "enum", "values": ["A", "B"], "default": "B"}, "B"),
        ({"type": "decimal", "precision": 5, "scale": 2, "default": 1.5}, "1.5"),
    ],
)
def test_a_default_is_read_as_its_type_has_it(settings: dict[str, Any], kept: Any) -> None:
    entity, notes = field(**settings)

    assert (entity.fields[0].default, notes) == (kept, [])


@pytest.mark.parametrize(
    "settings",
    [
        {"type": "timestamptz", "default": "now()"},
        {"type": "integer", "default": "many"},
        {"type": "enum", "values": ["A", "B"], "default": "C"},
        {"type": "boolean", "default": "yes"},
    ],
)
def test_a_default_that_means_nothing_is_asked_about(settings: dict[str, Any]) -> None:
    entity, (note,) = field(**settings)

    assert entity.fields[0].default is None
    assert (note.kind, note.where) == ("decide", "item.a")
    assert f"the default `{settings['default']}` is not" in note.what


def test_values_of_an_enum_that_collide_in_code_are_asked_about() -> None:
    entity, (note,) = field(type="enum", values=["on-hold", "on_hold"])

    assert str(entity.fields[0].type) == "string(7)"
    assert note.kind == "decide"
    assert "`on-hold` and `on_hold` would both be called `ON_HOLD`" in note.what


def test_values_of_a_text_are_asked_about() -> None:
    _, (note,) = field(type="varchar", values=["draft", "paid"])

    assert note.kind == "decide"
    assert "make it `enum(draft, paid)`" in note.what


def test_tenancy_and_access_that_are_not_said_are_asked_about_and_nothing_is_open() -> None:
    schema, notes = read(entities=[USER, TEAM])

    assert [note.kind for note in notes] == ["decide", "decide"]
    assert "`team` looks like the tenant" in notes[0].what
    assert {grant.role for each in schema.entities for grant in each.access.read} == {"service"}


def test_a_scope_is_a_tenant() -> None:
    organization = {"name": "Organization", "fields": [{"name": "name", "type": "text"}]}
    project = {
        "name": "Project",
        "scopeBy": "organizationId",
        "fields": [{"name": "code", "type": "text", "length": 9}],
        "uniques": [{"name": "one", "fields": ["organizationId", "code"]}],
    }
    task = {"name": "Task", "fields": [{"name": "title", "type": "text"}]}
    schema, notes = read(
        entities=[organization, project, task],
        relationships=[
            {"from": "Organization", "to": "Project", "type": "OneToMany"},
            {"from": "Project", "to": "Task", "type": "OneToMany"},
        ],
    )

    assert schema.tenancy is not None
    assert schema.tenancy.entity == "organization"
    assert [each.tenant for each in schema.entities] == ["self", "scoped", "scoped"]
    assert [part.field for part in schema.entities[1].indexes[0].parts] == ["code"]
    assert any(note.where == "task" and note.kind == "decide" for note in notes)


def test_names_become_those_of_the_language_and_that_is_told() -> None:
    schema, notes = read(
        entities=[{"name": "OrderItem", "fields": [{"name": "unitPrice", "type": "integer"}, {"name": "class", "type": "text"}]}]
    )  # fmt: skip

    assert [each.name for each in schema.entities[0].fields] == ["unit_price", "class_value"]
    assert "unitPrice is unit_price, class is class_value" in notes[0].what


def test_relations_that_are_required_in_a_circle_are_opened() -> None:
    schema = related(
        {"from": "User", "to": "Team", "type": "ManyToOne"},
        {"from": "Team", "to": "User", "type": "ManyToOne", "to_name": "lead"},
    )

    assert [each.fields[1].nullable for each in schema.entities] == [True, False]


def test_comments_are_skipped_and_places_stay() -> None:
    text = '{ // who\n  "entities": [ { "name": "A//b", "fields": [ /* x\n */ { "name": "a", "type": "txt" } ] } ] }'
    found = refusal(text)

    assert (found.message, found.hint) == ("`txt` is not a type", "did you mean `text`?")
    assert (found.file, found.line) == (".apsorc", 3)


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"version": 3}, "version `3` is not known", "1 and 2"),
        ({"entities": {}}, "is not a list", ""),
        ({"entities": [{"fields": []}]}, "has no `name`", ""),
        ({"entities": [USER, USER]}, "second time", "rename"),
        ({"entities": [USER], "relationships": [{"from": "User", "to": "Usr", "type": "ManyToOne"}]}, "no entity `Usr`", "`User`"),
        ({"entities": [USER], "relationships": [{"from": "User", "to": "User", "type": "ManyToNone"}]}, "not a relation", "ManyToOne"),
        ({"entities": [{"name": "A", "fields": [{"name": "b", "type": "enum"}]}]}, "without `values`", ""),
        ({"entities": [{"name": "A", "fields": [{"name": "b", "type": "text", "nullable": "maybe"}]}]}, "`true` or", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(keys: dict[str, Any], message: str, hint: str) -> None:
    found = refusal(json.dumps(keys, indent=2))

    assert message in found.message
    assert hint in found.hint
    assert found.line >= 1
