"""The services written by hand serve the table that the generated ones are measured on."""

from __future__ import annotations

import re
from pathlib import Path

import bench.services
from bench.services.__main__ import BY_HAND
from freehold.generator import TARGETS
from freehold.generator.planner import plan
from freehold.schema.read import read_schema

HERE = Path(bench.services.__file__).parent


def test_there_is_one_by_hand_in_every_language_and_it_inserts_into_the_columns_of_the_schema():
    (customer,) = [
        each for each in plan(read_schema(HERE / "freehold.yaml")).entities if each.name == "customer"
    ]
    columns = ["tenant_id", "id", *(each.column for each in customer.writable)]

    assert set(BY_HAND) == set(TARGETS)
    for language, by_hand in BY_HAND.items():
        source = (HERE / "peers" / by_hand.source).read_text(encoding="utf-8")
        inserted = re.findall(r"insert into customer \(([^)]*)\)", source)
        assert [each.split(", ") for each in inserted] == [columns], language
