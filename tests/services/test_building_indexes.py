"""Indexes of tables with rows: built beside the traffic, and nothing is left of one that could not be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.tables_db import TablesDB

from tests.platform import Project


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T")
    tables.create_varchar_column("db", "t", "code", 50, False)
    tables.create_integer_column("db", "t", "numbers", False, array=True)
    tables.create_row("db", "t", "one", {"code": "A", "numbers": [1, 2]})
    return tables


class Sql:
    """A DBA's connection."""

    def __init__(self, project: Project) -> None:
        self._runner = asyncio.Runner()
        self._connection = self._runner.run(asyncpg.connect(project.platform.admin_url))
        namespace = self._runner.run(
            self._connection.fetchval(
                "select namespace from freehold.databases where project_id = $1", project.id
            )
        )
        self.table = f'"{namespace}".t'

    def __call__(self, sql: str, *values: Any) -> list[Any]:
        found = self._connection.fetch(sql.replace("{}", self.table), *values)
        return list(self._runner.run(found))

    def indexes(self) -> dict[str, bool]:
        """The table's indexes that the API has made, by name, and whether they are valid."""
        found = self(
            "select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid"
            " where i.indrelid = '{}'::regclass and c.relname not like '%\\_%\\_%' and c.relname <> 't_pkey'"
        )
        return {each["relname"]: each["indisvalid"] for each in found}

    def close(self) -> None:
        self._runner.run(self._connection.close())
        self._runner.close()


@contextmanager
def connected(project: Project) -> Iterator[Sql]:
    sql = Sql(project)
    try:
        yield sql
    finally:
        sql.close()


@pytest.mark.parametrize(("kind", "column"), [("key", "code"), ("unique", "code"), ("spatial", "area")])
def test_writers_go_on_while_an_index_is_built(
    project: Project, tables: TablesDB, kind: str, column: str
) -> None:
    tables.create_polygon_column("db", "t", "area", False)
    building = (
        "select 1 from pg_stat_activity"
        " where application_name = 'freehold index' and wait_event_type = 'Lock'"
    )
    with ThreadPoolExecutor(1) as thread, connected(project) as writer, connected(project) as watcher:
        writer("begin")
        writer("update {} set code = 'B'")
        built = thread.submit(tables.create_index, "db", "t", "built", kind, [column])
        while not watcher(building):  # the build waits for the writer that was there before it
            assert not built.done()

        # Neither the API nor another connection waits for the build.
        assert TablesDB(project.sdk(key=project.key)).create_row("db", "t", "two", {"code": "C"})
        watcher("insert into {} (_id, code) values ('three', 'D')")
        assert not built.done()
        writer("commit")
        assert built.result().status == "available"
        assert watcher.indexes() == {"t_built": True}


def test_an_index_that_rows_forbid_leaves_nothing_behind(project: Project, tables: TablesDB) -> None:
    for number in range(3):
        tables.create_row("db", "t", f"r{number}", {"code": "A"})
        tables.create_row("db", "t", f"s{number}", {"code": "B"})
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "code", "unique", ["code"])

    assert (caught.value.code, caught.value.type) == (400, "column_index_invalid")
    assert "2 values of `code` stand in several rows" in caught.value.message
    assert tables.list_indexes("db", "t").total == 0
    with connected(project) as sql:
        assert sql.indexes() == {}
    assert tables.create_index("db", "t", "code", "key", ["code"]).status == "available"


def test_a_value_that_no_index_holds_is_told_and_leaves_nothing_behind(
    project: Project, tables: TablesDB
) -> None:
    tables.create_longtext_column("db", "t", "essay", False)
    noise = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(9000))
    tables.create_row("db", "t", "two", {"essay": noise})
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "essay", "key", ["essay"])

    assert (caught.value.code, caught.value.type) == (400, "column_index_invalid")
    assert "too long" in caught.value.message
    with connected(project) as sql:
        assert sql.indexes() == {}


def test_a_list_is_indexed_by_its_elements_and_texts_by_their_words(
    project: Project, tables: TablesDB
) -> None:
    tables.create_index("db", "t", "numbers", "key", ["numbers"], lengths=[255])
    tables.create_index("db", "t", "words", "fulltext", ["code"])
    with connected(project) as sql:
        definitions = sql("select indexdef from pg_indexes where indexname in ('t_numbers', 't_words')")

    assert sorted(each["indexdef"].partition("USING ")[2] for each in definitions) == [
        "gin (numbers)",
        "gin (to_tsvector('simple'::regconfig, (COALESCE(code, ''::text))::text))"
        if "(COALESCE(code, ''::text))::text" in str(definitions)
        else "gin (to_tsvector('simple'::regconfig, COALESCE(code, ''::text)))",
    ]


def test_orders_and_lengths_come_back_as_they_were_given(project: Project, tables: TablesDB) -> None:
    tables.create_integer_column("db", "t", "n", False)
    made = tables.create_index("db", "t", "both", "key", ["code", "n"], ["desc", "asc"], [20, None])

    assert (made.columns, made.orders, made.lengths) == (["code", "n"], ["desc", "asc"], [20, None])
    with connected(project) as sql:
        definition = sql("select indexdef from pg_indexes where indexname = 't_both'")[0][0]
    assert "(code DESC, n" in definition
    for lengths in ([1, 2, 3], [-1]):
        with pytest.raises(AppwriteException) as caught:
            tables.create_index("db", "t", "wrong", "key", ["code"], lengths=lengths)
        assert caught.value.code == 400
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "wrong", "key", ["numbers"], lengths=[256])
    assert caught.value.type == "column_index_invalid"
    assert [each.key for each in tables.list_indexes("db", "t").indexes] == ["both"]


@pytest.mark.parametrize(
    ("type_", "column", "length"),
    [("key", "n", 5), ("key", "code", 51), ("unique", "code", 20), ("unique", "$id", 5)],
    ids=["of a number", "longer than the column", "that would change what is unique", "of an id"],
)
def test_a_length_that_postgresql_cannot_keep_to_is_refused(
    project: Project, tables: TablesDB, type_: str, column: str, length: int
) -> None:
    tables.create_integer_column("db", "t", "n", False)
    with pytest.raises(AppwriteException) as caught:
        tables.create_index("db", "t", "wrong", type_, [column], lengths=[length])

    assert caught.value.type == "column_index_invalid"
    assert f"`{column}`" in caught.value.message
    assert tables.list_indexes("db", "t").total == 0


def test_a_unique_index_with_the_length_of_its_column_is_one_of_whole_values(
    project: Project, tables: TablesDB
) -> None:
    tables.create_index("db", "t", "codes", "unique", ["code"], lengths=[50])
    tables.create_row("db", "t", "two", {"code": "A" * 49 + "B"})
    tables.create_row("db", "t", "three", {"code": "A" * 49 + "C"})

    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "four", {"code": "A" * 49 + "C"})
    assert caught.value.code == 409
