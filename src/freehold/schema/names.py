"""Names of entities and fields: what they may be, their plurals, and words that a language keeps."""

from __future__ import annotations

import keyword
import re

MAX_NAME = 58
"""So that a key (`owner` becomes `owner_id`) still fits PostgreSQL's 63 bytes."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")

POSTGRES_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Every table of PostgreSQL has these columns already; quoting does not help."""

_PYTHON_WORDS = frozenset(word.lower() for word in keyword.kwlist)
_SCRIPT_WORDS = frozenset({"constructor", "prototype", "arguments", "eval"})
# Class, type and package names that would hide what generated code itself uses.
_TYPE_WORDS = frozenset(
    [
        "any",
        "array",
        "big_int",
        "boolean",
        "buffer",
        "bytes",
        "context",
        "date",
        "error",
        "exception",
        "fmt",
        "function",
        "http",
        "int",
        "json",
        "list",
        "log",
        "map",
        "never",
        "null",
        "number",
        "object",
        "optional",
        "promise",
        "record",
        "request",
        "response",
        "set",
        "slice",
        "sql",
        "str",
        "string",
        "symbol",
        "sync",
        "time",
        "tuple",
        "type",
        "undefined",
        "unknown",
        "void",
    ]
)
_OWN_TABLES = frozenset({"audit_log", "idempotency_key", "api_key", "schema_migration", "schema_migrations"})

_IRREGULAR = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "mouse": "mice",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "ox": "oxen",
    "quiz": "quizzes",
    "index": "indices",
    "vertex": "vertices",
    "matrix": "matrices",
    "analysis": "analyses",
    "basis": "bases",
    "crisis": "crises",
    "axis": "axes",
    "criterion": "criteria",
    "medium": "media",
    "datum": "data",
    "leaf": "leaves",
    "life": "lives",
    "knife": "knives",
    "half": "halves",
    "shelf": "shelves",
    "self": "selves",
    "wolf": "wolves",
    "hero": "heroes",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "echo": "echoes",
    "veto": "vetoes",
}
_UNCOUNTED = frozenset(
    [
        "aircraft",
        "data",
        "equipment",
        "feedback",
        "fish",
        "information",
        "media",
        "metadata",
        "money",
        "news",
        "rice",
        "series",
        "sheep",
        "software",
        "species",
        "staff",
    ]
)


def is_snake_case(name: str) -> bool:
    return len(name) <= MAX_NAME and _SNAKE.fullmatch(name) is not None


def snake_case(name: str) -> str:
    """The nearest name that the language allows: of `firstName` or `first-name`, `first_name`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    words = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:MAX_NAME].strip("_")
    if not words:
        return "name"
    return words if words[0].isalpha() else f"n_{words}"


def plural(name: str) -> str:
    """The plural of a snake_case noun: of `deal_line`, `deal_lines`."""
    head, _, word = name.rpartition("_")
    return f"{head}_{_plural(word)}" if head else _plural(word)


def path_of(name: str) -> str:
    """A name as it stands in a URL: `deal_lines` is `deal-lines`."""
    return name.replace("_", "-")


def field_refusal(name: str) -> tuple[str, str] | None:
    """Why a field cannot have this name, and which one it could have. None when it can."""
    if name in _PYTHON_WORDS:
        return (
            f"`{name}` is a word of Python",
            f"call it `{name}_value`, with `column: {name}` if the column should keep it",
        )
    if name in _SCRIPT_WORDS:
        return f"`{name}` has a meaning of its own in TypeScript", f"call it `{name}_value`"
    return None


def entity_refusal(name: str) -> tuple[str, str] | None:
    """Why an entity cannot have this name, and which one it could have. None when it can."""
    if name in _OWN_TABLES:
        return f"`{name}` is a table that the service makes for itself", f"call it `{name}_entry`"
    if name in _PYTHON_WORDS or name in _SCRIPT_WORDS or name in _TYPE_WORDS:
        return (
            f"`{name}` would hide a word of Python, TypeScript or Go",
            f"call it `{name}_entry`, or what it is in your trade",
        )
    return None


def _plural(word: str) -> str:
    if word in _UNCOUNTED:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"
