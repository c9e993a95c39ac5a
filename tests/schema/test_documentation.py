"""The page about the language names all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from freehold.schema import keys, parse_schema
from freehold.schema.model import Kind

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))


@pytest.mark.parametrize(
    "words",
    [keys.TOP, keys.TENANCY, keys.AUTH, keys.SESSION, keys.ENTITY, keys.ACCESS, keys.FIELD, keys.PLATFORM],
    ids=["file", "tenancy", "auth", "session", "entity", "access", "field", "platform"],
)
def test_every_key_is_on_the_page(words: dict[str, object]) -> None:
    assert set(words) - NAMED == set()


def test_every_type_and_word_is_on_the_page() -> None:
    words = {str(kind) for kind in Kind} | {*keys.AUTH_PROVIDERS, *keys.DEPLOY}

    assert words - NAMED == set()


def test_the_example_on_the_page_is_right() -> None:
    (example,) = re.findall(r"```yaml\n(freehold: 1\n.*?)```", PAGE, re.DOTALL)

    assert len(parse_schema(example).entities) == 3
