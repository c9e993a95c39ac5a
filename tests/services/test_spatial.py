"""Columns of points, lines and polygons: made, changed, written and read."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.services.databases import Databases
from appwrite.services.tables_db import TablesDB

from tests.platform import Project

POINT = [8.5, 47.375]
LINE = [[8.5, 47.375], [8.75, 47.5], [-9, 40]]
POLYGON = [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]
PLACES: list[tuple[str, str, Any]] = [
    ("point", "point", POINT),
    ("line", "linestring", LINE),
    ("polygon", "polygon", POLYGON),
]
WRONG: list[tuple[str, Any]] = [
    ("point", "here"),
    ("point", []),
    ("point", [1]),
    ("point", [1, 2, 3]),
    ("point", [1, True]),
    ("point", [1, None]),
    ("point", ["1", "2"]),
    ("point", [[1, 2]]),
    ("point", [180.1, 0]),
    ("point", [0, -90.1]),
    ("point", [10**400, 0]),
    ("line", [1, 2]),
    ("line", [[1, 2]]),
    ("line", [[1, 2], [181, 2]]),
    ("line", [[1, 2], [3]]),
    ("polygon", []),
    ("polygon", [[]]),
    ("polygon", [[0, 0], [1, 0], [1, 1], [0, 0]]),
    ("polygon", [[[0, 0], [1, 0], [0, 0]]]),
    ("polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]),
    ("polygon", [[[0, 0], [1, 0], [1, 91], [0, 0]]]),
    ("line", [[0, 0]] * 10_001),
]


@pytest.fixture
def tables(project: Project) -> TablesDB:
    tables = TablesDB(project.sdk(key=project.key))
    tables.create("db", "DB")
    tables.create_table("db", "t", "T")
    return tables


@pytest.mark.parametrize(("name", "type_", "value"), PLACES)
def test_a_place_is_read_as_it_was_written(tables: TablesDB, name: str, type_: str, value: Any) -> None:
    made = getattr(tables, f"create_{name}_column")("db", "t", "c", True)
    tables.create_row("db", "t", "one", {"c": value})
    tables.create_rows("db", "t", [{"$id": "two", "c": value}, {"$id": "three", "c": value}])
    tables.upsert_row("db", "t", "four", {"c": value})

    assert (made.type, made.required) == (type_, True)
    assert [row.data["c"] for row in tables.list_rows("db", "t").rows] == [value] * 4
    assert tables.get_column("db", "t", "c").type == type_
    with pytest.raises(AppwriteException) as caught:
        tables.create_row("db", "t", "five", {})
    assert (caught.value.code, caught.value.type) == (400, "row_invalid_structure")


@pytest.mark.parametrize(("name", "type_", "value"), PLACES)
def test_the_default_of_a_place_can_be_set_and_taken_away(
    tables: TablesDB, name: str, type_: str, value: Any
) -> None:
    made = getattr(tables, f"create_{name}_column")("db", "t", "c", False, value)
    assert made.default == value
    tables.create_row("db", "t", "one", {})
    changed = getattr(tables, f"update_{name}_column")("db", "t", "c", False, None, "place")
    tables.create_row("db", "t", "two", {})

    assert (changed.key, changed.default) == ("place", None)
    assert [row.data["place"] for row in tables.list_rows("db", "t").rows] == [value, None]


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_what_is_no_such_place_is_refused_everywhere(tables: TablesDB, name: str, wrong: Any) -> None:
    create = getattr(tables, f"create_{name}_column")
    with pytest.raises(AppwriteException) as of_default:
        create("db", "t", "other", False, wrong)
    create("db", "t", "c", False)
    with pytest.raises(AppwriteException) as of_row:
        tables.create_row("db", "t", "one", {"c": wrong})
    with pytest.raises(AppwriteException) as of_rows:
        tables.create_rows("db", "t", [{"$id": "one", "c": None}, {"$id": "two", "c": wrong}])

    assert [caught.value.code for caught in (of_default, of_row, of_rows)] == [400] * 3
    assert tables.list_rows("db", "t").total == 0
    assert [column.key for column in tables.list_columns("db", "t").columns] == ["c"]


def test_places_are_made_with_their_table(tables: TablesDB) -> None:
    columns = [
        {"key": name, "type": type_, "required": False, "default": value} for name, type_, value in PLACES
    ]
    tables.create_table("db", "places", "Places", columns=columns)
    row = tables.create_row("db", "places", "one", {})

    assert row.data == {"point": POINT, "line": LINE, "polygon": POLYGON}
    with pytest.raises(AppwriteException) as caught:
        tables.create_table(
            "db", "no", "No", columns=[{"key": "p", "type": "point", "required": False, "array": True}]
        )
    assert caught.value.code == 400


def test_the_legacy_vocabulary_has_them(tables: TablesDB, project: Project) -> None:
    databases = Databases(project.sdk(key=project.key))
    made = [
        databases.create_point_attribute("db", "t", "point", False),
        databases.create_line_attribute("db", "t", "line", False),
        databases.create_polygon_attribute("db", "t", "polygon", False),
    ]
    data = {"point": POINT, "line": LINE, "polygon": POLYGON}
    databases.create_document("db", "t", "one", data)

    assert [attribute.type for attribute in made] == ["point", "linestring", "polygon"]
    assert tables.get_row("db", "t", "one").data == data
