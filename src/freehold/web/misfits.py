"""What is wrong with a value that does not fit its parameter, in words for whoever sent it."""

from __future__ import annotations

import re

from freehold.ids import CUSTOM_ID_PATTERN, ID_PATTERN

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"
"""Of names: they stand in mails and on pages, where a line of its own could pass for something else."""

_PHONE = "a number as in E.164: `+14155552671`"
_IDS = "1 to 36 of a-z A-Z 0-9 . _ -, not beginning with . _ -"

PATTERNS = {
    ID_PATTERN: _IDS,
    CUSTOM_ID_PATTERN: f"`unique()`, or {_IDS}",
    r"^[a-zA-Z0-9]{1,36}$(?!\n)": "1 to 36 of a-z A-Z 0-9",
    r"^[0-9a-f]{64}(?!\n)$": "64 of 0-9 a-f",
    r"^[0-9]{6}$(?!\n)": "six digits",
    r"^[ -~]*$(?!\n)": "letters, digits and signs of ASCII",
    ONE_LINE: "one line of text, without control characters",
    r"^\+[1-9][0-9]{6,14}$(?!\n)": _PHONE,
    r"^$|^\+[1-9][0-9]{6,14}$(?!\n)": f"nothing, or {_PHONE}",
    r"^[a-zA-Z0-9._-]{1,36}:[a-zA-Z0-9._-]{1,36}$(?!\n)": "two ids with a colon between them",
    r"^(?:[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}|project-[a-z0-9][a-z0-9-]{0,35}-[a-z]{5,9})$(?!\n)": (
        "a role of 1 to 36 of a-z A-Z 0-9 . _ -, not beginning with . _ -, or one of a project, as"
        " `project-shop-editor`"
    ),
    r"^(?:unique\(\)|[a-z0-9][a-z0-9-]{0,35})$(?!\n)": (
        "`unique()`, or 1 to 36 of a-z 0-9 -, not beginning with -"
    ),
    r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62})(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,62}))*)?$(?!\n)": (
        "a host name, as `example.com`"
    ),
    r"^(?:[a-zA-Z0-9*_](?:[a-zA-Z0-9*_-]{0,62})(?:\.[a-zA-Z0-9*_](?:[a-zA-Z0-9*_-]{0,62}))*)?$(?!\n)": (
        "a host name, as `example.com` or `*.example.com`"
    ),
    r"^(?:[a-zA-Z0-9_.:-]{1,253})?$(?!\n)": "a host name or an address",
    r"^[\x20-\x7e]*$(?!\n)": "letters, digits and signs of ASCII",
    r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$(?!\n)": "the name of a header, as `Accept-Language`",
    r"^(?:[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,6})*)?$(?!\n)": "a language, as `en` or `pt-BR`",
    r"^(?:#?[0-9a-fA-F]{6})?$(?!\n)": "a color of six hex digits, as `ff8800`",
}
"""What is allowed by the patterns that parameters have, for those who read no regular expressions."""

_TYPES = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "Upload": "a file, in a multipart form",
}

_PATTERN = re.compile(r'Expected `str` matching regex (["\'])(.*)\1', re.DOTALL)
_LENGTH = re.compile(r"Expected `(str|array|object)` of length (<=|>=) (\d+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (<=|>=|<|>) (\S+)")
_TYPE = re.compile(r"Expected `([a-zA-Z |]+)`(?:, got `(\w+)`)?")
_MISSING = re.compile(r"Object missing required field (`[^`]*`)")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_ENUM = re.compile(r"Invalid enum value (.*)", re.DOTALL)

_BOUNDS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
_UNITS = {"str": "characters", "array": "items", "object": "keys"}


def sentence(message: str) -> str:
    """The same with what it is about: a key of the value, or a place in it."""
    at = _AT.search(message)
    return told(message) if at is None else f"`{at[1]}`: {told(message[: at.start()])}"


def told(message: str) -> str:
    """What msgspec says of a value, as a sentence for the caller."""
    if found := _PATTERN.fullmatch(message):
        pattern = found[2].replace("\\\\", "\\")
        allowed = PATTERNS.get(pattern)
        return f"It takes {allowed}." if allowed is not None else f"It has to match `{pattern}`."
    if found := _LENGTH.fullmatch(message):
        return f"It takes {_BOUNDS[found[2]]} {found[3]} {_UNITS[found[1]]}."
    if found := _BOUND.fullmatch(message):
        return f"It has to be {_BOUNDS[found[1]]} {found[2]}."
    if found := _TYPE.fullmatch(message):
        wanted = [_TYPES.get(each, each) for each in found[1].split(" | ")]
        got = f", not {_TYPES.get(found[2], found[2])}" if found[2] else ""
        return f"It takes {' or '.join(wanted)}{got}."
    if found := _MISSING.fullmatch(message):
        return f"{found[1]} is required."
    if found := _ENUM.fullmatch(message):
        return f"{found[1]} is none of its values."
    return f"{message.rstrip('.')}."
