"""The JSON Schema of `freehold.yaml`, with which editors complete and check it while it is written.

It is made of the tables that the reader goes by. What the reader takes it takes; what has to be looked up
elsewhere in the file (names, tenancy, conditions) only the reader refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from freehold.schema import keys
from freehold.schema.keys import Form, Key, Keys
from freehold.schema.model import Kind
from freehold.schema.names import MAX_NAME
from freehold.schema.types import EXAMPLES, NO_ARRAYS

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}
NAME = rf"^(?=.{{1,{MAX_NAME}}}$)[a-z][a-z0-9]*(_[a-z0-9]+)*$"
ROLE = r"^[a-z][a-z0-9_-]{0,57}$"

FORMS: dict[Form, Json] = {
    Form.TEXT: TEXT,
    Form.FLAG: FLAG,
    Form.COUNT: {"type": "integer", "minimum": 0},
    Form.SIZE: {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": rf"^[1-9][0-9]{{0,11}}({'|'.join(keys.SIZE_UNITS)})$"},
        ]
    },
    Form.TEXTS: {"type": "array", "items": TEXT},
    Form.TEXT_OR_TEXTS: {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
    Form.SETTINGS: {"type": "object", "additionalProperties": TEXT},
}


def json_schema() -> Json:
    """The whole document. The same tables give the same document."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "freehold.yaml",
        "description": "What a backend is: entities, fields, relations, tenancy and access.",
        "if": {"required": ["service"]},  # which included files have not
        "then": {"required": ["freehold"]},
        **_map(
            keys.TOP,
            {
                "freehold": {"const": 1},
                "service": {"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "maxLength": 60},
                "tenancy": _map(keys.TENANCY, required=["entity"]),
                "auth": _map(keys.AUTH, {"session": _session()}),
                "roles": _named(ROLE, {"type": "array", "items": TEXT}),
                "defaults": _map(keys.SYSTEM),
                "entities": _named(NAME, {"$ref": "#/definitions/entity"}),
                "platform": _platform(),
                "deploy": {"type": "array", "items": {"enum": list(keys.DEPLOY)}},
            },
        ),
        "definitions": {
            "type": _type(),
            "entity": _entity(),
            "field": _field(),
            "grant": _map(keys.GRANT, required=["role"]),
        },
    }


def _map(known: Keys, special: dict[str, Json] | None = None, required: Iterable[str] = ()) -> Json:
    """A map of known keys and no others; `special` are those with a grammar of their own."""
    properties = {name: _value(key, (special or {}).get(name)) for name, key in known.items()}
    found: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**found, "required": list(required)} if required else found


def _value(key: Key, special: Json | None) -> Json:
    if special is not None:
        taken = special
    elif key.words:
        taken = {"enum": list(key.words)}
    else:
        taken = FORMS[key.form] if key.form is not None else {}
    if "$ref" in taken:  # in draft 7, what stands beside a reference is not read
        taken = {"allOf": [taken]}
    return {"description": key.says, **taken}


def _named(pattern: str, each: Json) -> Json:
    return {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": each}


def _session() -> Json:
    column = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,62}$"}
    parts = {
        "table": {
            "type": "string",
            "pattern": r"^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$",
        },
        **dict.fromkeys(("token_column", "user", "expires"), column),
        "cookie": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,100}$"},
    }
    return _map(keys.SESSION, parts, required=["table", "token_column", "user", "expires"])


def _platform() -> Json:
    groups = {
        group: {
            "description": f"{group.capitalize()} by their ids.",
            **_named(
                "^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$",
                {"anyOf": [_map(settings), {"type": "null"}]},
            ),
        }
        for group, settings in keys.PLATFORM.items()
    }
    return {"type": "object", "additionalProperties": False, "properties": groups}


def _entity() -> Json:
    fields = {"type": "array", "minItems": 1, "maxItems": 12}
    grants = {"anyOf": [TEXT, {"$ref": "#/definitions/grant"}]}
    each = {"anyOf": [grants, {"type": "array", "items": grants}]}
    parts = {
        "access": _map(keys.ACCESS, dict.fromkeys(keys.ACCESS, each)),
        "fields": _named(NAME, {"$ref": "#/definitions/field"}),
        "index": _lists({**fields, "items": {"type": "string", "pattern": "^-?[a-z]"}}),
        "unique": _lists({**fields, "items": {"type": "string", "pattern": "^[a-z]"}}),
        "plural": {"type": "string", "pattern": NAME},
    }
    return _map(keys.ENTITY, parts, required=["tenant", "fields"])


def _lists(each: Json) -> Json:
    return {"type": "array", "maxItems": 60, "items": each}


def _field() -> Json:
    bound = {"type": ["number", "string", "null"]}
    parts: dict[str, Json] = {
        "type": {"$ref": "#/definitions/type"},
        "unique": {"enum": [True, False, *keys.UNIQUE_WORDS]},
        "inverse": {"type": "string", "pattern": NAME},
        "min": bound,
        "max": bound,
    }
    return {"anyOf": [{"$ref": "#/definitions/type"}, _map(keys.FIELD, parts, required=["type"])]}


def _type() -> Json:
    """Types as one word each, for completion, and those with parameters by their form."""
    plain = [str(kind) for kind in Kind if kind not in EXAMPLES]
    repeated = [kind for kind in plain if Kind(kind) not in NO_ARRAYS]
    words = [*plain, *(f"{kind}[]" for kind in repeated)]
    array = r"\s*(\[\s*\])?\s*$"
    forms = [
        r"^\s*string\s*\(\s*[0-9]{1,10}\s*\)" + array,
        r"^\s*decimal\s*\(\s*[0-9]{1,4}\s*,\s*[0-9]{1,4}\s*\)" + array,
        r"^\s*enum\s*\([\s\S]+\)" + array,
        r"^\s*(ref|many)\s*\(\s*[a-z][a-z0-9_]*\s*\)\s*$",
    ]
    loose = [rf"^\s*({'|'.join(plain)})\s*$", rf"^\s*({'|'.join(repeated)})" + array]
    return {
        "description": "A type of the language.",
        "type": "string",
        "examples": [*EXAMPLES.values(), *words],
        "anyOf": [
            {"enum": words},
            *({"type": "string", "pattern": each} for each in (*forms, *loose)),
        ],
    }
