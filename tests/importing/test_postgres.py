"""Importing from a live PostgreSQL: what of its tables the language can say, it says."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from freehold.db import ddl
from freehold.db.ddl import catalog
from freehold.generator.command import run as generate
from freehold.importing import introspection
from freehold.importing.postgres import sketch_of
from freehold.schema import parse_schema, read_schema
from freehold.schema.model import Entity, Schema
from freehold.schema.sketch import Imported, Note
from tests.conformance.running import installed
from tests.generator.test_emitted_service import PYTHON, lint
from tests.postgres import Database, Server

ROOT = Path(__file__).parents[2]
CRM = ROOT / "examples" / "crm"
SHOP = (Path(__file__).parent / "shop.sql").read_text(encoding="utf-8")


def freehold(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "freehold", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def apply(url: str, schema: Schema) -> catalog.Catalog:
    connection = await asyncpg.connect(url)
    try:
        await ddl.apply(connection, ddl.create(schema))
        return await catalog.read(connection, "public")
    finally:
        await connection.close()


def imported(url: str, *statements: str) -> Imported:
    async def run() -> introspection.Database:
        connection = await asyncpg.connect(url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
        return await introspection.read(url, "public")

    return sketch_of(asyncio.run(run()), service="shop").finished()


def entities(found: Imported) -> dict[str, Entity]:
    return {entity.name: entity for entity in parse_schema(found.text).entities}


def notes(found: Imported, where: str) -> list[Note]:
    return [note for note in found.notes if note.where == where]


def fields(entity: Entity) -> dict[str, str]:
    return {field.name: str(field.type) + "?" * field.nullable for field in entity.fields}


# There and back


@pytest.fixture
def second(postgres: Server) -> Iterator[Database]:
    """Another fresh database."""
    fresh = postgres.create_database()
    yield fresh
    postgres.drop_database(fresh)


async def test_the_tables_of_the_crm_are_imported_and_make_the_same_tables_again(
    database: Database, second: Database
) -> None:
    original = read_schema(CRM)
    before = await apply(database.url, original)
    found = sketch_of(await introspection.read(database.url, "public"), service="acme-crm").finished()
    again = parse_schema(found.text)
    after = await apply(second.url, again)

    differences = catalog.differences(before, after)
    assert [line for line in differences if "deal_watchers" not in line] == []
    assert [note.where for note in found.notes if note.kind == "left_out"] == ["audit_log"]
    assert notes(found, "deal.watchers")[0].what.endswith("which was `deal_watchers` (deal_id, user_id)")


async def test_the_schema_of_the_crm_is_the_same_but_for_what_the_report_names(database: Database) -> None:
    original = read_schema(CRM)
    await apply(database.url, original)
    found = sketch_of(await introspection.read(database.url, "public"), service="acme-crm").finished()
    again = parse_schema(found.text)
    (unknown,) = [note.what for note in found.notes if "a database does not say" in note.what]
    unsaid = {"owned", "natural_key", "sort", "list", "filter", "default: me"}
    assert all(f"`{word}`" in unknown for word in unsaid)

    def known(schema: Schema) -> list[Any]:
        """What of a schema is not among what the report says that a database does not say."""
        names = {entity.name: entity.table for entity in schema.entities}
        return [
            (
                entity.table,
                entity.layout,
                entity.id_kind,
                entity.tenant,
                entity.description,
                entity.indexes,
                entity.audit,
                [
                    (
                        field.name,
                        str(field.type).replace(
                            f"({field.type.target})", f"({names.get(field.type.target or '')})"
                        ),
                        field.column,
                        field.nullable,
                        field.default,
                        bool(field.unique),
                        field.index,
                        field.min,
                        field.max,
                        field.pattern,
                        field.search,
                        field.description,
                        field.on_delete,
                    )
                    for field in entity.fields
                ],
            )
            for entity in schema.entities
        ]

    assert known(again) == known(original)
    assert (again.tenancy, again.service) == (original.tenancy, original.service)


def test_an_imported_schema_makes_a_service_that_is_clean(tmp_path: Path, database: Database) -> None:
    async def prepare() -> None:
        connection = await asyncpg.connect(database.admin_url)
        await connection.execute(SHOP)
        await connection.close()

    asyncio.run(prepare())
    told = freehold(tmp_path, "import", "--from", database.admin_url, "--service", "shop", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    service = tmp_path / "service"
    generate("python", service, tmp_path / "freehold.yaml")

    assert {note["kind"] for note in json.loads(told.stdout)["notes"]} == {"decide", "changed", "left_out"}
    lint(installed(PYTHON, service), service)


# Tables of others


@pytest.fixture
def shop(database: Database) -> Imported:
    return imported(database.admin_url, SHOP)


def test_names_are_made_ours_and_stay_in_the_database(shop: Imported) -> None:
    user = entities(shop)["user"]

    assert (user.table, user.plural, user.id_kind) == ("Users", "users", "serial")
    assert {field.name: field.column for field in user.fields if field.name != field.column} == {
        "first_name": "firstName",
        "class_value": "class",
    }
    assert user.description == 'People \' "quoted" #x'


def test_types_checks_and_defaults_are_read(shop: Imported) -> None:
    found = entities(shop)
    post = {field.name: field for field in found["post"].fields}

    assert fields(found["post"]) == {
        "title": "string(255)", "body": "text?", "author": "ref(user)", "country": "ref(country)?", "tags": "text[]?",
        "price": "decimal(18,6)?", "price2": "decimal(10,2)?", "meta": "json?", "s": "string(12)?",
        "status": "enum(draft, live)?", "ip": "ip?", "iv": "text?", "t": "time?", "during": "text?",
        "parent": "ref(post)?", "u": "uuid?", "f": "float?", "n": "int?", "b": "bool?", "d": "date?",
        "labels": "many(label)",
    }  # fmt: skip
    assert (post["price2"].min, post["price2"].max) == ("0.5", "10.25")
    assert [post[name].default for name in ("status", "meta", "f", "n", "b")] == [
        "draft",
        {"a": 1},
        1.5,
        -5,
        False,
    ]
    assert fields(found["user"])["colors"] == "enum(red, green)[]?"
    order = next(field for field in found["user"].fields if field.name == "order")
    assert (order.min, order.max) == (1, 9)


def test_keys_uniques_and_indexes_are_read(shop: Imported) -> None:
    found = entities(shop)

    assert found["post"].soft_delete
    assert next(field for field in found["post"].fields if field.name == "title").unique == "tenant"
    assert [str(part.field) for part in found["post"].indexes[0].parts] == ["status", "author"]
    assert found["post"].indexes[0].parts[1].descending
    assert [part.field for part in found["membership"].indexes[0].parts] == ["user", "label"]
    assert found["membership"].indexes[0].unique
    assert (found["profile"].fields[0].unique, found["profile"].fields[0].on_delete) == ("tenant", "cascade")
    assert (found["country"].id_kind, found["label"].id_kind) == ("text", "uuid")


@pytest.mark.parametrize(
    ("where", "kind", "what"),
    [
        ("user.mood", "decide", "`so-so` and `so_so` would both be called"),
        ("post", "decide", "the policy `own posts` let public read where (auth.uid() = u)"),
        (
            "post",
            "decide",
            ", (price > price2), is not taken: keep it in a hook, or in a migration of your own",
        ),
        ("post", "left_out", "lower(title)"),
        ("post.price", "decide", "how many digits"),
        ("post.d", "decide", "worked out by the database"),
        ("post.during", "changed", "there is no type `tstzrange`"),
        ("post.lower_title", "left_out", "the database works out"),
        ("user.account", "left_out", "pointed at `auth.users` (id)"),
        ("user", "changed", "the key `userId` is called `id`"),
        ("log_entry", "changed", "has an id, where it had no key"),
        ("a.b", "changed", "may be left empty, since a `b` needs a `a` first"),
        ("empty_one", "left_out", "has no fields"),
        ("view live", "left_out", "is no table"),
    ],
)
def test_what_is_otherwise_is_told(shop: Imported, where: str, kind: str, what: str) -> None:
    assert any(note.kind == kind and what in note.what for note in notes(shop, where)), notes(shop, where)


def test_parts_of_a_table_are_not_tables(shop: Imported) -> None:
    assert "measure" in entities(shop)
    assert "measure_a" not in entities(shop)


def test_hostile_texts_are_data(database: Database) -> None:
    found = imported(
        database.url,
        """CREATE TABLE t (id uuid primary key, "a: b # '""${x}" text default '"; import os',"""
        """ kind text check (kind in ('it''s', 'a, b', '${x}', E'new\\nline')))""",
        'COMMENT ON TABLE t IS \'""" */ ${x} `y` \n- a: !!python/object\'',
    )
    entity = entities(found)["t"]

    assert entity.description == '""" */ ${x} `y` \n- a: !!python/object'
    assert entity.fields[-1].type.values == ("it's", "a, b", "${x}", "new\nline")
    assert any(note.where == "t.a_b_x" for note in found.notes)


# The command


def test_a_database_is_imported_by_the_command(tmp_path: Path, database: Database) -> None:
    imported(
        database.url, "CREATE SCHEMA app", "CREATE TABLE app.thing (id uuid primary key, name varchar(9))"
    )
    nothing = freehold(tmp_path, "import", "--from", database.url)
    done = freehold(tmp_path, "import", "--from", database.url, "--namespace", "app", "--service", "things")
    again = freehold(tmp_path, "import", "--from", database.url, "--namespace", "app")

    assert (nothing.returncode, done.returncode, again.returncode) == (2, 0, 2)
    assert "has no tables in public. Name another with --namespace." in nothing.stderr
    assert "freehold.yaml: 1 entities, 1 fields; " in done.stdout
    assert "To be decided:\n" in done.stdout
    assert "is there already" in again.stderr
    assert read_schema(tmp_path).service == "things"
    password = database.url.partition("://")[2].partition("@")[0].partition(":")[2]
    assert password not in nothing.stderr + (tmp_path / "freehold.yaml").read_text()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("postgresql://nobody:secret@127.0.0.1:1/x", "The database cannot be reached"),
        ("postgresql://%%%", "The database cannot be reached"),
        ("nothing.sql", "nothing.sql is not there"),
        (".", "has none of"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_in_a_line(tmp_path: Path, source: str, message: str) -> None:
    refused = freehold(tmp_path, "import", "--from", source)

    assert refused.returncode == 2
    assert message in refused.stderr
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
