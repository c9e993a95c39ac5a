"""Values for sample rows: valid, and different each time."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID, uuid4

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_START = (time.time_ns() // 1000 ^ int.from_bytes(os.urandom(4), "big")) % 10**9
_given: dict[str, int] = {}


def made(recipe: dict[str, Any]) -> Any:
    """A value by a recipe of resources.json."""
    if "list" in recipe:
        return [made(recipe["list"])]
    if "value" in recipe:
        return recipe["value"]
    if "uuid" in recipe:
        return str(new_id())
    if "number" in recipe:
        least, most = recipe["number"]
        value = least + _next(str(recipe["number"])) % (most - least + 1)
        return f"{recipe['before']}{value}" if "before" in recipe else value
    alphabets = recipe["spelled"] if "spelled" in recipe else [LETTERS] * recipe["text"]
    return recipe.get("before", "") + _spelled(alphabets) + recipe.get("after", "")


def new_id() -> UUID:
    return uuid4()


def _next(kind: str) -> int:
    """Counts each kind by itself: what is made of the others uses up none of a kind of which there are few."""
    _given[kind] = _given.get(kind, _START) + 1
    return _given[kind]


def _spelled(alphabets: list[str]) -> str:
    """One character of each alphabet. The same text does not come back before all others were given."""
    count = _next(" ".join(alphabets))
    found = []
    for alphabet in reversed(alphabets):
        count, place = divmod(count, len(alphabet))
        found.append(alphabet[place])
    return "".join(reversed(found))
