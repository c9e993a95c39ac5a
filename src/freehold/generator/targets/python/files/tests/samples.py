"""Values for sample rows: valid, and different each time."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID, uuid4

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_counter = (time.time_ns() // 1000 ^ int.from_bytes(os.urandom(4), "big")) % 10**9


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
        value = least + _next() % (most - least + 1)
        return f"{recipe['before']}{value}" if "before" in recipe else value
    alphabets = recipe["spelled"] if "spelled" in recipe else [LETTERS] * recipe["text"]
    return recipe.get("before", "") + _spelled(alphabets) + recipe.get("after", "")


def new_id() -> UUID:
    return uuid4()


def _next() -> int:
    global _counter
    _counter += 1
    return _counter


def _spelled(alphabets: list[str]) -> str:
    """One character of each alphabet. The same text does not come back before all others were given."""
    count = _next()
    found = []
    for alphabet in reversed(alphabets):
        count, place = divmod(count, len(alphabet))
        found.append(alphabet[place])
    return "".join(reversed(found))
