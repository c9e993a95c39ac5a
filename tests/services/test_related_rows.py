"""Related rows: loaded when selected, asked about in filters and orders, and never more than allowed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of
from tests.services.statements import logged

ANYBODY = ['read("any")']


@pytest.fixture
def tables(project: Project) -> TablesDB:
    """A library: books have an author and tags, authors a country."""
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for table_id in ("books", "authors", "countries", "tags"):
        tables.create_table(
            "db", table_id, table_id, ANYBODY,
            columns=[
                {"key": "name", "type": "varchar", "size": 40, "required": False},
                {"key": "years", "type": "integer", "array": True, "required": False},
                {"key": "since", "type": "datetime", "required": False},
            ],
        )  # fmt: skip
    relate = tables.create_relationship_column
    relate("db", "books", "authors", RelationshipType.MANYTOONE, True, "author", "books")
    relate("db", "authors", "countries", RelationshipType.MANYTOONE, True, "country", "authors")
    relate("db", "books", "tags", RelationshipType.MANYTOMANY, True, "tags", "books")
    relate("db", "authors", "books", RelationshipType.ONETOONE, True, "favourite", "admirer")
    tables.create_row("db", "countries", "no", {"name": "Norway", "since": "1814-05-17T00:00:00.000+00:00"})
    tables.create_row("db", "authors", "jo", {"name": "Jo", "country": "no", "years": [1977, 2024]})
    tables.create_row("db", "authors", "eva", {"name": "Eva"})
    for book_id, author in (("b1", "jo"), ("b2", "jo"), ("b3", "eva"), ("b4", None)):
        tables.create_row("db", "books", book_id, {"name": book_id.upper(), "author": author})
    tables.create_row("db", "tags", "crime", {"name": "Crime"})
    tables.update_row("db", "authors", "eva", {"favourite": "b1"})
    link(project, "b1", "crime")
    return tables


def psql(project: Project, sql: str) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            namespace = await connection.fetchval(
                "select namespace from freehold.databases where project_id = $1", project.id
            )
            await connection.execute(f'set search_path to "{namespace}"')
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(run())


def link(project: Project, book: str, tag: str) -> None:
    psql(project, f"insert into books_tags values ('{book}', '{tag}')")


def listed(tables: TablesDB, table_id: str, *queries: str) -> list[dict[str, Any]]:
    found = tables.list_rows("db", table_id, list(queries))
    return [{"$id": row.id, **row.data} for row in found.rows]


def ids(tables: TablesDB, table_id: str, *queries: str) -> list[str]:
    return [row.id for row in tables.list_rows("db", table_id, list(queries)).rows]


def test_without_a_select_a_row_names_the_one_it_is_related_to_and_nothing_of_the_many(
    tables: TablesDB,
) -> None:
    book = tables.get_row("db", "books", "b1").data
    author = tables.get_row("db", "authors", "jo").data

    assert book == {"name": "B1", "years": None, "since": None, "author": "jo"}
    assert author == {"name": "Jo", "years": [1977, 2024], "since": None, "country": "no", "favourite": None}


def test_what_is_selected_is_loaded_to_a_depth_of_three(tables: TablesDB) -> None:
    book = tables.get_row(
        "db", "books", "b1", [Query.select(["name", "author.*", "author.country.since", "author.books.name"])]
    ).data

    author = book["author"]
    assert set(book) == {"name", "author"}
    assert (author["$id"], author["name"], author["years"], author["favourite"]) == (
        "jo", "Jo", [1977, 2024], None,
    )  # fmt: skip
    assert (author["$tableId"], author["$databaseId"], author["$permissions"]) == ("authors", "db", [])
    assert author["country"]["since"] == "1814-05-17T00:00:00.000+00:00"
    assert "name" not in author["country"]
    assert [each["name"] for each in author["books"]] == ["B1", "B2"]
    assert "author" not in author["books"][0]


def test_every_kind_of_relationship_is_loaded_from_both_sides(tables: TablesDB) -> None:
    book = tables.get_row("db", "books", "b1", [Query.select(["tags.name", "admirer.name"])]).data
    tag = tables.get_row("db", "tags", "crime", [Query.select(["books.name"])]).data
    eva = tables.get_row("db", "authors", "eva", [Query.select(["favourite.name", "country.name"])]).data
    lonely = tables.get_row(
        "db", "books", "b4", [Query.select(["*", "tags.*", "admirer.*", "author.*"])]
    ).data

    assert [each["name"] for each in book["tags"]] == ["Crime"]
    assert book["admirer"]["name"] == "Eva"
    assert [each["$id"] for each in tag["books"]] == ["b1"]
    assert (eva["favourite"]["name"], eva["country"]) == ("B1", None)
    assert (lonely["tags"], lonely["admirer"], lonely["author"]) == ([], None, None)


@pytest.mark.parametrize(
    ("table_id", "query", "found"),
    [
        ("books", Query.equal("author.name", "Jo"), ["b1", "b2"]),
        ("books", Query.equal("author", "eva"), ["b3"]),
        ("books", Query.is_null("author"), ["b4"]),
        ("books", Query.is_not_null("author.country"), ["b1", "b2"]),
        ("books", Query.equal("author.country.name", "Norway"), ["b1", "b2"]),
        ("books", Query.equal("author.country.authors.name", "Jo"), ["b1", "b2"]),
        ("books", Query.contains("author.years", [1977]), ["b1", "b2"]),
        ("books", Query.equal("tags.name", "Crime"), ["b1"]),
        ("books", Query.is_null("tags"), ["b2", "b3", "b4"]),
        ("books", Query.is_not_null("tags"), ["b1"]),
        ("books", Query.contains("tags", ["crime", "none"]), ["b1"]),
        ("books", Query.is_null("admirer"), ["b2", "b3", "b4"]),
        ("books", Query.equal("admirer.name", "Eva"), ["b1"]),
        ("tags", Query.equal("books.author.country", "no"), ["crime"]),
        ("countries", Query.equal("authors.books.tags.name", "Crime"), ["no"]),
        (
            "books",
            Query.or_queries([
                Query.equal("author.name", "Eva"),
                Query.and_queries([Query.equal("tags.name", "Crime"), Query.equal("name", "B1")]),
            ]),
            ["b1", "b3"],
        ),
    ],
)  # fmt: skip
def test_rows_are_found_by_what_they_are_related_to(
    tables: TablesDB, table_id: str, query: str, found: list[str]
) -> None:
    assert ids(tables, table_id, query) == found


def test_lists_are_ordered_and_paged_by_what_rows_are_related_to(tables: TablesDB) -> None:
    by_name = [Query.order_asc("author.name"), Query.order_desc("$id")]
    pages = [ids(tables, "books", *by_name, Query.limit(1))]
    while pages[-1]:
        pages.append(ids(tables, "books", *by_name, Query.limit(1), Query.cursor_after(pages[-1][0])))
        if pages[-1] == ["b4"]:
            break

    assert ids(tables, "books", *by_name) == ["b3", "b2", "b1", "b4"]
    assert ids(tables, "books", Query.order_desc("author.country.name"), Query.limit(2)) == ["b4", "b3"]
    assert [page[0] for page in pages if page] == ["b3", "b2", "b1", "b4"]


@pytest.mark.parametrize(
    "query",
    [
        Query.equal("author.nope", "x"),
        Query.equal("nope.name", "x"),
        Query.equal("author.country.authors.books.name", "x"),
        Query.select(["author.nope"]),
        Query.select(["nope.*"]),
        Query.select(["author.country.authors.books.*"]),
        Query.order_asc("tags.name"),
        Query.order_asc("author.nope"),
        Query.equal("author._permissions", "x"),
        Query.equal('author.name" or true --', "x"),
        Query.select(['author."name"']),
    ],
)
def test_what_is_no_relation_and_no_column_is_refused_whether_there_are_rows_or_not(
    project: Project, tables: TablesDB, query: str
) -> None:
    with_rows = project.server.get("/tablesdb/db/tables/books/rows", params={"queries[0]": query})
    psql(project, "truncate books cascade")
    without = project.server.get("/tablesdb/db/tables/books/rows", params={"queries[0]": query})

    assert error_of(with_rows) == (400, "general_query_invalid")
    assert with_rows.json() == without.json()


def test_each_level_is_one_statement_however_many_relations_it_has(
    project: Project, tables: TablesDB
) -> None:
    relations = []
    for number in range(60):
        key = f"r{number}"
        tables.create_relationship_column("db", "books", "authors", RelationshipType.MANYTOONE, key=key)
        relations.append(f"{key}.*")
    tables.update_row("db", "books", "b1", {f"r{number}": "jo" for number in range(60)})
    nested = ["author.country.*", "tags.*", "author.books.name"]

    def read(*select: str) -> Callable[[], Any]:
        return lambda: listed(tables, "books", Query.select(list(select)))

    read("name", *relations)()
    read("name", *nested)()
    with logged(project) as statements_of:
        wide = statements_of(read("name", *relations))
        deep = statements_of(read("name", *nested))
        plain = statements_of(read("name"))

    assert [len(wide), len(deep), len(plain)] == [2, 3, 1]
    book = tables.get_row("db", "books", "b1", [Query.select(relations)]).data
    assert {book[f"r{number}"]["name"] for number in range(60)} == {"Jo"}


def test_filters_and_expansions_use_the_indexes(project: Project, tables: TablesDB) -> None:
    _fill(project)
    tables.create_index("db", "authors", "by_name", "key", ["name"])
    shown: list[str] = []
    with logged(project) as statements_of:
        for query in (
            [Query.equal("author.name", "A77"), Query.limit(5)],
            [Query.equal("$id", "x1"), Query.select(["author.*", "tags.*", "admirer.*"])],
        ):
            shown += statements_of(lambda query=query: listed(tables, "books", *query))  # type: ignore[misc]

    assert len(shown) == 3
    for sql in shown:
        plan = _plan(project, sql)
        assert "Seq Scan on books " not in plan, plan
        assert "Seq Scan on authors" not in plan, plan
        assert "Seq Scan on books_tags" not in plan, plan


def _fill(project: Project) -> None:
    for sql in (
        "insert into authors (_id, name) select 'a' || n, 'A' || n from generate_series(1, 5000) n",
        "insert into books (_id, name, author_id) select 'x' || n, 'X', 'a' || (n % 5000 + 1)"
        " from generate_series(1, 20000) n",
        "insert into books_tags select 'x' || n, 'crime' from generate_series(1, 20000, 4) n",
        "analyze books",
        "analyze authors",
        "analyze books_tags",
    ):
        psql(project, sql)


def _plan(project: Project, sql: str) -> str:
    """The plan that PostgreSQL keeps for a statement whose values it does not know."""

    async def run() -> str:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            await connection.execute("set plan_cache_mode = force_generic_plan")
            await connection.execute(f"prepare wanted as {sql}")
            count = max(map(int, re.findall(r"\$(\d+)", sql)))
            rows = await connection.fetch(f"explain execute wanted({', '.join(['null'] * count)})")
            return "\n".join(row[0] for row in rows)
        finally:
            await connection.close()

    return asyncio.run(run())


# -- who may know of what ----------------------------------------------------------------------------------


@pytest.fixture
def diary(project: Project, tables: TablesDB, jane: User) -> TablesDB:
    """Everybody may read books; of authors each user only those that it was given. Jane may read Jo."""
    tables.update_table("db", "authors", row_security=True, permissions=[])
    tables.update_row("db", "authors", "jo", permissions=[f'read("user:{jane.id}")'])
    return TablesDB(jane.sdk)


def test_a_related_row_that_may_not_be_read_is_as_if_it_were_not_there(diary: TablesDB) -> None:
    select = Query.select(["name", "author.name"])
    books = {each["$id"]: each["author"] for each in listed(diary, "books", select)}
    tag = diary.get_row("db", "tags", "crime", [Query.select(["books.admirer.*", "books.author.name"])]).data
    country = diary.get_row("db", "countries", "no", [Query.select(["authors.name"])]).data

    assert books["b1"]["name"] == books["b2"]["name"] == "Jo"
    assert books["b3"] is None
    assert tag["books"][0]["admirer"] is None
    assert [each["$id"] for each in country["authors"]] == ["jo"]


@pytest.mark.parametrize(
    "query",
    [
        Query.equal("author.name", "Eva"),
        Query.starts_with("author.name", "E"),
        Query.not_equal("author.name", "Jo"),
        Query.is_null("author.country"),
        Query.equal("admirer.name", "Eva"),
        Query.is_not_null("admirer"),
        Query.equal("admirer", "eva"),
        Query.or_queries([Query.equal("author.name", "Eva"), Query.equal("name", "none")]),
    ],
)
def test_filters_say_nothing_of_related_rows_that_may_not_be_read(diary: TablesDB, query: str) -> None:
    assert ids(diary, "books", query) == []


def test_orders_say_nothing_of_related_rows_that_may_not_be_read(diary: TablesDB, tables: TablesDB) -> None:
    before = ids(diary, "books", Query.order_asc("author.name"))
    tables.update_row("db", "authors", "eva", {"name": "Aaa"})

    assert ids(diary, "books", Query.order_asc("author.name")) == before == ["b1", "b2", "b3", "b4"]


@pytest.mark.parametrize("closed", ["no permission", "disabled"])
def test_of_a_table_that_is_closed_to_the_caller_nothing_is_known(
    project: Project, tables: TablesDB, closed: str
) -> None:
    if closed == "disabled":
        tables.update_table("db", "authors", permissions=ANYBODY, enabled=False)
    else:
        tables.update_table("db", "authors", permissions=[])
    guest = TablesDB(project.sdk())

    assert all(each["author"] is None for each in listed(guest, "books", Query.select(["author.*"])))
    assert ids(guest, "books", Query.equal("author.name", "Jo")) == []
    assert guest.get_row("db", "countries", "no", [Query.select(["authors.*"])]).data["authors"] == []
    assert ids(guest, "countries", Query.is_null("authors")) == ["no"]


# -- bounds ------------------------------------------------------------------------------------------------


def test_an_answer_has_no_more_related_rows_than_it_can_bear(project: Project, tables: TablesDB) -> None:
    psql(project, "insert into books (_id, author_id) select 'x' || n, 'eva' from generate_series(1, 6000) n")
    many = project.server.get(
        "/tablesdb/db/tables/authors/rows/eva", params={"queries[0]": Query.select(["books.*"])}
    )
    fewer = project.server.get(
        "/tablesdb/db/tables/authors/rows/jo", params={"queries[0]": Query.select(["books.*"])}
    )
    psql(project, "delete from books where _id > 'x3'")
    repeated = project.server.get(
        "/tablesdb/db/tables/books/rows",
        params={
            "queries[0]": Query.select(["author.books.name"]),
            "queries[1]": json.dumps({"method": "limit", "values": [5000]}),
        },
    )

    assert error_of(many) == (400, "general_query_invalid")
    assert "`books`" in many.json()["message"]
    assert fewer.status_code == 200
    assert error_of(repeated) == (400, "general_query_invalid")


def test_a_query_leads_through_no_more_relations_than_it_may(project: Project, tables: TablesDB) -> None:
    for number in range(10):
        for table_id in ("books", "authors"):
            tables.create_relationship_column(
                "db", table_id, "authors", RelationshipType.MANYTOONE, key=f"r{number}"
            )
    ways = [f"r{one}.r{other}.r{third}.name" for one in range(10) for other in range(5) for third in range(2)]
    wide = [Query.select(ways[at : at + 100]) for at in range(0, len(ways), 100)]
    asked = Query.or_queries([Query.equal("author.name", "x")] * 40)
    rows = "/tablesdb/db/tables/books/rows"

    selected = project.server.get(rows, params={f"queries[{at}]": each for at, each in enumerate(wide)})
    filtered = project.server.get(rows, params={f"queries[{at}]": asked for at in range(3)})

    assert error_of(selected) == error_of(filtered) == (400, "general_query_invalid")
    assert ids(tables, "books", asked) == []


def test_a_change_by_queries_takes_filters_on_related_rows_but_sets_no_relationship(tables: TablesDB) -> None:
    changed = tables.update_rows("db", "books", {"name": "By Jo"}, [Query.equal("author.name", "Jo")])
    deleted = tables.delete_rows("db", "books", [Query.is_null("author")])
    with pytest.raises(AppwriteException) as refused:
        tables.update_rows("db", "books", {"author": None})

    assert sorted(row.id for row in changed.rows) == ["b1", "b2"]
    assert [row.id for row in deleted.rows] == ["b4"]
    assert (refused.value.code, refused.value.type) == (400, "general_bad_request")
    assert ids(tables, "books", Query.equal("author", "jo")) == ["b1", "b2"]
