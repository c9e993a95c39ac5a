"""Databases and tables, as a server with an API key makes them."""

from __future__ import annotations

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User, error_of


@pytest.fixture
def tables(project: Project) -> TablesDB:
    return TablesDB(project.sdk(key=project.key))


async def fetch(platform: Platform, sql: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(platform.database_url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(sql, *values)
    finally:
        await connection.close()
    return found


def refused(caught: pytest.ExceptionInfo[AppwriteException]) -> tuple[int, str]:
    return caught.value.code, caught.value.type


def test_a_database_is_made_renamed_listed_and_deleted(tables: TablesDB) -> None:
    made = tables.create("shop", "Shop", enabled=True)
    assert (made.id, made.name, made.enabled, made.type.value) == ("shop", "Shop", True, "tablesdb")

    tables.update("shop", "Store", enabled=False)
    assert tables.get("shop").name == "Store"
    assert tables.get("shop").enabled is False
    assert [each.id for each in tables.list().databases] == ["shop"]

    tables.delete("shop")
    with pytest.raises(AppwriteException) as caught:
        tables.get("shop")
    assert refused(caught) == (404, "database_not_found")
    assert tables.list().total == 0


def test_a_second_database_with_the_same_id_is_refused(tables: TablesDB) -> None:
    tables.create("shop", "Shop")
    with pytest.raises(AppwriteException) as caught:
        tables.create("shop", "Another")

    assert refused(caught) == (409, "database_already_exists")
    assert tables.get("shop").name == "Shop"


async def test_a_table_is_a_real_table_in_a_schema_named_after_project_and_database(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    tables.create("shop", "Shop")
    tables.create_table(
        "shop",
        "products",
        "Products",
        columns=[
            {"key": "name", "type": "varchar", "size": 40, "required": True},
            {"key": "price", "type": "integer", "required": False, "min": 0, "default": 5},
            {"key": "state", "type": "enum", "elements": ["new", "1st"], "required": False},
            {"key": "labels", "type": "varchar", "size": 20, "required": False, "array": True},
        ],
        indexes=[{"key": "by_price", "type": "key", "attributes": ["price"], "orders": ["desc"]}],
    )

    namespace = f"{project.id}_shop".replace("-", "_")
    columns = await fetch(
        platform,
        "select column_name, data_type, is_nullable from information_schema.columns "
        "where table_schema = $1 and table_name = 'products' order by ordinal_position",
        namespace,
    )
    by_name = {row["column_name"]: (row["data_type"], row["is_nullable"]) for row in columns}
    assert by_name["name"] == ("text", "NO")
    assert by_name["price"] == ("bigint", "YES")
    assert by_name["labels"] == ("ARRAY", "YES")
    assert by_name["_id"] == ("text", "NO")
    definitions = [
        row[0]
        for row in await fetch(platform, "select indexdef from pg_indexes where schemaname = $1", namespace)
    ]
    assert any("(price DESC" in each for each in definitions)
    assert any("(price DESC" in each and "INCLUDE (_reads)" in each for each in definitions)
    assert any("USING gin (_reads)" in each for each in definitions)


async def test_deleting_a_database_drops_its_tables(
    platform: Platform, project: Project, tables: TablesDB
) -> None:
    tables.create("shop", "Shop")
    tables.create_table("shop", "products", "Products")
    namespace = f"{project.id}_shop".replace("-", "_")
    assert await fetch(platform, "select from pg_namespace where nspname = $1", namespace)

    tables.delete("shop")

    assert not await fetch(platform, "select from pg_namespace where nspname = $1", namespace)


def test_a_table_with_a_wrong_column_is_not_made_at_all(tables: TablesDB) -> None:
    tables.create("shop", "Shop")
    with pytest.raises(AppwriteException) as caught:
        tables.create_table(
            "shop",
            "products",
            "Products",
            columns=[
                {"key": "name", "type": "varchar", "size": 40, "required": True},
                {"key": "price", "type": "money", "required": False},
            ],
        )

    assert refused(caught) == (400, "column_value_invalid")
    assert tables.list_tables("shop").total == 0


def test_a_table_is_renamed_switched_off_and_deleted(project: Project, tables: TablesDB, jane: User) -> None:
    tables.create("shop", "Shop")
    tables.create_table("shop", "products", "Products", permissions=['read("users")'])
    tables.update_table("shop", "products", "Goods", permissions=['read("users")'], enabled=False)
    assert tables.get_table("shop", "products").name == "Goods"

    hidden = jane.client.get("/tablesdb/shop/tables/products/rows")
    assert error_of(hidden) == (404, "table_not_found")

    tables.delete_table("shop", "products")
    assert tables.list_tables("shop").total == 0


def test_lists_of_tables_are_searched_filtered_and_paged(tables: TablesDB) -> None:
    tables.create("shop", "Shop")
    for name in ("apples", "pears", "plums"):
        tables.create_table("shop", name, name.title())

    assert [t.id for t in tables.list_tables("shop", search="pear").tables] == ["pears"]
    assert [t.id for t in tables.list_tables("shop", [Query.equal("name", "Plums")]).tables] == ["plums"]
    page = tables.list_tables("shop", [Query.order_desc("name"), Query.limit(1), Query.offset(1)])
    assert ([t.id for t in page.tables], page.total) == (["pears"], 3)
    after = tables.list_tables("shop", [Query.order_asc("name"), Query.cursor_after("apples")])
    assert [t.id for t in after.tables] == ["pears", "plums"]


def test_two_projects_have_databases_of_the_same_id_and_never_meet(
    platform: Platform, project: Project
) -> None:
    other = platform.new_project()
    ours, theirs = TablesDB(project.sdk(key=project.key)), TablesDB(other.sdk(key=other.key))
    for mine, name in ((ours, "ours"), (theirs, "theirs")):
        mine.create("shop", name)
        mine.create_table(
            "shop", "t", "T", columns=[{"key": "a", "type": "varchar", "size": 9, "required": True}]
        )
        mine.create_row("shop", "t", "one", {"a": name})

    assert ours.get_row("shop", "t", "one").data == {"a": "ours"}
    assert theirs.get_row("shop", "t", "one").data == {"a": "theirs"}
    foreign = platform.client(project.id, key=other.key).get("/tablesdb/shop/tables/t/rows/one")
    assert error_of(foreign) == (404, "row_not_found")
    assert error_of(platform.client(project.id, key=other.key).get("/tablesdb")) == (
        401,
        "general_unauthorized_scope",
    )


def test_names_that_postgresql_reserves_are_fine_for_tables_and_columns(tables: TablesDB) -> None:
    tables.create("select", "Reserved")
    tables.create_table(
        "select",
        "user.order-by",
        "Order",
        columns=[{"key": key, "type": "integer", "required": False} for key in ("table", "Limit", "a.b-c")],
    )
    tables.create_row("select", "user.order-by", "r", {"table": 1, "Limit": 2, "a.b-c": 3})

    found = tables.list_rows("select", "user.order-by", [Query.equal("a.b-c", 3), Query.order_asc("Limit")])
    assert found.rows[0].data == {"table": 1, "Limit": 2, "a.b-c": 3}


def test_the_console_project_has_no_databases(platform: Platform) -> None:
    assert error_of(platform.console.get("/tablesdb")) == (401, "general_access_forbidden")
