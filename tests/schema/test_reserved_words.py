"""Names that SQL or a language keeps for itself: quoted where that is safe, else refused with a proposal."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import asyncpg
import pytest

from freehold.db import ddl
from freehold.generator.generate import generate
from freehold.schema import Problem, SchemaError, names, parse_schema
from freehold.schema.names import LIST_PARAMETERS, SYSTEM_NAMES
from tests.postgres import Database
from tests.schema.texts import FRAME, only_problem, with_fields

PROGRAMMING = names.PYTHON_WORDS | names.TYPESCRIPT_WORDS | names.GO_WORDS


async def postgres_words(database: Database) -> list[str]:
    connection = await asyncpg.connect(database.url)
    try:
        return [row["word"] for row in await connection.fetch("SELECT word FROM pg_get_keywords()")]
    finally:
        await connection.close()


def only_mistake(text: str) -> Problem | None:
    """The one thing that is wrong with a text; None when nothing is."""
    try:
        parse_schema(text)
    except SchemaError as error:
        (found,) = error.problems
        return found
    return None


def as_field(word: str) -> str:
    """The name that a field gets that should be called so: the word, or the one that is proposed."""
    found = only_mistake(with_fields(f"{word}: int"))
    if found is None:
        return word
    assert word in SYSTEM_NAMES | LIST_PARAMETERS | PROGRAMMING, found
    proposed = re.search(r"call it `(\w+)`", found.hint)
    return proposed.group(1) if proposed else f"{word}_value"


def as_entity(word: str) -> str:
    found = only_mistake(FRAME + f"  {word}: {{ tenant: none, fields: {{ a: int }} }}\n")
    if found is None:
        return word
    proposed = re.search(r"call it `(\w+)`", found.hint)
    assert proposed is not None, found
    return proposed.group(1)


async def test_every_keyword_of_postgresql_can_be_a_field_and_a_table(database: Database) -> None:
    words = await postgres_words(database)
    fields = sorted({as_field(word) for word in words})
    entities = sorted({as_entity(word) for word in words} - {"org", "tag", "kind"})
    text = with_fields(*(f"{word}: {{ type: int, index: true }}" for word in fields[:300]))
    text += "  task_two:\n    tenant: scoped\n    fields:\n"
    text += "".join(f"      {word}: {{ type: int, min: 0 }}\n" for word in fields[300:])
    text += "".join(
        f"  {word}: {{ tenant: none, plural: {word}_rows, fields: {{ a: int }} }}\n"
        for word in entities
        if word != "task"
    )
    schema = parse_schema(text)
    connection = await asyncpg.connect(database.url)
    try:
        await ddl.apply(connection, ddl.create(schema))
        columns = await connection.fetch("SELECT attname FROM pg_attribute WHERE attrelid = 'task'::regclass")
        tables = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'")
    finally:
        await connection.close()

    assert {"user", "order", "table", "group"} <= {row["relname"] for row in tables}
    assert set(fields[:300]) <= {row["attname"] for row in columns}


@pytest.mark.parametrize("word", sorted(PROGRAMMING))
def test_a_word_of_a_language_is_a_field_or_has_a_proposal_that_is_one(word: str) -> None:
    name = as_field(word)
    schema = parse_schema(with_fields(f"{name}: {{ type: int, column: '{word}' }}"))

    assert schema.entities[-1].fields[0].column == word


@pytest.mark.parametrize("word", sorted(PROGRAMMING))
def test_a_word_of_a_language_cannot_name_an_entity_and_has_a_proposal(word: str) -> None:
    name = as_entity(word)
    schema = parse_schema(FRAME + f"  {name}: {{ tenant: none, table: '{word}', fields: {{ a: int }} }}\n")

    assert name != word
    assert schema.entities[-1].table == word


def test_what_is_no_word_of_python_is_a_field_of_a_service_that_can_be_read() -> None:
    words = sorted(word for word in PROGRAMMING if as_field(word) == word)
    tree = generate(
        parse_schema(with_fields(*(f"{word}: {{ type: int, index: true }}" for word in words))), "python"
    )

    assert {"package", "interface", "switch", "func", "default"} <= set(words)
    for path, text in tree.items():
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_the_words_of_typescript_are_those_that_its_engine_refuses() -> None:
    words = sorted(PROGRAMMING | {"type", "of", "async", "get", "any", "string", "number"})
    script = """
        const make = (async () => {}).constructor;
        const refused = process.argv.slice(1).filter((word) => {
          try { make(`"use strict"; let ${word} = 1`); return false } catch { return true }
        });
        console.log(refused.join(" "));
    """
    refused = subprocess.run(
        ["node", "-e", script, *words], capture_output=True, text=True, check=True, timeout=30
    ).stdout.split()

    assert set(refused) == names.TYPESCRIPT_WORDS


def test_the_words_of_go_are_those_of_its_own_list() -> None:
    root = subprocess.run(
        ["go", "env", "GOROOT"], capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()
    source = Path(root, "src/go/token/token.go").read_text(encoding="utf-8")
    listed = re.findall(r'^\t[A-Z]+:\s+"([a-z]+)",$', source, re.MULTILINE)

    assert set(listed) == names.GO_WORDS


@pytest.mark.parametrize("word", ["class", "constructor"])
def test_a_relation_seen_from_the_other_side_cannot_be_a_word_either(word: str) -> None:
    found = only_problem(with_fields(f"tag: {{ type: ref(tag), inverse: {word} }}"))

    assert (found.path, found.hint) == ("entities.task.fields.tag.inverse", f"such as `{word}_rows`")


def test_a_plural_cannot_be_a_word_that_no_package_may_have() -> None:
    found = only_problem(with_fields("a: int", plural="import"))

    assert (found.message, found.hint) == ("`import` cannot name a package", "such as `import_entries`")


@pytest.mark.parametrize(("one", "other", "spelled"), [("line_1", "line1", "Line1"), ("a_1b", "a1b", "A1b")])
def test_two_names_that_are_spelled_alike_without_underscores_are_told(
    one: str, other: str, spelled: str
) -> None:
    fields = only_problem(with_fields(f"{one}: int", f"{other}: int"))
    entities = only_problem(
        FRAME + "".join(f"  {name}: {{ tenant: none, fields: {{ a: int }} }}\n" for name in (one, other))
    )

    assert fields.message == f"in code, `{one}` and `{other}` would both be called `{spelled}`"
    assert (fields.line, entities.path) == (13, f"entities.{other}")


@pytest.mark.parametrize(
    ("plural", "one"),
    [("projects", "project"), ("companies", "company"), ("boxes", "box"), ("people", "person")],
)
def test_entities_are_called_in_the_singular(plural: str, one: str) -> None:
    text = FRAME + f"  {plural}: {{ tenant: none, fields: {{ a: int }} }}\n"
    found = only_problem(text)
    said = parse_schema(
        text.replace("tenant: none, fields: { a", f"tenant: none, plural: {plural}, fields: {{ a")
    )

    assert found.message == f"`{plural}` is a plural"
    assert f"call it `{one}`" in found.hint
    assert said.entities[-1].name == plural


@pytest.mark.parametrize(
    "word", ["address", "status", "news", "analysis", "canvas", "bus", "series", "virus", "business", "staff"]
)
def test_a_singular_that_ends_like_a_plural_is_none(word: str) -> None:
    schema = parse_schema(FRAME + f"  {word}: {{ tenant: none, fields: {{ a: int }} }}\n")

    assert schema.entities[-1].name == word
