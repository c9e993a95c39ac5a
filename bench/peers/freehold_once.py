"""What Freehold is asked once a round, rather than as often as it can: large deletions, wide expansions."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import httpx

from bench.peers import must

DATABASE = "once"
PARENTS, CHILDREN_OF_EACH = 100, 100
RELATIONS = 60
CASCADE = f"delete {PARENTS} parents with {PARENTS * CHILDREN_OF_EACH:,} children"
EXPANSION = f"list 25, {RELATIONS} relations of each row expanded"

_PATH = f"/v1/tablesdb/{DATABASE}/tables"


def prepare(client: httpx.Client, key: dict[str, str]) -> dict[str, Callable[[], float]]:
    """Make the tables. Gives what can be asked, each with how many seconds it took."""
    _post(client, "/v1/tablesdb", {"databaseId": DATABASE, "name": "Once"}, key)
    for table in ("parents", "children", "wide", *(f"far{number}" for number in range(RELATIONS))):
        columns = [{"key": "name", "type": "varchar", "size": 40, "required": False}]
        _post(client, _PATH, {"tableId": table, "name": table, "columns": columns}, key)
    _relate(client, "children", "parent", "parents", key)
    rows = [{"$id": f"w{number}"} for number in range(25)]
    for number in range(RELATIONS):
        _relate(client, "wide", f"r{number}", f"far{number}", key)
        far = [{"$id": f"f{row}", "name": f"far {number} {row}"} for row in range(25)]
        _post(client, f"{_PATH}/far{number}/rows", {"rows": far}, key)
        for at, row in enumerate(rows):
            row[f"r{number}"] = f"f{at}"
    for row in rows:  # rows are tied one by one: bulk calls set no relationships
        row_id = row.pop("$id")
        _post(client, f"{_PATH}/wide/rows", {"rowId": row_id, "data": row}, key)
    address = (str(client.base_url), {**client.headers, **key})
    return {CASCADE: lambda: _cascade(*address), EXPANSION: lambda: _expansion(*address)}


def _cascade(base: str, headers: dict[str, str]) -> float:
    with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
        parents = [{"$id": f"p{number}"} for number in range(PARENTS)]
        _post(client, f"{_PATH}/parents/rows", {"rows": parents}, {})
        for parent in range(PARENTS):
            children = [{"name": str(number)} for number in range(CHILDREN_OF_EACH)]
            nested = {"$id": f"p{parent}", "children": children}
            told = client.patch(f"{_PATH}/parents/rows/p{parent}", json={"data": nested}, headers={})
            must(told.status_code == 200, f"freehold: no children: {told.text[:200]}")
        started = time.perf_counter()
        gone = client.request("DELETE", f"{_PATH}/parents/rows", json={"queries": []})
        took = time.perf_counter() - started
        must(gone.json().get("total") == PARENTS, f"freehold: not deleted: {gone.text[:200]}")
        left = client.get(f"{_PATH}/children/rows").json()["total"]
        must(left == 0, f"freehold: {left} children are left")
        return took


def _expansion(base: str, headers: dict[str, str]) -> float:
    selected = ["*", *(f"r{number}.*" for number in range(RELATIONS))]
    query = json.dumps({"method": "select", "values": selected})
    path = f"{_PATH}/wide/rows?{urllib.parse.urlencode({'queries[0]': query, 'total': 'false'})}"
    with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
        client.get(path)
        started = time.perf_counter()
        found = client.get(path)
        took = time.perf_counter() - started
        rows = found.json().get("rows", [])
        must(
            len(rows) == 25
            and all(row[f"r{at}"]["name"].startswith("far") for row in rows for at in (0, 59)),
            f"freehold: not expanded: {found.text[:200]}",
        )
        return took


def _relate(client: httpx.Client, table: str, column: str, far: str, key: dict[str, str]) -> None:
    told: dict[str, Any] = {
        "relatedTableId": far, "type": "manyToOne", "key": column, "onDelete": "cascade",
        "twoWay": column == "parent", "twoWayKey": table,
    }  # fmt: skip
    _post(client, f"{_PATH}/{table}/columns/relationship", told, key)


def _post(client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    answer = client.post(path, json=body, headers=headers)
    must(answer.status_code in (201, 202), f"freehold: {path}: {answer.status_code} {answer.text[:200]}")
