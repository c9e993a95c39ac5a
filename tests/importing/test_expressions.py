"""Checks and defaults as PostgreSQL spells them, read back."""

# Tables of examples are easier to read with one example a line.

from __future__ import annotations

from typing import Any

import pytest

from freehold.importing.expressions import is_now, read_check, read_default


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(a = ANY (ARRAY['x'::text, 'it''s'::text]))", {"values": ["x", "it's"]}),
        (
            "((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
            {"values": ["x", "y"]},
        ),
        ("((a = 'x'::text) OR (a = 'y'::text))", {"values": ["x", "y"]}),
        ("(a <@ ARRAY['x'::text, 'y'::text])", {"values": ["x", "y"]}),
        ("(char_length(a) <= 120)", {"length": {"max": 120}}),
        ("((char_length((a)::text) >= 2) AND (length(a) < 41))", {"length": {"min": 2, "max": 40}}),
        ("((a >= 1) AND (a <= 10))", {"range": {"min": 1, "max": 10}}),
        ("((a >= '-5'::integer) AND (a < 10))", {"range": {"min": -5, "max": 9}}),
        ("((a >= (0)::numeric) AND (a <= 10.25))", {"range": {"min": 0, "max": "10.25"}}),
        ("((1 <= ALL (a)) AND (9 >= ALL (a)))", {"range": {"min": 1, "max": 9}}),
        ("(((a)::character varying(20)[])::text[] = a)", {"length": {"max": 20}}),
        ("(a ~ '^[a-z]+$'::text)", {"pattern": "^[a-z]+$"}),
        (r"(a ~ E'^\\.'::text)", {"pattern": r"^\."}),
        ("(a IS NOT NULL)", {}),
        ("(array_position(a, NULL::text) IS NULL)", {}),
        ("(a > 1.5)", None),
        ("(a <> ''::text)", None),
        ("(a > b)", None),
        ("(pg_sleep(10) IS NULL)", None),
    ],
)
def test_a_check_is_read(expression: str, said: dict[str, Any] | None) -> None:
    assert read_check(expression, "a") == said


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'draft'::text", "draft"),
        ("'it''s'::character varying", "it's"),
        ("5", 5),
        ("'-5'::integer", -5),
        ("'-0.50'::numeric", "-0.50"),
        ("1.5", "1.5"),
        ("true", True),
        ("NULL::character varying", None),
        ("'{}'::text[]", []),
        ("'{a,b}'::text[]", ["a", "b"]),
        ("ARRAY['a'::text, 'b, c'::text]", ["a", "b, c"]),
        ("'{\"a\": 1}'::jsonb", {"a": 1}),
        ("'2026-01-01'::date", "2026-01-01"),
    ],
)
def test_a_constant_default_is_read(expression: str, value: Any) -> None:
    assert read_default(expression) == (True, value)


@pytest.mark.parametrize(
    "expression", ["now()", "gen_random_uuid()", "nextval('a'::regclass)", "(1 + 1)", "lower('A'::text)"]
)
def test_a_default_that_is_worked_out_is_none(expression: str) -> None:
    assert read_default(expression)[0] is False


def test_the_moment_of_writing_is_known_by_its_names() -> None:
    known = ["now()", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)", "timezone('utc'::text, now())"]

    assert all(map(is_now, known))
    assert not is_now("'now'::text")
