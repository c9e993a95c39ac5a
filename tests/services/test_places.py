"""Rows that are asked for by place: how they lie, how far they are, and what cannot be asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.query import Query
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.platform import Platform, Project, error_of

SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
RING = [SQUARE[0], [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]
"""A square with a square hole in it."""

POINTS = {"inside": [2, 2], "edge": [10, 5], "corner": [0, 0], "hole": [5, 5], "away": [20, 20]}
LINES = {
    "inside": [[1, 1], [3, 3]],
    "through": [[-5, 2], [15, 2]],
    "along": [[0, 0], [10, 0]],
    "touching": [[10, 5], [15, 5]],
    "away": [[20, 20], [30, 30]],
}
POLYGONS = {
    "same": [[[10, 10], [0, 10], [0, 0], [10, 0], [10, 10]]],
    "within": [[[1, 1], [3, 1], [3, 3], [1, 3], [1, 1]]],
    "half": [[[5, 5], [15, 5], [15, 15], [5, 15], [5, 5]]],
    "next": [[[10, 0], [20, 0], [20, 10], [10, 10], [10, 0]]],
    "away": [[[40, 40], [50, 40], [50, 50], [40, 40]]],
}
KINDS: dict[str, dict[str, Any]] = {"point": POINTS, "line": LINES, "polygon": POLYGONS}


@pytest.fixture(scope="module")
def tables(platform: Platform) -> TablesDB:
    """A table for each kind of place; each has a row without one."""
    project = platform.new_project()
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    for kind, places in KINDS.items():
        tables.create_table("db", kind, kind)
        getattr(tables, f"create_{kind}_column")("db", kind, "place", False)
        rows = [{"$id": name, "place": place} for name, place in places.items()]
        tables.create_rows("db", kind, [*rows, {"$id": "nowhere", "place": None}])
    return tables


def found(tables: TablesDB, kind: str, *queries: str) -> set[str]:
    listed = tables.list_rows("db", kind, list(queries))
    assert listed.total == len(listed.rows)
    return {row.id for row in listed.rows}


CASES: list[tuple[str, str, Any, set[str]]] = [
    ("point", "intersects", SQUARE, {"inside", "edge", "corner", "hole"}),
    ("point", "intersects", RING, {"inside", "edge", "corner"}),
    ("point", "intersects", [[0, 0], [4, 4]], {"inside", "corner"}),
    ("point", "intersects", [2, 2], {"inside"}),
    ("point", "touches", SQUARE, {"edge", "corner"}),
    ("point", "crosses", SQUARE, set()),
    ("point", "overlaps", [2, 2], set()),
    ("point", "covers", [2, 2], {"inside"}),
    ("point", "spatial_equals", [2.0, 2.0], {"inside"}),
    ("line", "intersects", SQUARE, {"inside", "through", "along", "touching"}),
    ("line", "crosses", SQUARE, {"through"}),
    ("line", "touches", SQUARE, {"along", "touching"}),
    ("line", "crosses", [[2, -5], [2, 5]], {"inside", "through", "along"}),
    ("line", "overlaps", [[2, 0], [20, 0]], {"along"}),
    ("line", "covers", [[2, 0], [3, 0]], {"along"}),
    ("line", "touches", [15, 5], {"touching"}),
    ("line", "spatial_equals", [[10, 0], [5, 0], [0, 0]], {"along"}),
    ("polygon", "intersects", SQUARE, {"same", "within", "half", "next"}),
    ("polygon", "touches", SQUARE, {"next"}),
    ("polygon", "overlaps", SQUARE, {"half"}),
    ("polygon", "overlaps", RING, {"half"}),
    ("polygon", "covers", SQUARE, {"same"}),
    ("polygon", "covers", [[10, 0], [10, 10]], {"same", "next"}),
    ("polygon", "spatial_equals", SQUARE, {"same"}),
    ("polygon", "crosses", [[-5, 2], [15, 2]], {"same", "within", "next"}),
    ("polygon", "crosses", SQUARE, set()),
    ("polygon", "touches", [0, 0], {"same"}),
]


@pytest.mark.parametrize(("kind", "method", "place", "expected"), CASES)
def test_rows_are_found_by_how_their_places_lie(
    tables: TablesDB, kind: str, method: str, place: Any, expected: set[str]
) -> None:
    negation = f"not_{method}"

    assert found(tables, kind, getattr(Query, method)("place", place)) == expected
    assert found(tables, kind, getattr(Query, negation)("place", place)) == set(KINDS[kind]) - expected


def test_an_area_contains_what_is_inside_of_it_but_not_what_is_on_its_edge_alone(tables: TablesDB) -> None:
    on_the_edge, inside, in_two = [[10, 5]], [[2, 2]], [[[1, 1], [3, 1]]]

    assert found(tables, "polygon", Query.contains("place", on_the_edge)) == set()
    assert found(tables, "polygon", Query.covers("place", on_the_edge[0])) == {"same", "half", "next"}
    assert found(tables, "polygon", Query.contains("place", inside)) == {"same", "within"}
    assert found(tables, "polygon", Query.not_contains("place", inside)) == {"half", "next", "away"}
    assert found(tables, "polygon", Query.contains("place", in_two)) == {"same"}


def test_places_are_equal_to_what_is_written_otherwise(tables: TablesDB) -> None:
    assert found(tables, "point", Query.equal("place", [[2, 2], [5, 5]])) == {"inside", "hole"}
    assert found(tables, "point", Query.not_equal("place", [[2, 2]])) == set(POINTS) - {"inside"}
    assert found(tables, "polygon", Query.equal("place", [SQUARE])) == {"same"}
    assert found(tables, "line", Query.is_null("place")) == {"nowhere"}
    assert found(tables, "line", Query.is_not_null("place")) == set(LINES)
    assert found(tables, "line", Query.exists(["place"])) == set(LINES)


def test_coordinates_are_the_decimals_that_were_written(tables: TablesDB) -> None:
    tables.create_row("db", "point", "third", {"place": [0.1, 0.3]})
    on_it, beside = [[0, 0], [0.2, 0.6]], [[0, 0], [0.2, 0.60000001]]

    assert found(tables, "point", Query.intersects("place", on_it)) == {"third", "corner"}
    assert found(tables, "point", Query.intersects("place", beside)) == {"corner"}
    tables.delete_row("db", "point", "third")


CITIES = {
    "zurich": [8.5417, 47.3769],
    "bern": [7.4474, 46.948],
    "paris": [2.3522, 48.8566],
    "suva": [178.45, -18.1416],
    "apia": [-171.75, -13.8333],
    "alert": [-62.3481, 82.5018],
    "longyearbyen": [15.6401, 78.2232],
}
ZURICH = CITIES["zurich"]


@pytest.fixture(scope="module")
def cities(tables: TablesDB) -> TablesDB:
    tables.create_table("db", "cities", "Cities")
    tables.create_point_column("db", "cities", "place", True)
    tables.create_rows("db", "cities", [{"$id": name, "place": place} for name, place in CITIES.items()])
    return tables


DISTANCES: list[tuple[Any, float, set[str]]] = [
    (ZURICH, 90_000, {"zurich"}),
    (ZURICH, 100_000, {"zurich", "bern"}),
    (ZURICH, 500_000, {"zurich", "bern", "paris"}),
    (CITIES["apia"], 1_200_000, {"apia", "suva"}),
    (CITIES["suva"], 1_200_000, {"apia", "suva"}),
    ([100, 89], 1_400_000, {"alert", "longyearbyen"}),
    ([0, 0], 20_100_000, set(CITIES)),
    ([[7, 46], [7, 48]], 60_000, {"bern"}),
    ([[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]], 1, {"zurich"}),
    ([[[8, 47], [9, 47], [9, 48], [8, 48], [8, 47]]], 60_000, {"zurich", "bern"}),
]


@pytest.mark.parametrize(("place", "metres", "near"), DISTANCES)
def test_rows_are_found_by_their_distance_in_metres(
    cities: TablesDB, place: Any, metres: float, near: set[str]
) -> None:
    nearer = Query.distance_less_than("place", place, metres)
    farther = Query.distance_greater_than("place", place, metres)

    assert found(cities, "cities", nearer) == near
    assert found(cities, "cities", farther) == set(CITIES) - near


def test_a_distance_can_be_in_degrees_and_exact(tables: TablesDB) -> None:
    five = Query.distance_equal("place", [5, 6], 5, False)

    assert found(tables, "point", Query.distance_equal("place", [-1, -2], 5, False)) == {"inside"}
    assert found(tables, "point", five) == set(POINTS) - set(
        found(tables, "point", Query.distance_not_equal("place", [5, 6], 5, False))
    )
    assert found(tables, "polygon", Query.distance_less_than("place", [-3, -4], 5.01, False)) == {"same"}
    assert found(tables, "polygon", Query.distance_equal("place", [10, 5], 0)) == {"same", "half", "next"}
    assert found(tables, "line", Query.distance_greater_than("place", [5, 5], 20, False)) == {"away"}


WRONG: list[tuple[str, Any, str]] = [
    ("intersects", [], "takes one place"),
    ("intersects", [[1, 2], [3, 4]], "takes one place"),
    ("intersects", ["here"], "is not a place"),
    ("intersects", [None], "is not a place"),
    ("intersects", [[]], "is not a place"),
    ("intersects", [[1]], "is not a point"),
    ("intersects", [[1, True]], "is not a point"),
    ("intersects", [[181, 0]], "is not on earth"),
    ("intersects", [[[1, 2]]], "is not a line"),
    ("intersects", [[[[0, 0], [1, 0], [1, 1]]]], "not closed"),
    ("intersects", [[[[[0, 0]]]]], "is not a place"),
    ("intersects", [[[0, 0]] * 501], "has 501 points"),
    ("contains", [5, 5], "takes one place"),
    ("equal", [5, 5], "is not a place"),
    ("distanceLessThan", [[1, 2], 5], "is not one list"),
    ("distanceLessThan", [[[1, 2]]], "is not one list"),
    ("distanceLessThan", [[[1, 2], "5", True]], "has a distance"),
    ("distanceLessThan", [[[1, 2], -1, True]], "has a distance"),
    ("distanceLessThan", [[[1, 2], 5, "yes"]], "does not say"),
    ("distanceLessThan", [[5, 5, True]], "is not a place"),
    ("lessThan", [[1, 2]], "cannot be asked of `place`, which is a point"),
    ("between", [[1, 2], [3, 4]], "cannot be asked"),
    ("search", ["x"], "cannot be asked"),
    ("startsWith", ["x"], "cannot be asked"),
]


@pytest.mark.parametrize(("method", "values", "told"), WRONG)
def test_what_is_no_question_about_places_is_refused_with_what_and_where(
    tables: TablesDB, method: str, values: Any, told: str
) -> None:
    with pytest.raises(AppwriteException, match=told) as caught:
        found(tables, "point", json.dumps({"method": method, "attribute": "place", "values": values}))

    assert (caught.value.code, caught.value.type) == (400, "general_query_invalid")
    assert "`place`" in caught.value.message


def test_places_have_no_order_and_other_columns_no_place(tables: TablesDB) -> None:
    for query in (
        Query.order_asc("place"),
        Query.max("place"),
        Query.group_by(["place"]),
        Query.intersects("$createdAt", [1, 2]),
        Query.distance_less_than("$id", [1, 2], 5),
    ):
        with pytest.raises(AppwriteException) as caught:
            found(tables, "point", query)
        assert (caught.value.code, caught.value.type) == (400, "general_query_invalid")


def test_filters_by_place_stand_wherever_filters_do(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "shops", "Shops")
    tables.create_point_column("db", "shops", "spot", False)
    tables.create_table("db", "offers", "Offers")
    tables.create_relationship_column(
        "db", "offers", "shops", "manyToOne", False, "shop", on_delete="setNull"
    )
    tables.create_rows("db", "shops", [{"$id": name, "spot": spot} for name, spot in POINTS.items()])
    for name in POINTS:
        tables.create_row("db", "offers", f"of-{name}", {"shop": name})
    inside = Query.intersects("shop.spot", RING)
    either = Query.or_queries(
        [Query.equal("$id", "of-away"), Query.distance_less_than("shop.spot", [2, 2], 5)]
    )
    staged = tables.create_transaction()
    tables.create_row("db", "shops", "new", {"spot": [3, 3]}, transaction_id=staged.id)
    within = Query.intersects("spot", RING)

    assert found(tables, "offers", inside) == {"of-inside", "of-edge", "of-corner"}
    assert found(tables, "offers", either) == {"of-away", "of-inside"}
    seen = tables.list_rows("db", "shops", [within], transaction_id=staged.id)
    assert {row.id for row in seen.rows} == {"inside", "edge", "corner", "new"}
    assert found(tables, "shops", within) == {"inside", "edge", "corner"}
    assert tables.delete_rows("db", "shops", [Query.equal("spot", [POINTS["hole"]])]).total == 1
    changed = tables.update_rows("db", "shops", {"spot": [7, 7]}, [Query.touches("spot", SQUARE)])
    assert {row.id for row in changed.rows} == {"edge", "corner"}
    legacy = Databases(project.sdk(key=project.key)).list_documents(
        "db", "shops", [Query.covers("spot", [7, 7])]
    )
    assert {document.id for document in legacy.documents} == {"edge", "corner"}
    asked = {"query": '{ tablesDBListRows(databaseId: "db", tableId: "shops", queries: %s) { total } }'}
    asked["query"] %= json.dumps([Query.intersects("spot", RING)])
    answered = project.server.post("/graphql", json=asked).json()
    assert answered["data"]["tablesDBListRows"]["total"] == 3


def test_a_spatial_index_is_made_in_both_vocabularies_and_with_its_table(project: Project) -> None:
    tables, databases = (kind(project.sdk(key=project.key)) for kind in (TablesDB, Databases))
    tables.create("db", "DB")
    columns = [{"key": kind, "type": kind, "required": False} for kind in ("point", "linestring", "polygon")]
    tables.create_table(
        "db", "t", "T", columns=columns, indexes=[{"key": "first", "type": "spatial", "columns": ["polygon"]}]
    )
    tables.create_row("db", "t", "one", {"point": [1, 2]})
    made = tables.create_index("db", "t", "second", "spatial", ["linestring"])
    third = databases.create_index("db", "t", "third", "spatial", ["point"])
    tables.create_row("db", "t", "two", {"linestring": LINES["along"], "polygon": SQUARE})

    assert (made.type, made.status, made.columns, made.orders) == ("spatial", "available", ["linestring"], [])
    assert (third.type, third.attributes) == ("spatial", ["point"])
    assert [index.key for index in tables.list_indexes("db", "t").indexes] == ["first", "second", "third"]
    assert found(tables, "t", Query.intersects("polygon", [5, 5])) == {"two"}
    tables.delete_index("db", "t", "second")
    assert found(tables, "t", Query.touches("linestring", [0, 0])) == {"two"}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "spatial", "columns": ["a", "b"]}, "of one column"),
    ({"type": "spatial", "columns": ["name"]}, "is not of points, lines or polygons"),
    ({"type": "spatial", "columns": ["$id"]}, "is not a column of places"),
    ({"type": "spatial", "columns": ["gone"]}, "is not a column of places"),
    ({"type": "spatial", "columns": ["a"], "orders": ["asc"]}, "have no order"),
    ({"type": "key", "columns": ["a"]}, "only a `spatial` index"),
    ({"type": "unique", "columns": ["a"]}, "only a `spatial` index"),
    ({"type": "fulltext", "columns": ["a"]}, "only a `spatial` index"),
]


def test_what_no_spatial_index_can_be_of_is_refused(project: Project) -> None:
    server = project.server
    server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    columns: list[dict[str, Any]] = [{"key": key, "type": "point", "required": False} for key in "ab"]
    columns.append({"key": "name", "type": "varchar", "size": 20, "required": False})
    server.post("/tablesdb/db/tables", json={"tableId": "t", "name": "T", "columns": columns})
    for index, told in REFUSED:
        refused = server.post("/tablesdb/db/tables/t/indexes", json={"key": "i", **index})
        assert error_of(refused) == (400, "column_index_invalid"), index
        assert told in refused.json()["message"]

    assert server.get("/tablesdb/db/tables/t/indexes").json()["total"] == 0
