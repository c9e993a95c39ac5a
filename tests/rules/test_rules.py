"""Whoever asks whatever of any table: the platform answers as the naive model does.

Each case is one call, compared whole: status, total, rows and their order; or a call that writes rows inside
rows, or a transaction, after which all rows and ties are compared. A failure names its seed and step.
`RULES_CASES` says how many cases there are; `make fuzz` takes a million.
"""

from __future__ import annotations

import os

import pytest

from tests.platform import Platform
from tests.rules.steps import step
from tests.rules.world import World

CASES = int(os.environ.get("RULES_CASES", 20_000))
WORLDS = 8
CASES_IN_A_WORLD = 2_500


@pytest.mark.parametrize("seed", range(max(WORLDS, CASES // CASES_IN_A_WORLD)))
def test_every_answer_is_as_the_rules_say(platform: Platform, seed: int) -> None:
    world = World(platform, seed)
    for _ in range(CASES_IN_A_WORLD):
        step(world)

    assert sum(len(table.rows) for table in world.tables) > 0
