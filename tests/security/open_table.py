"""A table in which users may make rows, those who try its ways, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.platform import Platform, Project, User
from tests.security.hostile import HOSTILE
from tests.security.ways.writing import Way

ROWS = "/tablesdb/db/tables/t/rows"
COLUMNS: list[dict[str, Any]] = [
    {"key": "name", "type": "varchar", "size": 20, "required": True},
    {"key": "whole", "type": "integer", "required": False, "max": 100},
    {"key": "list", "type": "varchar", "size": 20, "required": False, "array": True},
    {"key": "ratio", "type": "float", "required": False},
    {"key": "flag", "type": "boolean", "required": False},
    {"key": "moment", "type": "datetime", "required": False},
    {"key": "mail", "type": "email", "required": False},
    {"key": "spot", "type": "point", "required": False},
    {"key": "one", "type": "varchar", "size": 20, "required": False},
    {"key": "text", "type": "varchar", "size": 200, "required": False},
]

STRUCTURE = (400, "row_invalid_structure")
ARGUMENT = (400, "general_argument_invalid")

REFUSED: dict[str, tuple[Any, tuple[int, str]]] = {
    **{
        f"S12 a column called {name}": ({"name": "x", name: {"a": 1}}, STRUCTURE)
        for name in HOSTILE
        if name[0] != "$"  # which is none of a row's data
    },
    "S13 an object": ({"name": {"$ne": None}}, STRUCTURE),
    "S13 a list": ({"name": ["x"]}, STRUCTURE),
    "S13 a number": ({"name": 5}, STRUCTURE),
    "S13 a text for a number": ({"name": "x", "whole": "5"}, STRUCTURE),
    "S13 a fraction": ({"name": "x", "whole": 1.5}, STRUCTURE),
    "S13 a flag for a number": ({"name": "x", "whole": True}, STRUCTURE),
    "S13 one beyond its bound": ({"name": "x", "whole": 101}, STRUCTURE),
    "S13 one beyond all bounds": ({"name": "x", "whole": 2**70}, STRUCTURE),
    "S13 one for a list": ({"name": "x", "list": "a"}, STRUCTURE),
    "S13 a list in a list": ({"name": "x", "list": [["a"]]}, STRUCTURE),
    "S13 a null in a list": ({"name": "x", "list": [None]}, STRUCTURE),
    "S13 a text for a float": ({"name": "x", "ratio": "1"}, STRUCTURE),
    "S13 a number for a flag": ({"name": "x", "flag": 1}, STRUCTURE),
    "S13 no moment": ({"name": "x", "moment": "yesterday"}, STRUCTURE),
    "S13 no address": ({"name": "x", "mail": "nope"}, STRUCTURE),
    "S13 no place": ({"name": "x", "spot": [1, 2, 3]}, STRUCTURE),
    "S13 a place nowhere": ({"name": "x", "spot": [181, 0]}, STRUCTURE),
    "S13 a zero": ({"name": "a\0b"}, STRUCTURE),
    "S13 too long": ({"name": "x" * 21}, STRUCTURE),
    "S13 a megabyte": ({"name": "x" * 1_000_000}, STRUCTURE),
    "S13 a list for data": ([1], ARGUMENT),
    "S13 a text for data": ("[1]", ARGUMENT),
    "S15 null for what is required": ({"name": None}, STRUCTURE),
    "S15 nothing of what is required": ({"whole": 1}, STRUCTURE),
    "S14 permissions that are none": ({"name": "x", "$permissions": "read"}, ARGUMENT),
    "S14 permissions of numbers": ({"name": "x", "$permissions": [5]}, ARGUMENT),
    "S40 a path for an id": ({"name": "x", "$id": "../x"}, ARGUMENT),
    "S40 a number for an id": ({"name": "x", "$id": 5}, ARGUMENT),
    "S40 too long an id": ({"name": "x", "$id": "x" * 37}, ARGUMENT),
}
"""Rows that do not fit the table, and what is said of each."""


@pytest.fixture(scope="module")
def shared(platform: Platform) -> Project:
    """A table in which users may make rows, with a unique column; and another, which is closed."""
    project = platform.new_project()
    project.server.post("/tablesdb", json={"databaseId": "db", "name": "DB"})
    for table_id, columns in (("t", COLUMNS), ("closed", COLUMNS[:1])):
        body = {"tableId": table_id, "name": table_id, "rowSecurity": True, "columns": columns}
        body["permissions"] = ['create("users")'] if table_id == "t" else []
        assert project.server.post("/tablesdb/db/tables", json=body).status_code == 201
    index = {"key": "once", "type": "unique", "columns": ["one"]}
    assert project.server.post("/tablesdb/db/tables/t/indexes", json=index).status_code == 202
    return project


@pytest.fixture(scope="module")
def people(shared: Project) -> tuple[User, User]:
    return shared.new_user("Jane"), shared.new_user("Bob")


def callers(project: Project, people: tuple[User, User], way: Way) -> list[Any]:
    return [project.server] if way.for_keys else [project.server, people[0].client]


def caller(project: Project, people: tuple[User, User], way: Way, turn: int) -> Any:
    """A key, or a user every other time; so that each way is tried by both, with what there is to try."""
    allowed = callers(project, people, way)
    return allowed[turn % len(allowed)]
