"""S16, S18: rows that somebody may not read are in no answer, count or sum, however they are asked about."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from appwrite.enums.relationship_type import RelationshipType
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, User, error_of
from tests.security.ways.reading import LISTS, READINGS, Asking
from tests.security.ways.speaking import query

ROWS = "/tablesdb/db/tables/t/rows"
DOCUMENTS = "/databases/db/collections/t/documents"
SECRET = 4711


@pytest.fixture(scope="module")
def shop(platform: Platform) -> Project:
    return platform.new_project()


@pytest.fixture(scope="module")
def jane(shop: Project) -> User:
    """She may read two sales of three, one of two parts, and no customer."""
    jane = shop.new_user("Jane")
    tables = TablesDB(shop.sdk(key=shop.key))
    tables.create("db", "DB")
    name = {"key": "name", "type": "varchar", "size": 20, "required": False}
    price = {"key": "price", "type": "integer", "required": False}
    tables.create_table("db", "customers", "C", [], columns=[name])
    tables.create_table("db", "parts", "P", [], row_security=True, columns=[name])
    tables.create_table("db", "t", "S", ['create("users")'], row_security=True, columns=[name, price])
    relate = tables.create_relationship_column
    relate("db", "t", "customers", RelationshipType.MANYTOONE, True, "customer", "sales")
    relate("db", "t", "parts", RelationshipType.MANYTOMANY, True, "parts", "sales")
    relate("db", "t", "parts", RelationshipType.ONETOONE, True, "best", "best_of")
    hers = [Permission.read(Role.user(jane.id))]
    tables.create_row("db", "parts", "seen", {"name": "seen"}, hers)
    tables.create_row("db", "parts", "secret-part", {"name": "whispered"}, [])
    customer = {"$id": "held-customer", "name": "whispered"}
    tables.create_row("db", "parts", "held-part", {"name": "whispered"}, [])
    parts = ["seen", "secret-part"]
    sale = {"name": "north", "customer": customer, "parts": parts}
    tables.create_row("db", "t", "a", {**sale, "price": 1, "best": "held-part"}, hers)
    tables.create_row("db", "t", "b", {**sale, "price": 2, "best": "seen"}, hers)
    tables.create_row("db", "t", "secret-sale", {**sale, "name": "hidden", "price": SECRET}, [])
    return jane


def tells(text: str) -> set[str]:
    """What a text tells of rows that Jane may not read. An id that a row of hers holds is hers to know."""
    plain = re.sub(r'\\?"_?\$?id\\?": ?\\?"(held-\w+)', r"the row \1", text)
    words = ("whispered", "hidden", "secret-part", "secret-sale", "the row held-", str(SECRET))
    return {word for word in words if word in plain}


def nested(*said: Any) -> Any:
    return json.loads(query(*said))


COUNT = query("count")
ASKED: list[tuple[list[str], list[dict[str, Any]]]] = [
    ([COUNT], [{"count": 2}]),
    ([query("sum", "price")], [{"sum_price": 3}]),
    ([query("max", "price")], [{"max_price": 2}]),
    ([query("countDistinct", "name", "n")], [{"n": 1}]),
    ([query("groupBy", None, "name"), COUNT], [{"name": "north", "count": 2}]),
    ([query("groupBy", None, "name"), COUNT, query("having", None, nested("equal", "count", 1))], []),
    ([query("distinct"), query("select", None, "name")], [{"name": "north"}]),
    ([COUNT, query("equal", "price", SECRET)], [{"count": 0}]),
    ([COUNT, query("equal", "name", "hidden")], [{"count": 0}]),
    ([COUNT, query("equal", "customer.name", "whispered")], [{"count": 0}]),
    ([COUNT, query("isNotNull", "customer.name")], [{"count": 0}]),
    ([COUNT, query("equal", "parts.name", "whispered")], [{"count": 0}]),
    ([COUNT, query("equal", "parts.name", "seen")], [{"count": 2}]),
    ([COUNT, query("equal", "parts.sales.name", "hidden")], [{"count": 0}]),
    ([COUNT, query("equal", "best.$id", "held-part")], [{"count": 0}]),
]


@pytest.mark.parametrize(("queries", "rows"), ASKED, ids=[" ".join(queries)[:60] for queries, _ in ASKED])
def test_s16_hidden_rows_are_in_no_count_sum_or_group(
    jane: User, queries: list[str], rows: list[dict[str, Any]]
) -> None:
    for way in LISTS:
        answer = way(jane.client, *queries)
        assert answer.is_done, (way.name, answer)
        assert _rows_of(way, answer.message) == rows, way.name


def _rows_of(way: Asking, text: str) -> list[dict[str, Any]]:
    told = json.loads(text)
    if "GraphQL" in way.name:
        [told] = told["data"].values()
        return [json.loads(each["data"]) for each in told["documents" if way.is_legacy else "rows"]]
    return told["documents" if way.is_legacy else "rows"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "queries",
    [
        [query("groupBy", None, "customer.name"), COUNT],
        [query("max", "customer.name")],
        [query("countDistinct", "customer.name")],
        [query("distinct"), query("select", None, "customer.name")],
        [query("groupBy", None, "_permissions"), COUNT],
        [query("max", "_permissions")],
        [query("groupBy", None, "name"), COUNT, query("having", None, nested("equal", "customer.name", "w"))],
    ],
)
def test_s18_groups_and_sums_lead_to_no_other_rows_or_columns(jane: User, queries: list[str]) -> None:
    for way in LISTS:
        refused = way(jane.client, *queries)
        assert refused[:2] == (400, "general_query_invalid"), way.name
        assert not tells(refused.message)


def test_s16_a_table_that_may_not_be_read_counts_nothing(shop: Project, jane: User) -> None:
    params = {"queries[0]": COUNT}
    refused = shop.guest.get("/tablesdb/db/tables/customers/rows", params=params)
    empty = shop.guest.get(ROWS, params=params)

    assert error_of(refused) == (401, "user_unauthorized")
    assert empty.json()["rows"] == [{"count": 0}]


SELECTS = [
    ["*", "customer.*", "parts.*", "best.*"],
    ["name", "customer", "parts", "best"],
    ["parts.sales.*", "parts.sales.customer.*", "best.best_of.*", "best.sales.parts.*"],
    ["customer.sales.*", "customer.sales.parts.*"],
]


@pytest.mark.parametrize("select", SELECTS, ids=" ".join)
def test_s18_hidden_rows_are_related_to_none(shop: Project, jane: User, select: list[str]) -> None:
    for reading in READINGS:
        for row_id in ("a", "b"):
            shown = reading(jane.client, row_id, *select)
            whole = reading(shop.server, row_id, *select)
            assert shown.is_done, (reading.name, shown)
            assert not tells(shown.message), (reading.name, shown)
            assert whole.is_done
            assert tells(whole.message), reading.name
        assert not tells(reading(jane.client, "secret-sale", *select).message.replace("`secret-sale`", ""))
    assert '"seen"' in LISTS[0](jane.client, query("select", None, "parts.*")).message


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.name)
def test_s18_the_fourth_relation_away_is_asked_for_in_vain(jane: User, reading: Any) -> None:
    refused = reading(jane.client, "a", "parts.sales.parts.sales.*")

    assert refused[:2] == (400, "general_query_invalid")


@pytest.mark.parametrize("version", ["1.4.0", "1.7.0"])
def test_s18_an_older_sdk_is_shown_no_hidden_rows_unasked(shop: Project, jane: User, version: str) -> None:
    old = {"X-Appwrite-Response-Format": version}
    for path in (ROWS, f"{ROWS}/a", DOCUMENTS, f"{DOCUMENTS}/a"):
        shown = jane.client.get(path, headers=old)
        assert '"seen"' in shown.text
        assert not tells(shown.text)
        assert tells(shop.server.get(path, headers=old).text)
