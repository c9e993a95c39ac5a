"""Names of entities and fields: what they may be, their plurals, and words that a language keeps."""

from __future__ import annotations

import keyword
import re

MAX_NAME = 58
"""So that a key (`owner` becomes `owner_id`) still fits PostgreSQL's 63 bytes."""

_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")

POSTGRES_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
"""Every table of PostgreSQL has these columns already; quoting does not help."""

PYTHON_WORDS = frozenset(word.lower() for word in keyword.kwlist)
TYPESCRIPT_WORDS = frozenset(
    [
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
        "with",
        "yield",
    ]
)
"""Reserved in modules, which are always strict."""
GO_WORDS = frozenset(
    [
        "break",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "fallthrough",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "return",
        "select",
        "struct",
        "switch",
        "type",
        "var",
    ]
)
_LANGUAGES = {"Python": PYTHON_WORDS, "TypeScript": TYPESCRIPT_WORDS, "Go": GO_WORDS}

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
OWN_TABLES = frozenset({"audit_log", "idempotency_key", "api_key", "schema_migration", "schema_migrations"})

SYSTEM_NAMES = frozenset(
    {
        "id",
        "tenant_id",
        "created_at",
        "updated_at",
        "created_by",
        "updated_by",
        "deleted_at",
        "version",
        "search_vector",
    }
)
"""Columns that every table may have."""
LIST_PARAMETERS = frozenset({"sort", "limit", "cursor", "offset", "include", "q", "count", "deleted"})
"""What every list is asked with, so that no field can be filtered by under this name."""

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


def singular(name: str) -> str:
    """What a noun was before it was a plural: of `deal_lines`, `deal_line`. Itself, when it is none."""
    head, _, word = name.rpartition("_")
    found = _singular(word)
    return f"{head}_{found}" if head else found


def path_of(name: str) -> str:
    """A name as it stands in a URL: `deal_lines` is `deal-lines`."""
    return name.replace("_", "-")


def field_refusal(name: str) -> tuple[str, str] | None:
    """Why a field or a relation cannot have this name, and which one it could have. None when it can.

    It is an attribute, a property, and a member of a struct whose name has a capital: there only Python's
    words are in the way. In SQL it is quoted.
    """
    if name in PYTHON_WORDS:
        return (
            f"`{name}` is a word of Python",
            f'call it `{name}_value`, with `column: "{name}"` if the column should keep it',
        )
    if name in _SCRIPT_WORDS:
        return f"`{name}` has a meaning of its own in TypeScript", f"call it `{name}_value`"
    return None


def entity_refusal(name: str) -> tuple[str, str] | None:
    """Why an entity cannot have this name, and which one it could have. None when it can.

    It is a variable and a package too, which no language lets be one of its words. In SQL it is quoted.
    """
    if name in OWN_TABLES:
        return f"`{name}` is a table that the service makes for itself", f"call it `{name}_entry`"
    languages = [language for language, reserved in _LANGUAGES.items() if name in reserved]
    if languages:
        return (
            f"`{name}` is a word of {', '.join(languages)}",
            f'call it `{name}_entry`, with `table: "{name}"` if the table should keep it',
        )
    if name in _SCRIPT_WORDS or name in _TYPE_WORDS:
        return (
            f"`{name}` would hide what Python, TypeScript or Go call so",
            f"call it `{name}_entry`, or what it is in your trade",
        )
    return None


def plural_refusal(name: str) -> tuple[str, str] | None:
    """Why packages and paths cannot be called so, and how they could be."""
    if any(name in reserved for reserved in _LANGUAGES.values()):
        return f"`{name}` cannot name a package", f"such as `{name}_entries`"
    return None


def spelled(name: str) -> str:
    """How classes and members of structs are spelled: `deal_line` is `DealLine`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


_SINGULARS = {many: one for one, many in _IRREGULAR.items()}
_NO_PLURAL_ENDINGS = ("ss", "us", "is", "as", "ops")


def _singular(word: str) -> str:
    if word in _SINGULARS:
        return _SINGULARS[word]
    if word in _UNCOUNTED or not word.endswith("s") or word.endswith(_NO_PLURAL_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for one in (word[:-2], word[:-1]):
        if len(one) > 1 and _plural(one) == word:
            return one
    return word


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
