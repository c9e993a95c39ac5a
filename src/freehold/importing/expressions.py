"""Checks and defaults as PostgreSQL spells them, and what they say in the language. Nothing is evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Settings = dict[str, Any]

_TEXT = r"(E?'(?:[^']|'')*')(?:::[A-Za-z_\" ]+(?:\([0-9, ]+\))?(?:\[\])?)?"
_NUMBER = r"\(*'?(-?[0-9]+(?:\.[0-9]+)?)'?\)*(?:::[a-z ]+(?:\([0-9, ]+\))?)?\)*"
_NOW = frozenset(
    [
        "now()",
        "current_timestamp",
        "statement_timestamp()",
        "clock_timestamp()",
        "transaction_timestamp()",
        "timezone('utc'::text, now())",
        "now() at time zone 'utc'::text",
    ]
)


def read_check(expression: str, column: str) -> Settings | None:
    """What a check of one column says: `values`, `length`, `range` or `pattern`; None when it is another."""
    found: Settings = {}
    for part in _parts(expression, " AND "):
        settings = _read_part(part, column)
        if settings is None:
            return None
        for key, value in settings.items():
            found[key] = {**found[key], **value} if isinstance(value, dict) and key in found else value
    return found


def _read_part(part: str, column: str) -> Settings | None:
    name = rf'\(*"?{re.escape(column)}"?\)*(?:::[a-z ]+(?:\([0-9]+\))?(?:\[\])?\)*)?'
    if re.fullmatch(rf"{name} IS NOT NULL|array_position\({name}, NULL::[a-z ]+\) IS NULL", part):
        return {}
    members = re.fullmatch(
        rf"{name} (?:= ANY|<@) \(*ARRAY\[(.*)\][()]*(?:::[a-z ]+\[\])?[()]*", part, re.DOTALL
    )
    if members:
        return {"values": [_text(each) for each in re.findall(_TEXT, members.group(1))]}
    alternatives = [re.fullmatch(rf"{name} = {_TEXT}", each) for each in _parts(part, " OR ")]
    if all(alternatives):
        return {"values": [_text(each.group(1)) for each in alternatives if each]}
    length = re.fullmatch(rf"(?:char_length|character_length|length)\({name}\) (>=|<=|>|<|=) {_NUMBER}", part)
    if length and "." not in length.group(2):
        return {"length": _bounds(length.group(1), int(length.group(2)))}
    bound = re.fullmatch(rf"{name} (>=|<=|>|<) {_NUMBER}", part)
    if bound:
        whole = "." not in bound.group(2)
        if bound.group(1) in (">", "<") and not whole:
            return None
        return {"range": _bounds(bound.group(1), int(bound.group(2)) if whole else bound.group(2))}
    every = re.fullmatch(rf"{_NUMBER} (<=|>=) ALL \({name}\)", part)
    if every:
        sign = {"<=": ">=", ">=": "<="}[every.group(2)]
        value = every.group(1)
        return {"range": _bounds(sign, value if "." in value else int(value))}
    cut = re.fullmatch(rf"{name}::character varying\(([0-9]+)\)\[\]\)*::text\[\]\)* = {name}", part)
    if cut:
        return {"length": {"max": int(cut.group(1))}}
    pattern = re.fullmatch(rf"{name} ~ {_TEXT}", part)
    if pattern:
        return {"pattern": _text(pattern.group(1)).replace("[^\n]", ".")}
    return None


def _bounds(sign: str, value: Any) -> Settings:
    match sign:
        case ">=":
            return {"min": value}
        case "<=":
            return {"max": value}
        case ">":
            return {"min": value + 1}
        case "<":
            return {"max": value - 1}
    return {"min": value, "max": value}


def read_default(expression: str) -> tuple[bool, Any]:
    """Whether a default is a constant, and which. Texts stay texts: what they mean is up to the type."""
    text = _bare(expression)
    if re.fullmatch(r"true|false", text):
        return True, text == "true"
    if re.fullmatch(r"NULL(?:::.*)?", text):
        return True, None
    array = re.fullmatch(r"ARRAY\[(.*)\](?:::[a-z ]+(?:\([0-9, ]+\))?\[\])?", text, re.DOTALL)
    if array:
        listed = [read_default(each) for each in _split(array.group(1), ", ")] if array.group(1) else []
        return all(known for known, _ in listed), [value for _, value in listed]
    literal = re.fullmatch(_TEXT, text, re.DOTALL)
    if literal:
        return _typed(_text(literal.group(1)), text[len(literal.group(1)) :])
    number = re.fullmatch(_NUMBER, text)
    if number:
        return True, _number(number.group(1))
    return False, None


def is_now(expression: str) -> bool:
    """Whether a default is the moment of writing."""
    return re.sub(r"(?<=timestamp)\([0-9]\)$", "", _bare(expression).lower()) in _NOW


def _typed(text: str, cast: str) -> tuple[bool, Any]:
    if cast.endswith("[]"):
        if text == "{}":
            return True, []
        inner = text.removeprefix("{").removesuffix("}")
        return not re.search(r'[{}"\\]', inner), inner.split(",")
    if cast in ("::jsonb", "::json"):
        try:
            return True, json.loads(text)
        except ValueError:
            return False, None
    if re.fullmatch(r"::(?:integer|bigint|smallint|numeric|real|double precision)(?:\([0-9, ]+\))?", cast):
        return True, _number(text)
    if cast == "::boolean":
        return True, text in ("t", "true")
    return True, text


def _number(text: str) -> Any:
    """A whole number, or the text of one with digits after the point, so that none is lost."""
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


def _text(literal: str) -> str:
    text = literal.removeprefix("E")[1:-1].replace("''", "'")
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if literal.startswith("E") else text


def _parts(expression: str, word: str) -> Iterator[str]:
    """What is joined by AND (or OR), also within one another, each without the parentheses around it."""
    bare = _bare(expression)
    parts = _split(bare, word)
    if len(parts) == 1:
        yield bare
    else:
        for each in parts:
            yield from _parts(each, word)


def _bare(expression: str) -> str:
    text = expression.strip()
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(text: str) -> int:
    """Where the parenthesis closes that the text begins with."""
    return next((at for at, depth in _depths(text) if depth == 0 and text[at] == ")"), -1)


def _split(text: str, word: str) -> list[str]:
    found, start = [], 0
    for at, depth in _depths(text):
        if depth == 0 and at >= start and text.startswith(word, at):
            found.append(text[start:at])
            start = at + len(word)
    return [*found, text[start:]]


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Each place outside of quotes, and how many parentheses are open after it."""
    depth, quoted = 0, False
    for at, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif not quoted:
            depth += (character in "([") - (character in ")]")
            yield at, depth
