"""The schema language: what a text says, and the files that it includes."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from freehold.schema import SchemaError, document, parse_schema, read_schema
from freehold.schema.design import design
from freehold.schema.model import Comparison, Entity, Grant, Index, IndexPart, Kind, MemberOf
from freehold.schema.problems import Problems
from tests.schema.texts import FRAME, with_fields

CRM = Path(__file__).parents[2] / "examples" / "crm" / "freehold.yaml"


def task(*fields: str, **keys: str) -> Entity:
    found = parse_schema(with_fields(*fields, **keys)).entity("task")
    assert found is not None
    return found


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
