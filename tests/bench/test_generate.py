"""A large schema gives a repository that is still small, and the work for it grows no faster than it does."""

from __future__ import annotations

import sys

import pytest

from bench.dense import dense
from bench.generate import MOST_BYTES, size_of
from freehold.generator import TARGETS, generate


@pytest.mark.parametrize("lang", TARGETS)
def test_a_hundred_densely_related_entities_are_within_bounds(lang: str):
    emitted = generate(dense(100), lang)

    assert size_of(emitted) < MOST_BYTES
    assert len(emitted["openapi.json"]) < 1_900_000


def test_three_times_as_many_entities_take_three_times_as_much_work():
    assert calls(90) < 3.5 * calls(30)


def calls(entities: int) -> int:
    """How many functions generating a service calls: unlike seconds, it is the same on every machine."""
    schema = dense(entities)
    generate(schema, "go")  # templates are compiled once
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        generate(schema, "go")
    finally:
        sys.setprofile(None)
    return count
