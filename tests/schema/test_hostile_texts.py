"""Texts that are no schema, or are meant to break who reads them: refused, and soon."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.schema import Problem, SchemaError, parse_schema
from freehold.schema.design import design
from freehold.schema.document import MAX_BYTES
from tests.schema.texts import problems, with_fields

CRM = Path(__file__).parents[2] / "examples" / "crm" / "freehold.yaml"


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
