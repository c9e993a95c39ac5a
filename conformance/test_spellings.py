"""S13: a value, an address and a parameter are spelled as the contract spells them, and in no other way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .resources import BY_NAME
from .world import Caller, World

SPECIMEN = BY_NAME["specimen"]


@pytest.fixture(scope="module")
def boss(world: World) -> Caller:
    """Somebody who may do much."""
    return world.caller("boss", str(world.tenant()))


ODD_VALUES: dict[str, tuple[Any, ...]] = {
    "an_int": ("1", 1.5, "1_0", True, [1], 500001, -6),
    "a_bigint": ("1", 2**53, 1.5, True),
    "a_float": ("1.5", "NaN", True),
    "a_decimal": (
        "1e3",
        "NaN",
        "Infinity",
        "1_0",
        " 1",
        "+1",
        "\uff11",
        "1.",
        ".5",
        "0x1",
        "1,5",
        "-",
        "1.23456",
        True,
        "",
    ),
    "a_bool": ("true", 1, 0, "yes", "True"),
    "a_date": (
        "2026-1-1",
        "20260101",
        "2026-W01-1",
        "2026-02-30",
        "0000-01-01",
        "2026-01-01T00:00:00Z",
        "10000-01-01",
        "now",
        20260101,
        "today",
        "infinity",
    ),
    "a_time": ("24:00:00", "12", "12:60:00", "1:00:00", "12:00:00Z", "now", "12:00:00+01:00"),
    "a_datetime": (
        "2026-01-01",
        "2026-01-01T00:00:00",
        "now",
        "infinity",
        0,
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "2026-01-01T00:00Z[UTC]",
    ),
    "a_uuid": (
        "{0199b1c4-0000-7000-8000-00000000000a}",
        "0199b1c4000070008000" + "00000000000a",
        "urn:uuid:0199b1c4-0000-7000-8000-00000000000a",
        "",
        "0199b1c4-0000-7000-8000-00000000000g",
    ),
    "some_bytes": ("a", "YQ", "YQ==\n", "Y Q==", "-_==", "YQ===", "é"),
    "an_enum": ("LOW", "low ", "", "no", None),
    "an_email": (
        "a",
        "a@",
        "@b.example",
        "a@b.example\n",
        "a b@c.example",
        "a@b@c.example",
        "a@b.example,c@d.example",
    ),
    "an_ip": (
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "1.2.3.4/8",
        "1.2.3",
        "1.2.3.4 ",
        "::1%lo",
        "999.1.1.1",
        "",
        "01.2.3.4",
    ),
    "a_point": ([1], [1, 2, 3], ["1", "2"], {"x": 1, "y": 2}, [None, 1], [[1, 2]], "(1,2)"),
    "code": ("AB-1234\n", "ab-1234", "AB-123", "xAB-1234", "AB-\uff11\uff12\uff13\uff14"),
}


@pytest.mark.parametrize("key", ODD_VALUES)
def test_s13_a_value_is_spelled_as_the_contract_spells_it(boss: Caller, key: str) -> None:
    taken = []
    for value in ODD_VALUES[key]:
        answer = boss.post("/v1/specimens", json=SPECIMEN.sample() | {key: value})
        if answer.status_code != 422 or not answer.json()["errors"][0]["pointer"].startswith(f"/{key}"):
            taken.append((value, answer.status_code))

    assert taken == [], json.dumps(taken, ensure_ascii=True)


def test_s13_an_address_has_one_spelling(boss: Caller) -> None:
    spelled = ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:0db8::0001"]
    made = [boss.post("/v1/specimens", json=SPECIMEN.sample() | {"an_ip": each}).json() for each in spelled]
    changed = boss.patch(f"/v1/specimens/{made[0]['id']}", json={"an_ip": "FE80:0::00A"})

    assert {each["an_ip"] for each in made} == {"2001:db8::1"}
    assert changed.json()["an_ip"] == "fe80::a"


def test_s13_a_parameter_is_spelled_as_the_contract_spells_it(boss: Caller) -> None:
    odd = {
        "limit": ("+5", "5.0", "1_0", "\uff11", " 5", "5 ", "0x5", "1e1", "", "05x", "null", "5\n"),
        "offset": ("+5", "-1", "1_0", "\uff11", " 5", ""),
        "an_int.gte": ("+5", "1_0", "\uff11", " 5", "5.0", "", "x", str(2**63)),
        "a_bool": ("True", "1", "yes", "on", "", "TRUE", "t"),
        "a_decimal.gte": ("1e3", "NaN", "Infinity", "1_0", " 1", "\uff11", ""),
        "a_date": ("2026-1-1", "20260101", "now", "", "2026-02-30", "infinity"),
        "a_datetime.gte": ("2026-01-01", "now", "", "infinity", "2026-02-30T00:00:00Z"),
        "a_date.is_null": ("True", "1", "yes", "", "false "),
        "a_uuid": ("{0199b1c4-0000-7000-8000-00000000000a}", "x", "", "0199b1c400007000800000000000000a"),
        "an_enum": ("LOW", "", "no"),
        "a_float.gte": ("1_0", " 1.5", "NaN", "inf", "0x1", "", "1e400", "\uff11", "+1"),
        "sort": ("", "a_string,a_int", "- a_string", "--a_string", "A_STRING", "a_string ", "a_json"),
        "deleted": ("Only", "", "all", "true"),
        "count": ("", "true", "EXACT", "planned"),
    }
    taken = []
    for name, values in odd.items():
        for value in values:
            answer = boss.get("/v1/specimens", params={name: value})
            if answer.status_code != 400 or answer.json()["errors"][0]["parameter"] != name:
                taken.append((name, value, answer.status_code))

    assert taken == [], json.dumps(taken, ensure_ascii=True)
