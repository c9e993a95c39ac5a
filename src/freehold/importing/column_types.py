"""The type of the schema language that a column of PostgreSQL has, with what its checks bound."""

from __future__ import annotations

from typing import Any

from freehold.importing.expressions import read_check
from freehold.importing.introspection import Check, Column
from freehold.schema import names
from freehold.schema.model import Kind
from freehold.schema.sketch import Sketch, member_list
from freehold.schema.sql_types import LONGEST
from freehold.schema.types import MAX_LENGTH, TypeSyntaxError, parse_type

TYPES = {
    "text": "text", "character varying": "text", "character": "string(1)", "citext": "text", "xml": "text",
    "name": "string(63)", "interval": "text", "smallint": "int", "integer": "int", "bigint": "bigint",
    "numeric": "decimal(18,6)", "money": "decimal(19,2)", "real": "float", "double precision": "float",
    "boolean": "bool", "date": "date", "time without time zone": "time", "time with time zone": "time",
    "timestamp with time zone": "datetime", "timestamp without time zone": "datetime", "uuid": "uuid",
    "json": "json", "jsonb": "json", "hstore": "json", "bytea": "bytes", "inet": "ip", "cidr": "string(43)",
    "macaddr": "string(17)", "point": "point", "path": "line", "polygon": "polygon", "tsvector": "",
}  # fmt: skip

INEXACT = {
    "citext": "compares capitals too: before, they made no difference",
    "interval": "an interval is kept as a text",
    "xml": "XML is kept as a text",
    "money": "money has no currency: it is kept as `decimal(19,2)`",
    "time with time zone": "a time of day has no zone here",
    "timestamp without time zone": "a timestamp without zone is kept as a moment, in UTC",
    "hstore": "an hstore is kept as `json`",
    "inet": "an address has no mask here",
    "cidr": "a network is kept as a text",
    "macaddr": "a MAC address is kept as a text",
    "polygon": "a polygon is a list of rings here, the outer one first",
}

FORMS = {
    Kind.EMAIL: {"email", "mail"},
    Kind.URL: {"url", "uri", "website", "homepage", "link"},
    Kind.IP: {"ip"},
}
"""Texts of just the length that such a form has, in a column whose last word is one of these."""


def read_type(sketch: Sketch, where: str, column: Column, checks: list[Check]) -> tuple[str, dict[str, Any]]:
    """The type and the settings of its field, empty where that is none; the sketch is told what is lost."""
    said: dict[str, Any] = {}
    for check in checks:
        found = read_check(check.expression, column.name)
        if found is None:
            sketch.left_out(where, f"the check {check.expression}")
        else:
            for key, value in found.items():
                said[key] = {**said.get(key, {}), **value} if isinstance(value, dict) else value
    array = "[]" if column.type.endswith("[]") and column.type != "polygon[]" else ""
    members = column.labels or said.get("values")
    if members:
        return _members(sketch, where, members, array), {}
    type_ = plain_type(column)
    base, _ = _parted(column)
    if column.domain:
        sketch.changed(where, f"was of the domain `{column.domain}`: its checks are not taken")
    if type_ is None:
        sketch.changed(where, f"there is no type `{column.type}`: it is kept as a text")
        return f"text{array}", {}
    if base in INEXACT and column.type != "polygon[]":
        sketch.changed(where, INEXACT[base])
    if column.type.removesuffix("[]") == "numeric":
        sketch.decide(where, f"does not say how many digits it has: taken as `{type_}`")
    if array and type_ in ("json", "point", "line", "polygon"):
        sketch.changed(where, f"there are no lists of `{type_}`: it is kept as `json`")
        return "json", {}
    return _bounded(sketch, where, column, type_, said, array)


def plain_type(column: Column) -> str | None:
    """The type of the language, less what checks say. Empty is no field, None an unknown type."""
    base, parameters = _parted(column)
    if column.type == "polygon[]":  # which is how we keep one
        return "polygon"
    if base in ("character varying", "character") and parameters:
        return f"string({min(int(parameters), MAX_LENGTH)})"
    if base == "numeric" and parameters:
        precision, _, scale = parameters.partition(",")
        return f"decimal({precision},{scale or 0})"
    return TYPES.get(base)


def _parted(column: Column) -> tuple[str, str]:
    """What one value is, and what stands in brackets: `timestamp with time zone`, `3`."""
    start, _, rest = column.type.removesuffix("[]").partition("(")
    parameters, _, end = rest.partition(")")
    return (start + end).strip(), parameters


def _members(sketch: Sketch, where: str, members: list[str], array: str) -> str:
    type_ = member_list(members)
    try:
        parse_type(type_)
    except TypeSyntaxError as error:
        longest = max(map(len, members))
        sketch.decide(where, f"{error.message}; until one is changed it is a text of {longest} characters")
        return f"string({longest}){array}"
    return type_ + array


def _bounded(
    sketch: Sketch, where: str, column: Column, type_: str, said: dict[str, Any], array: str
) -> tuple[str, dict[str, Any]]:
    settings: dict[str, Any] = {}
    length = dict(said.get("length", {}))
    if type_ == "text" and "max" in length:
        most = length.pop("max")
        word = names.snake_case(column.name).rpartition("_")[2]
        kind = next((kind for kind, words in FORMS.items() if most == LONGEST[kind] and word in words), None)
        if kind is not None and not array:
            sketch.changed(where, f"is taken for `{kind}`, by its name and its length of {most}")
            return str(kind), settings
        type_ = f"string({most})"
    if type_.startswith(("string", "text")) and not array:
        settings |= {key: value for key, value in length.items() if value}
        settings["pattern"] = said.get("pattern")
    elif not type_.startswith(("string", "text")):
        for key, value in said.get("range", {}).items():
            settings[key] = str(value) if type_.startswith("decimal") else value
    return type_ + array, settings
