"""The schema language: what it says, and how each mistake in it is told."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.schema import Problem, SchemaError, document, parse_schema, read_schema
from freehold.schema.design import design
from freehold.schema.document import MAX_BYTES
from freehold.schema.model import Comparison, Entity, Grant, Index, IndexPart, Kind, MemberOf
from freehold.schema.problems import Problems
from tests.schema.texts import FRAME, only_problem, problems, with_fields

CRM = Path(__file__).parents[2] / "examples" / "crm" / "freehold.yaml"


def task(*fields: str, **keys: str) -> Entity:
    found = parse_schema(with_fields(*fields, **keys)).entity("task")
    assert found is not None
    return found


# What it says


def test_the_example_reads_cleanly() -> None:
    schema = read_schema(CRM)

    assert schema.service == "acme-crm"
    assert [table.name for table in design(schema)][:3] == ["organization", "currency", "app_user"]
    ids = [entity.id for entity in schema.entities] + [
        field.id for each in schema.entities for field in each.fields
    ]
    assert len(ids) == len(set(ids))


def test_every_type_is_understood_in_flow_and_in_block_style() -> None:
    written = [
        "string(120)", "text", "int", "bigint", "float", "decimal(12,2)", "bool", "date", "time", "datetime", "uuid", "json",
        "bytes", "enum(a, 1st)", "email", "url", "ip", "point", "line", "polygon", "ref(tag)", "many(tag)",
    ]  # fmt: skip
    flow = task(*(f"f{number}: {{ type: {each}, nullable: false }}" for number, each in enumerate(written)))
    block = task(*(f"f{number}: {each}" for number, each in enumerate(written)))

    assert {field.type.kind for field in flow.fields} == set(Kind)
    assert (
        [str(field.type) for field in flow.fields] == [str(field.type) for field in block.fields] == written
    )


def test_arrays_are_understood_in_flow_style() -> None:
    entity = task(
        "labels: { type: string(40)[], default: [a, b] }", "sizes: { type: decimal(5,2)[], default: [] }"
    )

    assert [str(field.type) for field in entity.fields] == ["string(40)[]", "decimal(5,2)[]"]
    assert entity.fields[0].default == ["a", "b"]


def test_json_is_read_like_yaml() -> None:
    text = json.dumps(
        {
            "freehold": 1,
            "service": "x",
            "entities": {"a": {"tenant": "none", "fields": {"b": {"type": "enum(c, d)"}}}},
        },
        indent="\t",
    )

    assert parse_schema(text).entities[0].fields[0].type.values == ("c", "d")


def test_json_spells_characters_beyond_16_bits_as_two() -> None:
    text = json.dumps(
        {
            "freehold": 1,
            "service": "x",
            "entities": {"a": {"tenant": "none", "description": "😀 é", "fields": {"b": "int"}}},
        }
    )

    assert "\\ud83d\\ude00" in text
    assert parse_schema(text).entities[0].description == "😀 é"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{ a: enum(x, y: z, w # v)[], b: 1 }", {"a": "enum(x, y: z, w # v)[]", "b": 1}),
        ("{ a: enum(x,\n  y), b: text[] }", {"a": "enum(x, y)", "b": "text[]"}),
        ("[decimal(5,2), int[], x]", ["decimal(5,2)", "int[]", "x"]),
        ("{ a: string (5) [], b: [] }", {"a": "string (5) []", "b": []}),
        ("{ a: (x, b: 1 }", {"a": "(x", "b": 1}),
        ("{ a: enum(x, b: [1, 2] }", {"a": "enum(x", "b": [1, 2]}),
        ("{ a: 'it(, )', b: \"x(, )\" }", {"a": "it(, )", "b": "x(, )"}),
        ("enum(a, 'b, c', \"d)\")", "enum(a, 'b, c', \"d)\")"),
        ("{ a: enum(it's, x), b: 2 }", {"a": "enum(it's", "x)": None, "b": 2}),
        ("f(a, b)\nc: d(1, 2)", None),
        ("\ue000 \ue001(a, b)[]", "\ue000 \ue001(a, b)[]"),
    ],
)
def test_a_type_is_one_word_wherever_it_stands(written: str, read: Any) -> None:
    found = Problems()
    try:
        value = document.parse(f"k: {written}" if read is not None else written, file="x", problems=found)
    except SchemaError:
        assert read is None
        return
    assert value.plain() == {"k": read}


def test_a_hundred_entities_are_read_in_less_than_a_second() -> None:
    names = [f"thing_{chr(97 + at // 26)}{chr(97 + at % 26)}x" for at in range(100)]
    fields = "".join(
        f"      f_{chr(97 + at)}: {{ type: decimal(12,2), nullable: true, min: 0 }}\n" for at in range(12)
    )
    text = FRAME + "".join(
        f"  {name}:\n    tenant: none\n    fields:\n      other: {{ type: ref({names[at - 1]}), nullable: true }}\n{fields}"
        for at, name in enumerate(names)
    )
    start = time.process_time()
    schema = parse_schema(text)

    assert len(schema.entities) == 103
    assert time.process_time() - start < 1


def test_a_relation_has_a_key_column_and_a_wire_name() -> None:
    owner = task(
        "owner: { type: ref(tag), nullable: true, on_delete: set_null, default: me, inverse: tasks }"
    ).fields[0]

    assert (owner.column, owner.wire_name, owner.on_delete, owner.default_me) == (
        "owner_id",
        "owner_id",
        "set_null",
        True,
    )


def test_layout_follows_from_tenancy_and_switches() -> None:
    entity = task(
        "a: int", soft_delete="true", audit="true", version="false", timestamps="false", id="serial"
    )

    assert list(entity.layout.columns()) == ["tenant_id", "id", "created_by", "updated_by", "deleted_at"]
    assert entity.id_kind == "serial"


def test_plurals_are_made_and_can_be_said() -> None:
    text = (
        FRAME
        + "  deal_line: { tenant: none, fields: { a: int } }\n  person: { tenant: none, fields: { a: int } }\n"
    )
    text += "  cactus: { tenant: none, plural: cacti, fields: { a: int } }\n  company: { tenant: none, fields: { a: int } }\n"

    assert [each.plural for each in parse_schema(text).entities[3:]] == [
        "deal_lines",
        "people",
        "cacti",
        "companies",
    ]


def test_indexes_name_fields_and_directions() -> None:
    entity = task("a: int", "b: int", index="[[a, -created_at]]", unique="[[a, b]]")

    assert entity.indexes == (
        Index(parts=(IndexPart(field="a"), IndexPart(field="created_at", descending=True))),
        Index(parts=(IndexPart(field="a"), IndexPart(field="b")), unique=True),
    )


def test_access_lines_become_grants_with_typed_conditions() -> None:
    access = task(
        "state: enum(open, won)", "size: int", "done: bool", "owner: { type: ref(tag), nullable: true, inverse: tasks }",
        access="{ read: public, update: [admin, { role: member, where: owner = me and state in (open, won) and size = 3 }],"
        " delete: { role: member, where: member_of(owner) and done = true } }",
    ).access  # fmt: skip

    assert access.read == (Grant(role="public"),)
    assert access.update[1] == Grant(
        role="member",
        where=(
            Comparison(field="owner", me=True),
            Comparison(field="state", values=("open", "won")),
            Comparison(field="size", values=(3,)),
        ),
    )
    assert access.delete[0].where == (MemberOf(relation="owner"), Comparison(field="done", values=(True,)))
    assert access.create == ()


def test_links_go_with_their_rows_or_keep_them() -> None:
    plain, kept = task("a: many(tag)", "b: { type: many(tag), on_delete: restrict }").fields

    assert (plain.on_delete, kept.on_delete) == ("cascade", "restrict")


def test_decimals_keep_the_digits_that_were_written() -> None:
    price = task("price: { type: decimal(6,2), default: 0.10, min: 0, max: 1000.50 }").fields[0]

    assert (price.default, price.min, price.max) == ("0.10", "0", "1000.50")


@pytest.mark.parametrize(
    "text", ["1st", "no", "null", "it's", 'say "x"', "a, b", "`${x}`", "*/ -- ;", "<%= %>", "日本"]
)
def test_any_text_can_be_a_member_of_an_enum(text: str) -> None:
    quoted = json.dumps(text, ensure_ascii=False)
    schema = parse_schema(
        with_fields(f"state: {{ type: {json.dumps(f'enum(first, {quoted})')}, default: {quoted} }}")
    )

    field = schema.entities[-1].fields[0]
    assert (field.type.values, field.default) == (("first", text), text)


def test_descriptions_and_names_of_other_languages_are_data() -> None:
    hostile = '"; import os; os.system("x") #\n*/ ${x} `y` $$ \\'
    schema = parse_schema(with_fields(f"a: {{ type: int, description: {json.dumps(hostile)} }}"))

    assert schema.entities[-1].fields[0].description == hostile


# Several files


def test_included_files_add_entities(tmp_path: Path) -> None:
    (tmp_path / "freehold.yaml").write_text("include: [sales/deals.yaml]\n" + FRAME)
    (tmp_path / "sales").mkdir()
    (tmp_path / "sales" / "deals.yaml").write_text(
        "entities:\n  deal: { tenant: scoped, fields: { tag: ref(tag) } }\n"
    )

    assert [each.name for each in read_schema(tmp_path).entities] == ["org", "tag", "kind", "deal"]


@pytest.mark.parametrize("outside", ["../other.yaml", "/etc/hostname", "link.yaml"])
def test_an_included_file_cannot_lie_outside_of_the_folder(tmp_path: Path, outside: str) -> None:
    folder = tmp_path / "schema"
    folder.mkdir()
    (tmp_path / "other.yaml").write_text("entities: {}\n")
    (folder / "link.yaml").symlink_to(tmp_path / "other.yaml")
    (folder / "freehold.yaml").write_text(f"include: [{outside}]\n" + FRAME)

    with pytest.raises(SchemaError, match="outside of the schema's folder"):
        read_schema(folder)


def test_a_mistake_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "freehold.yaml").write_text("include: [deals.yaml]\n" + FRAME)
    (tmp_path / "deals.yaml").write_text(
        "entities:\n  tag: { tenant: none, fields: { a: int } }\n  b: { tenat: none, fields: { a: int } }\n"
    )

    with pytest.raises(SchemaError) as raised:
        read_schema(tmp_path)
    assert {(each.file, each.line) for each in raised.value.problems} == {
        ("deals.yaml", 2),
        ("deals.yaml", 3),
    }


def test_a_file_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No such file"):
        read_schema(tmp_path / "missing.yaml")


# What cannot be read at all


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("[1]", "is not a map"),
        ("a: [", "is not YAML"),
        ("a:\n\t- b", "not with tabs"),
        ("a: \x00", "is not YAML"),
        ("a: &x 1\nb: *x", "anchors and aliases"),
        ("a: &x [1]\nb: &y [*x, *x]\nc: [*y, *y]", "anchors and aliases"),
        ("<<: {a: 1}", "merge keys"),
        ("a: !!python/object/apply:os.system [id]", "the tag"),
        ("a: !include x", "the tag"),
        ("? [a]\n: b", "a key must be a word"),
        ("a: 1\n---\nb: 2", "is not YAML"),
        ("[" * 5000, "nest"),
        ("[" * 300 + "]" * 300, "nested"),
        ("- " * 2000 + "a", "nested"),
        ("a: [" + "1," * 120_000 + "]", "more than"),
        ("a: " + "x" * (MAX_BYTES + 1), "is larger than"),
    ],
)
def test_what_is_no_document_or_a_hostile_one_is_refused(text: str, message: str) -> None:
    assert any(message in str(each) for each in problems(text))


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(SchemaError, match="not UTF-8"):
        parse_schema(b"freehold: \xff\xfe")


def test_a_key_that_is_there_twice_is_told_with_both_lines() -> None:
    found = next(each for each in problems("freehold: 1\nservice: a\nservice: b\n") if each.path == "service")

    assert (found.line, found.column, found.hint) == (3, 1, "the first is in line 2")


# All mistakes at once, each in its place


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = with_fields(
        "a: strng(2)", "b: { type: int, mni: 3 }", "owner: ref(tga)", "c: { type: enum(x, y), default: z }"
    )
    found = problems(text)

    assert [(each.path.removeprefix("entities.task.fields."), each.line) for each in found] == [
        ("a", 12),
        ("b.mni", 13),
        ("owner", 14),
        ("c.default", 15),
    ]
    assert [each.hint for each in found][:3] == [
        "did you mean `string`?",
        "did you mean `min`?",
        "did you mean `tag`?",
    ]
    assert all(each.column > 1 for each in found)


def field_of(line: str) -> str:
    return with_fields(line)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("a: strng(2)", "`strng` is not a type", "did you mean `string`?"),
        ("a: varchar(20)", "`varchar` is not a type", "write `string(n)`"),
        ("a: string", "needs parameters", "string(120)"),
        ("a: string(0)", "is not a length", "from 1"),
        ("a: decimal(5)", "does not say its digits", "decimal(12,2)"),
        ("a: decimal(2,5)", "does not say its digits", "decimal(12,2)"),
        ("a: int(4)", "takes no parameters", "write `int`"),
        ("a: json[]", "no arrays of `json`", "may be an array"),
        ("a: ref(tag)[]", "no arrays of `ref`", "many(entity)"),
        ("a: ref(tga)", "no entity `tga`", "did you mean `tag`?"),
        ("a: many(tga)", "no entity `tga`", "did you mean `tag`?"),
        ("a: enum(x, x)", "has `x` twice", "leave one out"),
        ("a: enum(x-y, x_y)", "would both be called `X_Y`", "change one"),
        ("a: enum()", "cannot be read", "commas"),
        ("a: enum(x,,y)", "is empty", "nullable"),
        ("a: [int]", "is not a map", "a type such as"),
        ("a: { nullable: true }", "has no `type:`", "such as"),
        ("a: { type: 5 }", "is not a text", "a type such as"),
        ("a: { type: int, nulable: true }", "`nulable` is not known here", "did you mean `nullable`?"),
        ("a: { type: int, nullable: maybe }", "is not `true` or `false`", ""),
        ("a: { type: int, default: x }", "is not a number", ""),
        ("a: { type: int, default: 1.5 }", "is not a whole number", ""),
        ("a: { type: int, default: 3000000000 }", "is beyond int", "from -2147483648"),
        ("a: { type: bool, default: 1 }", "is not `true` or `false`", ""),
        ("a: { type: string(3), default: long }", "is longer than 3", ""),
        ("a: { type: string(3), default: 5 }", "is not a text", "quotes"),
        ("a: { type: enum(x, y), default: z }", "is not a member", "known: `x`, `y`"),
        ("a: { type: decimal(4,2), default: 123.4 }", "too many digits", "at most 2 before"),
        ("a: { type: date, default: 2026-13-01 }", "is not a date", "2026-12-31"),
        ("a: { type: time, default: noon }", "is not a time of day", "14:30:00"),
        ("a: { type: datetime, default: 2026-01-01T10:00:00 }", "is not a moment", "zone"),
        ("a: { type: uuid, default: x }", "is not a UUID", ""),
        ("a: { type: bytes, default: '*' }", "is not base64", ""),
        ("a: { type: email, default: x }", "is not an e-mail address", ""),
        ("a: { type: url, default: x }", "is not a URL", "scheme"),
        ("a: { type: ip, default: x }", "is not an IP address", ""),
        ("a: { type: point, default: [1] }", "is not a point", "longitude first"),
        ("a: { type: polygon, default: [[[0, 0], [1, 1]]] }", "is not a polygon", "longitude first"),
        ("a: { type: int[], default: 5 }", "is not a list", "[]"),
        ("a: { type: int[], default: [x] }", "is not a number", ""),
        ("a: { type: ref(tag), default: x }", "only default of a relation", "default: me"),
        ("a: { type: int, default: 5, max: 3 }", "is above `max: 3`", ""),
        ("a: { type: string(9), default: AB, pattern: '^[a-z]+$' }", "does not fit", ""),
        ("a: { type: int, min: 5, max: 3 }", "is above `max: 3`", "exchange"),
        ("a: { type: string(5), max: 9 }", "is beyond string(5)", "at most 5"),
        ("a: { type: string(5), min: -1 }", "not a number of characters", ""),
        ("a: { type: date, min: 2026-01-01 }", "cannot have `min:`", "leave it out"),
        ("a: { type: string(5), pattern: '[' }", "is not a regular expression", ""),
        ("a: { type: string(5), pattern: '\\d+' }", "not mean the same", "[0-9]"),
        ("a: { type: string(5), pattern: '(?=x)' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(?!x)' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(?<=x)y' }", "not known to every language", "plain groups"),
        ("a: { type: string(5), pattern: '(a|b)\\1' }", "not mean the same", "what it stands for"),
        ("a: { type: string(5), pattern: '((a{40}b){30})' }", "may multiply to 1000", "one place"),
        ("a: { type: string(5), pattern: 'a+?' }", "not known to every language", ""),
        ("a: { type: text, unique: true }", "cannot have `unique:`", "string(n)"),
        ("a: { type: json, index: true }", "cannot have `index:`", ""),
        ("a: { type: int, unique: yes }", "is not `true`, `false` or `global`", "per tenant"),
        ("a: { type: int, search: true }", "cannot have `search:`", ""),
        ("a: { type: int, on_delete: cascade }", "cannot have `on_delete:`", ""),
        ("a: { type: many(tag), nullable: true }", "cannot have `nullable:`", ""),
        ("a: { type: string(2000), index: true }", "8000 bytes", "shorten"),
        ("a: { type: int, natural_key: true }", "must be unique", "unique: true"),
        ("a: { type: ref(tag), on_delete: set_null }", "needs a field that may be null", "nullable: true"),
        ("a: { type: ref(tag), on_delete: nullify }", "`nullify` is not known", "known: `cascade`"),
        ("a: { type: ref(tag), owned: true }", "goes with its owner", "on_delete: cascade"),
        ("a: { type: ref(tag), inverse: Tasks }", "cannot name a relation", "`tasks`"),
        ("a: { type: ref(tag), inverse: name }", "has a field `name` already", "something else"),
        ("a: { type: int, read: memer }", "no role `memer`", "did you mean `member`?"),
        ("a: { type: int, column: xmin }", "cannot name anything in PostgreSQL", ""),
        ("a: { type: int, column: 'a\"; drop table x; --' }", "not safe in a name", ""),
        ("a: { type: int, column: 'first name' }", "not safe in a name", "`first_name`"),
        ("a: { type: int, column: größe }", "not safe in a name", "letters, digits"),
        ("a: { type: many(tag), on_delete: set_null }", "there or not", "`restrict` keeps rows"),
        ("a: { type: int, column: id }", "is there already", "column:"),
        ("a: { type: int, was: [b] }", "is not a text", "name that it had"),
        ("A: int", "cannot name a field", "`a`"),
        ("firstName: int", "cannot name a field", "`first_name`"),
        ("class: string(5)", "is a word of Python", "`class_value`"),
        ("constructor: string(5)", "in TypeScript", "constructor_value"),
        ("id: int", "every table may have", ""),
        ("tenant_id: int", "every table may have", ""),
        ("tag_id: ref(tag)", "names a relation, not its key", "call it `tag`"),
        ("limit: int", "has a meaning in every list", "filter: false"),
        ("task: ref(task)", "nobody could write the first row", "nullable: true"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_field_is_told_with_how_to_mend_it(line: str, message: str, hint: str) -> None:
    found = only_problem(field_of(line))

    assert message in found.message
    assert hint in found.hint
    assert found.line == 12
    assert found.path.startswith("entities.task.fields.")


@pytest.mark.parametrize(
    ("keys", "message", "hint"),
    [
        ({"tenant": ""}, "does not say its `tenant:`", "there is no default"),
        ({"tenant": "scopd"}, "`scopd` is not known", "did you mean `scoped`?"),
        ({"tenant": "self"}, "but the tenant is `org`", "scoped"),
        ({"acess": "{}"}, "`acess` is not known here", "did you mean `access`?"),
        ({"access": "{ raed: member }"}, "`raed` is not known here", "did you mean `read`?"),
        ({"access": "{ read: memer }"}, "no role `memer`", "did you mean `member`?"),
        ({"access": "{ read: [{ where: a = 1 }] }"}, "does not say whose `role:`", "role: member"),
        ({"access": "{ read: { role: member, where: b = me } }"}, "has no field `b`", "known"),
        ({"access": "{ read: { role: member, where: a = me } }"}, "`me` is an id", "owner = me"),
        ({"access": "{ read: { role: member, where: tenant_id = tenant } }"}, "the caller's own tenant", "leave"),
        ({"access": "{ read: { role: member, where: a = x } }"}, "is not a number", ""),
        ({"access": "{ read: { role: member, where: a = 1 or a = 2 } }"}, "`or` is not expected", "access line of its own"),
        ({"access": "{ read: { role: member, where: a > 1 } }"}, "is not a condition", "conditions are"),
        ({"access": "{ read: { role: member, where: 'a in (1,' } }"}, "the list is not closed", "field in (a, b)"),
        ({"access": "{ read: { role: member, where: member_of(team) } }"}, "no relation `team`", ""),
        ({"index": "[a]"}, "is not a list", "index: [[status"),
        ({"index": "[[b]]"}, "no column field `b`", "known"),
        ({"index": "[[a, a]]"}, "is named twice", "leave one out"),
        ({"unique": "[[-a]]"}, "uniqueness has none", "write `a`"),
        ({"plural": "Tasks"}, "cannot be a plural", "`tasks`"),
        ({"plural": "tags"}, "has the plural `tags` too", "plural:"),
        ({"table": "pg_x"}, "cannot name anything in PostgreSQL", ""),
        ({"table": "tag"}, "would be called `tag`", "table:"),
        ({"id": "guid"}, "`guid` is not known", ""),
        ({"audit": "sometimes"}, "is not `true` or `false`", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_an_entity_is_told_with_how_to_mend_it(
    keys: dict[str, str], message: str, hint: str
) -> None:
    found = problems(with_fields("a: int", **keys))[0]

    assert message in found.message
    assert hint in found.hint
    assert found.path.startswith("entities.task")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("service: a\nentities: {}\n", "does not say its language", "freehold: 1"),
        ("freehold: 2\nservice: a\n", "language `2` is not known", "freehold: 1"),
        ("freehold: 1\n", "has no `service:`", "acme-crm"),
        ("freehold: 1\nservice: Acme CRM\n", "cannot name a repository", "`acme-crm`"),
        ("freehold: 1\nservice: ../x\n", "cannot name a repository", "`x`"),
        ("freehold: 1\nservice: a\nentites: {}\n", "`entites` is not known", "did you mean `entities`?"),
        ("freehold: 1\nservice: a\ntenancy: { entity: org }\n", "no entity `org`", ""),
        ("freehold: 1\nservice: a\ntenancy: { isolation: rls }\n", "does not say which entity", "entity:"),
        ("freehold: 1\nservice: a\nauth: { provider: auth1 }\n", "`auth1` is not known", "did you mean `auth0`?"),
        ("freehold: 1\nservice: a\nauth: { tenant: memberhip }\nentities: { membership: { tenant: none, fields: { a: int } } }\n", "no entity `memberhip`", "did you mean `membership`?"),
        ("freehold: 1\nservice: a\nauth: { tenant: member }\nentities: { member: { tenant: none, fields: { a: int } } }\n", "is not `tenant: scoped`", "entities.member"),
        ("freehold: 1\nservice: a\nauth: { tenant: [member] }\n", "is not a text", ""),
        ("freehold: 1\nservice: a\nauth: { session: true }\n", "is not a map", "session: { table:"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, cooky: c } }\n", "`cooky` is not known", "did you mean `cookie`?"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, expires: e } }\n", "does not say `user`", "`user_id`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: a.b.c, token_column: t, user: u, expires: e } }\n", "`a.b.c` cannot name one", "`login.session`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: 't\"--', user: u, expires: e } }\n", "cannot name one", "`token`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, cookie: 'a;b' } }\n", "`a;b` cannot name one", "`session`"),
        ("freehold: 1\nservice: a\nauth: { session: { table: s, token_column: t, user: u, expires: e, hash: sha265 } }\n", "`sha265` is not known", "did you mean `sha256`?"),
        ("freehold: 1\nservice: a\nauth: { sessions: true, session: { table: s, token_column: t, user: u, expires: e } }\n", "excludes `sessions`", "leave out"),
        ("freehold: 1\nservice: a\ntenancy: { entity: org }\nauth: { session: { table: s, token_column: t, user: u, expires: e } }\nentities: { org: { tenant: self, fields: { a: int } } }\n", "not in which tenant", "auth.tenant"),
        ("freehold: 1\nservice: a\nauth: { gateway: yes please }\n", "is not `true` or", ""),
        ("freehold: 1\nservice: a\nroles: { admin: [membr], member: [] }\n", "no role `membr`", "`member`"),
        ("freehold: 1\nservice: a\nroles: { a: [b], b: [a] }\n", "inherits from itself", "circle"),
        ("freehold: 1\nservice: a\nroles: { public: [] }\n", "without being declared", "leave it out"),
        ("freehold: 1\nservice: a\nroles: { a: b }\n", "is not a list", ""),
        ("freehold: 1\nservice: a\ndeploy: [dokcer]\n", "`dokcer` is not known", "did you mean `docker`?"),
        ("freehold: 1\nservice: a\nplatform: { bucket: {} }\n", "`bucket` is not known", "did you mean `buckets`?"),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { max_sze: 1 } } }\n", "`max_sze`", "did you mean `max_size`?"),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { max_size: 5XB } } }\n", "is not a size", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { extensions: png } } }\n", "is not a list of texts", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { file_security: maybe } } }\n", "is not `true` or", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { x: { compression: zip } } }\n", "`zip` is not known", "gzip"),
        ("freehold: 1\nservice: a\nplatform: { functions: { x: { timeout: -1 } } }\n", "is not a whole number", ""),
        ("freehold: 1\nservice: a\nauth: { issuer: [a] }\n", "is not a text", ""),
        ("freehold: 1\nservice: a\nauth: { algorithms: RS256 }\n", "is not a list of texts", ""),
        ("freehold: 1\nservice: a\nauth: { require: { kind: 5 } }\n", "is not a map of texts", ""),
        ("freehold: 1\nservice: a\nplatform: { buckets: { ../x: {} } }\n", "cannot be an id", ""),
        ("freehold: 1\nservice: a\ninclude: [x.yaml]\n", "a text alone cannot include", ""),
        ("freehold: 1\nservice: a\ndefaults: { id: guid }\n", "`guid` is not known", "uuid"),
        ("freehold: 1\nservice: a\nentities: { b: { tenant: scoped, fields: { c: int } } }\n", "has no `tenancy:`", "tenancy:"),
        ("freehold: 1\nservice: a\nentities: { B: { tenant: none, fields: { c: int } } }\n", "cannot name an entity", "`b`"),
        ("freehold: 1\nservice: a\nentities: { import: { tenant: none, fields: { c: int } } }\n", "is a word of Python, TypeScript, Go", "import_entry"),
        ("freehold: 1\nservice: a\nentities: { audit_log: { tenant: none, fields: { c: int } } }\n", "makes for itself", ""),
        ("freehold: 1\nservice: a\nentities: { b: { tenant: none } }\n", "has no fields", "fields:"),
        ("freehold: 1\nservice: a\nentities: { b: 5 }\n", "is not a map", ""),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_how_to_mend_it(text: str, message: str, hint: str) -> None:
    found = problems(text)[0]

    assert message in found.message
    assert hint in found.hint


def test_a_tenant_that_is_not_self_is_told() -> None:
    text = "freehold: 1\nservice: a\ntenancy: { entity: org }\nentities: { org: { tenant: none, fields: { a: int } } }\n"

    assert "is not `tenant: self`" in only_problem(text).message


def test_who_belongs_to_no_tenant_cannot_refer_to_a_tenants_row() -> None:
    assert "belongs to no tenant" in only_problem(with_fields("tag: ref(tag)", tenant="none")).message


def test_relations_that_are_required_in_a_circle_are_told() -> None:
    text = (
        FRAME + "  a: { tenant: none, fields: { b: ref(b) } }\n  b: { tenant: none, fields: { a: ref(a) } }\n"
    )

    assert all("nobody could write the first row" in each.message for each in problems(text))


def test_two_relations_cannot_have_one_name_from_the_other_side() -> None:
    found = only_problem(
        with_fields("a: { type: ref(tag), inverse: tasks }", "b: { type: ref(tag), inverse: tasks }")
    )

    assert found.message == "`tag` has `tasks` already, from `task.a`"


def test_a_relation_and_a_field_cannot_share_a_key() -> None:
    assert "is called `a_id` too" in only_problem(with_fields("a: ref(tag)", "a_id: int")).message


def test_two_natural_keys_are_one_too_many() -> None:
    fields = [f"{name}: {{ type: int, unique: true, natural_key: true }}" for name in "ab"]

    assert only_problem(with_fields(*fields)).message == "`a` is the natural key already"


def test_a_table_that_an_index_already_has_as_its_name_is_told() -> None:
    text = (
        FRAME
        + "  a: { tenant: none, fields: { b: { type: int, index: true } } }\n  c: { tenant: none, table: a_b_idx, fields: { b: int } }\n"
    )

    assert "would be called `a_b_idx`" in only_problem(text).message


@pytest.mark.parametrize(
    "line",
    [
        "a: { type: string(100), default: '" + "a" * 60 + "', pattern: '(a+)+b$' }",
        "a: { type: string(200), default: '" + "a" * 190 + "', pattern: '" + "a*" * 200 + "b$' }",
        "a: 'enum(" + ",".join(f"m{number}" for number in range(60_000)) + ")'",
        "a: { type: int, description: '" + "x (" * 100_000 + "' }",
    ],
)
def test_a_hostile_field_does_not_keep_the_reader_busy(line: str) -> None:
    start = time.process_time()
    told(with_fields(line))

    assert time.process_time() - start < 5


def test_a_schema_full_of_mistakes_stops_at_a_bound() -> None:
    assert len(problems(with_fields(*(f"f{number}: strng" for number in range(390))))) == 200


# Any text at all

SCRAPS = st.sampled_from(
    ["", " ", "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", "(", ")", ",", "'", '"', "#", "|", ">", "&a ", "*a", "!!x ", "null",
     "true", "5", "-1", "1e999", "scoped", "self", "ref(user)", "ref(", "many(tag)", "enum()", "me", "and", "=", "in (", "é", "\u2028"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(edits=st.lists(st.tuples(st.integers(0, 13_000), st.integers(0, 60), SCRAPS), min_size=1, max_size=6))
def test_a_garbled_schema_is_read_or_refused_but_never_breaks_the_reader(
    edits: list[tuple[int, int, str]],
) -> None:
    text = CRM.read_text()
    for at, length, scrap in edits:
        text = text[:at] + scrap + text[at + length :]
    lines = text.count("\n") + 1

    assert all(1 <= each.line <= lines + 1 and each.message for each in told(text))


def told(text: str) -> list[Problem]:
    """What is wrong with a text, nothing when it can be read and laid out as tables."""
    try:
        design(parse_schema(text))
    except SchemaError as error:
        return error.problems
    return []
