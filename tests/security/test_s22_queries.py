"""S12, S13, S16, S25 on each way: what one query may not ask, none may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.platform import Project, User
from tests.security.hostile import HOSTILE
from tests.security.open_table import ARGUMENT, ROWS, caller
from tests.security.test_s13_wrong_types import ODD
from tests.security.test_s25_query_cost import nested
from tests.security.ways.adding import ADDITIONS
from tests.security.ways.reading import ASKING, LISTS
from tests.security.ways.speaking import query

HIDDEN = [
    {"method": "equal", "attribute": "_permissions", "values": ['read("any")']},
    {"method": "equal", "attribute": "$permissions", "values": ['read("any")']},
    {"method": "equal", "attribute": "xmin", "values": ["1"]},
    {"method": "equal", "attribute": 'a"; drop table t; --', "values": ["1"]},
    {"method": "or", "values": [{"method": "isNull", "attribute": "ctid"}] * 2},
    {"method": "orderAsc", "attribute": "_permissions"},
    {"method": "equal", "attribute": "name", "values": [{"$ne": None}]},
    {"method": "greaterThan", "attribute": "whole", "values": ["1"]},
    {"method": "equal", "attribute": "name", "values": ["x"] * 600},
    {"method": "limit", "values": [10**9]},
    {"method": "offset", "values": [10**9]},
    {"method": "regex", "attribute": "name", "values": [r"(a*)*\1"]},
    {"method": "and", "values": []},
    nested(100),
]


@pytest.mark.parametrize("asked", HIDDEN, ids=lambda asked: f"{asked['method']} {asked.get('attribute', '')}")
def test_s16_s25_what_one_query_may_not_ask_none_may(
    shared: Project, people: tuple[User, User], asked: dict[str, Any]
) -> None:
    before = shared.server.get(ROWS).json()
    outcomes = {
        way.name: way(caller(shared, people, way, at), json.dumps(asked))[:2]
        for at, way in enumerate(ASKING, HIDDEN.index(asked))
    }

    assert outcomes == dict.fromkeys(outcomes, (400, "general_query_invalid"))
    assert shared.server.get(ROWS).json() == before


ABOUT_COLUMNS = ("equal", "isNull", "contains", "orderAsc", "select", "sum", "groupBy", "exists", "search")


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_a_query_names_columns_that_there_are(
    shared: Project, people: tuple[User, User], name: str
) -> None:
    before = shared.server.get(ROWS).json()
    for at, way in enumerate(ASKING):
        client = caller(shared, people, way, at)
        for turn in range(3):
            method = ABOUT_COLUMNS[(at + turn * 3) % len(ABOUT_COLUMNS)]
            in_values = method in ("select", "groupBy", "exists")
            values = [] if method in ("isNull", "orderAsc", "sum") else ["x"]
            asked = query(method, None, name) if in_values else query(method, name, *values)
            assert way(client, asked)[:2] == (400, "general_query_invalid"), (way.name, asked)
    assert shared.server.get(ROWS).json() == before


@pytest.mark.parametrize("name", HOSTILE)
def test_s12_an_addition_names_a_column(shared: Project, people: tuple[User, User], name: str) -> None:
    for client in (people[0].client, shared.server):
        outcomes = {each(client, "any-row", name, value=1)[:2] for each in ADDITIONS}
        assert outcomes in ({ARGUMENT}, {(404, "column_not_found")})  # the one that could be a column's name


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_s13_queries_are_texts_and_additions_numbers(
    shared: Project, people: tuple[User, User], odd: Any
) -> None:
    jane, _ = people
    kept = jane.client.put(f"{ROWS}/kept", json={"data": {"name": "kept", "whole": 5}}).json()
    for way in LISTS:
        assert way(jane.client, odd).status == 400, way.name
    for addition in ADDITIONS if isinstance(odd, bool) or not isinstance(odd, int) else ():
        assert addition(jane.client, "kept", "whole", value=odd).status == 400, addition.name
    assert jane.client.get(f"{ROWS}/kept").json() == kept
