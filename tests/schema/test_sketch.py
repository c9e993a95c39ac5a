"""Schemas that are found out elsewhere: the text is one that reads, and what is missing is told."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.schema import document, parse_schema
from freehold.schema.problems import Problems
from freehold.schema.sketch import Sketch, entity_name, field_name, service_name, spelled, told


def plain(text: str) -> Any:
    return document.parse(text, file="freehold.yaml", problems=Problems()).plain()


SCALARS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30),
    st.integers(-(2**60), 2**60),
    st.booleans(),
    st.none(),
    st.sampled_from(
        ["yes", "null", "1st", "a: b", "# x", "- a", "string(5)", "x, y", "{a}", "'", '"', "\u2028", "~"]
    ),
)
VALUES = st.recursive(
    SCALARS,
    lambda each: st.one_of(
        st.lists(each, max_size=4), st.dictionaries(st.text("abc_1", min_size=1), each, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.dictionaries(st.text("abcxyz", min_size=1), VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    assert plain(spelled(value)) == value


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.text(max_size=70), min_size=1, max_size=8))
@example(["0ID"])
def test_any_name_becomes_one_that_the_language_takes(sources: list[str]) -> None:
    sketch = Sketch(sources[0])
    for source in sources:
        entity = sketch.add_entity(source)
        for each in sources:
            sketch.add_field(entity, each, {"type": "int"})
        sketch.add_field(entity, sources[0], {"type": f"ref({entity})", "nullable": True})
    schema = parse_schema(sketch.finished().text)

    assert len(schema.entities) == len(sources)
    assert all(len(each.fields) == len(sources) + 1 for each in schema.entities)


def test_names_are_the_nearest_ones() -> None:
    assert [entity_name(each, []) for each in ("OrderItems", "people", "import", "audit_log", "status")] == [
        "order_item", "person", "import_entry", "audit_log_entry", "status",
    ]  # fmt: skip
    assert [field_name(each, {}) for each in ("createdAt", "limit", "class", "firstName", "__x")] == [
        "created_at_value", "limit_value", "class_value", "first_name", "x",
    ]  # fmt: skip
    assert field_name("ownerId", {}, is_ref=True) == "owner"
    assert field_name("ownerId", {"owner_id": {"type": "int"}}, is_ref=True) == "owner_b"
    assert field_name("ownerId", {"owner": {"type": "ref(user)"}}) == "owner_id_b"
    assert field_name("first name", {"first_name": {"type": "text"}}) == "first_name_b"
    assert service_name("My Shop!") == "my-shop"


def test_what_the_language_refuses_is_left_out_and_told() -> None:
    sketch = Sketch("shop")
    one = sketch.add_entity("one")
    sketch.add_field(one, "code", {"type": "string(9)", "pattern": "(?=x)", "default": "much too long"})
    sketch.add_field(one, "other", {"type": "ref(gone)"})
    sketch.add_field(one, "long", {"type": "string(5000)", "index": True})
    sketch.entities[one]["index"] = [["code", "nothing"], ["code", "long"]]
    empty = sketch.add_entity("empty")
    sketch.add_field(one, "empty", {"type": f"ref({empty})"})
    imported = sketch.finished()
    schema = parse_schema(imported.text)

    assert [field.name for field in schema.entities[0].fields] == ["code", "long"]
    assert (schema.entities[0].fields[0].pattern, schema.entities[0].indexes) == (None, ())
    assert {note.where for note in imported.notes} == {
        "one.code", "one.other", "one.long", "one", "empty", "one.empty",
    }  # fmt: skip
    assert all(note.kind == "left_out" for note in imported.notes)


def test_what_others_called_their_things_says_nothing_to_a_terminal() -> None:
    sketch = Sketch("shop")
    sketch.left_out("a\x1b[2Jb", "gone\r\n\x9bx")

    assert told(sketch.notes) == ["Left out:", r"  a\x1b[2Jb: gone\x0d\x0a\x9bx"]


def test_decisions_are_told_first() -> None:
    sketch = Sketch("shop")
    sketch.left_out("a", "gone")
    sketch.decide("b", "which?")

    assert told(sketch.notes) == ["To be decided:", "  b: which?", "Left out:", "  a: gone"]
