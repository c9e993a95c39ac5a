"""Full-text search of rows: words, beginnings of words, phrases, and what it needs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

ROWS = "/tablesdb/db/tables/books/rows"

BOOKS: dict[str, tuple[str | None, str]] = {
    "tea": ("Green tea for everyone", "By Ann"),
    "cup": ("A cup of tea, green as grass", "Tea, tea and more tea"),
    "cat": ("The cat's catalogue", "By Bob"),
    "nil": (None, "Nothing about a title"),
    "odd": ("C++ & Rust: 'quoted' \\ (or not) | !", "By Cid"),
    "cafe": ("CAFÉ society", "By Dan"),
}


@pytest.fixture(scope="module")
def library(platform: Platform) -> Project:
    """A project with books whose titles are in an index of their own, and titles and notes in another."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    text = {"type": "varchar", "size": 200, "required": False}
    tables.create_table(
        "db",
        "books",
        "Books",
        columns=[{"key": key, **text} for key in ("title", "notes", "plain")],
    )
    tables.create_index("db", "books", "title_words", "fulltext", ["title"])
    tables.create_index("db", "books", "all_words", "fulltext", ["title", "notes"])
    for key, (title, notes) in BOOKS.items():
        tables.create_row("db", "books", key, {"title": title, "notes": notes, "plain": title})
    return project


def ask(project: Project, *queries: str) -> list[str]:
    found = TablesDB(project.sdk(key=project.key)).list_rows(
        "db", "books", [*queries, Query.order_asc("$sequence")]
    )
    return [row.id for row in found.rows]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("tea", ["tea", "cup"]),
        ("TEA", ["tea", "cup"]),
        ("green tea", ["tea", "cup"]),
        ("tea green", ["tea", "cup"]),
        ('"green tea"', ["tea"]),
        ('"tea green"', ["cup"]),
        ('"green tea" everyone', ["tea"]),
        ("tea coffee", []),
        ("everyo", ["tea"]),
        ('"everyo"', []),
        ("every* tea", ["tea"]),
        ("every tea", []),
        ("cat", ["cat"]),
        ("catalog", ["cat"]),
        ("grass-green", []),
        ("café", ["cafe"]),
        ("cafe", []),
        ("", []),
        ("  ", []),
        ("***", []),
        ('"', []),
        ('"green tea', ["tea"]),
        ("' or 1=1 --", []),
        ("rust & !tea | (cat", []),
        ("'quoted' rust", ["odd"]),
        ("\\", []),
        ("tea:*", ["tea", "cup"]),
        ("tea & green", ["tea", "cup"]),
        ("nothing", []),
    ],
)
def test_search_finds_the_rows_that_have_all_the_words(library: Project, words: str, ids: list[str]) -> None:
    assert ask(library, Query.search("title", words)) == ids


def test_what_another_column_of_the_index_says_is_not_found_in_this_one(library: Project) -> None:
    assert ask(library, Query.search("notes", "tea")) == ["cup"]
    assert ask(library, Query.search("notes", "green")) == []
    assert ask(library, Query.search("notes", "by")) == ["tea", "cat", "odd", "cafe"]


def test_not_search_finds_the_others_that_have_a_value(library: Project) -> None:
    assert ask(library, Query.not_search("title", "tea")) == ["cat", "odd", "cafe"]
    assert ask(library, Query.or_queries([Query.not_search("title", "tea"), Query.is_null("title")])) == [
        "cat",
        "nil",
        "odd",
        "cafe",
    ]


@pytest.mark.parametrize("method", ["search", "notSearch"])
def test_a_column_without_a_fulltext_index_cannot_be_searched(library: Project, method: str) -> None:
    query = json.dumps({"method": method, "attribute": "plain", "values": ["tea"]})
    response = library.server.get(ROWS, params={"queries[0]": query})

    assert error_of(response) == (400, "general_query_invalid")
    assert "fulltext index" in response.json()["message"]


@pytest.mark.parametrize("values", [[], [None], [5], [["tea"]], ["tea", "cup"], ["a\0b"]])
def test_what_is_searched_for_is_one_text(library: Project, values: list[Any]) -> None:
    query = json.dumps({"method": "search", "attribute": "title", "values": values})

    assert error_of(library.server.get(ROWS, params={"queries[0]": query})) == (400, "general_query_invalid")


def test_all_words_of_a_long_search_count_and_too_many_are_refused(library: Project) -> None:
    words = "tea " * 49
    too_many = {"method": "search", "attribute": "title", "values": [words + "green cup"]}
    refused = library.server.get(ROWS, params={"queries[0]": json.dumps(too_many)})

    assert ask(library, Query.search("title", words + "society")) == []
    assert ask(library, Query.search("title", words + "cup")) == ["cup"]
    assert error_of(refused) == (400, "general_query_invalid")
    assert "at most 50 words" in refused.json()["message"]


def test_what_fits_a_search_best_comes_first_unless_an_order_is_given(library: Project) -> None:
    tables = TablesDB(library.sdk(key=library.key))
    for key, notes in (("one", "rare"), ("two", "rare rare rare"), ("three", "it is rare rare")):
        tables.create_row("db", "books", key, {"notes": notes})
    search = Query.search("notes", "rare")

    def ids(*queries: str) -> list[str]:
        return [row.id for row in tables.list_rows("db", "books", [search, *queries]).rows]

    assert ids() == ["two", "three", "one"]
    assert ids(Query.cursor_after("two"), Query.limit(1)) == ["three"]
    assert ids(Query.cursor_after("three")) == ["one"]
    assert ids(Query.cursor_before("one")) == ["two", "three"]
    assert ids(Query.order_asc("$sequence")) == ["one", "two", "three"]
    assert ids(Query.order_desc("")) == ["three", "two", "one"]
    assert ids(Query.select(["title"])) == ["two", "three", "one"]
