"""One random call by a random caller after the other."""

from __future__ import annotations

from collections.abc import Callable

from tests.rules.changing import (
    count_row,
    create_row,
    delete_row,
    delete_rows,
    update_row,
    update_rows,
    upsert_row,
    upsert_rows,
)
from tests.rules.model import Caller, Table
from tests.rules.nesting import do_several, write_nested
from tests.rules.reading import get_row, list_rows, put_together
from tests.rules.wire import VOCABULARIES
from tests.rules.world import World

KEPT_ROWS = 40
"""A table that has grown beyond this is thinned out."""

CALLS: dict[Callable[[World, Table, Caller], None], float] = {
    list_rows: 24,
    get_row: 4,
    create_row: 4,
    update_row: 4,
    delete_row: 2,
    upsert_row: 3,
    count_row: 2,
    put_together: 3,
    upsert_rows: 1,
    update_rows: 1,
    delete_rows: 0.3,
    write_nested: 0.8,
    do_several: 0.3,
}
"""Each kind of call, and how often it is made."""


def step(world: World) -> None:
    """One random call by a random caller, compared."""
    world.steps += 1
    world.through_graphql = world.chance.random() < 0.1
    world.words = VOCABULARIES[0] if world.through_graphql else world.chance.choice(VOCABULARIES)
    table, caller = world.chance.choice(world.tables), world.chance.choice(world.callers)
    [act] = world.chance.choices(list(CALLS), weights=list(CALLS.values()))
    if len(table.rows) > KEPT_ROWS:
        act, caller = delete_row, world.callers[-1]
    act(world, table, caller)
