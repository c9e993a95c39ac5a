"""The types of the language as they are written: `string(120)`, `enum(a, b)[]`, `ref(user)`."""

from __future__ import annotations

import re

from freehold.schema.model import Kind, Type
from freehold.schema.problems import did_you_mean

MAX_LENGTH = 1_000_000_000
MAX_MEMBERS = 1_000
MAX_MEMBER = 255
NO_ARRAYS = frozenset({Kind.REF, Kind.MANY, Kind.JSON, Kind.POINT, Kind.LINE, Kind.POLYGON})

EXAMPLES = {
    Kind.STRING: "string(120)",
    Kind.DECIMAL: "decimal(12,2)",
    Kind.ENUM: "enum(draft, active)",
    Kind.REF: "ref(user)",
    Kind.MANY: "many(tag)",
}
"""The types that have parameters, with some."""
_TYPE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\((.*)\))?\s*(\[\s*\])?\s*", re.DOTALL)
_MEMBER = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^,"']*?))\s*(?:,|\Z)""", re.DOTALL)

# What people call our types elsewhere.
_OTHER_NAMES = {
    "varchar": "string(n)",
    "char": "string(n)",
    "str": "string(n)",
    "integer": "int",
    "int4": "int",
    "int8": "bigint",
    "long": "bigint",
    "number": "int, float or decimal(p,s)",
    "numeric": "decimal(p,s)",
    "money": "decimal(12,2)",
    "double": "float",
    "real": "float",
    "boolean": "bool",
    "timestamp": "datetime",
    "timestamptz": "datetime",
    "jsonb": "json",
    "object": "json",
    "binary": "bytes",
    "blob": "bytes",
    "bytea": "bytes",
    "inet": "ip",
    "uri": "url",
    "relation": "ref(entity)",
    "reference": "ref(entity)",
    "belongs_to": "ref(entity)",
}


class TypeSyntaxError(ValueError):
    """A type that is none, with how to mend it."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def parse_type(text: str) -> Type:
    """The type that a text names."""
    found = _TYPE.fullmatch(text)
    if found is None:
        raise TypeSyntaxError(
            f"`{text}` is not a type", "such as `string(120)`, `int`, `ref(user)`, `text[]`"
        )
    word, parameters, array = found.group(1), found.group(2), found.group(3) is not None
    try:
        kind = Kind(word)
    except ValueError:
        if word.lower() in _OTHER_NAMES:
            hint = f"write `{_OTHER_NAMES[word.lower()]}`"
        else:
            hint = did_you_mean(word, [str(each) for each in Kind])
        raise TypeSyntaxError(f"`{word}` is not a type", hint) from None
    if array and kind in NO_ARRAYS:
        raise TypeSyntaxError(f"there are no arrays of `{kind}`", _array_hint(kind))
    if parameters is None:
        if kind in EXAMPLES:
            raise TypeSyntaxError(f"`{kind}` needs parameters", f"write `{EXAMPLES[kind]}`")
        return Type(kind=kind, array=array)
    if kind not in EXAMPLES:
        raise TypeSyntaxError(f"`{kind}` takes no parameters", f"write `{kind}{'[]' * array}`")
    return _with_parameters(kind, parameters, array)


def _with_parameters(kind: Kind, parameters: str, array: bool) -> Type:
    if kind is Kind.STRING:
        length = _number(parameters)
        if length is None or not 1 <= length <= MAX_LENGTH:
            raise TypeSyntaxError(
                f"`{parameters.strip()}` is not a length", f"from 1 to {MAX_LENGTH}, as in `string(120)`"
            )
        return Type(kind=kind, length=length, array=array)
    if kind is Kind.DECIMAL:
        numbers = [_number(each) for each in parameters.split(",")]
        precision, scale = (*numbers, None)[:2] if len(numbers) == 2 else (None, None)
        if precision is None or scale is None or not (1 <= precision <= 1000 and 0 <= scale <= precision):
            raise TypeSyntaxError(
                f"`decimal({parameters.strip()})` does not say its digits",
                "all digits (1 to 1000), then those after the point, as in `decimal(12,2)`",
            )
        return Type(kind=kind, precision=precision, scale=scale, array=array)
    if kind is Kind.ENUM:
        return Type(kind=kind, values=_members(parameters), array=array)
    target = parameters.strip()
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", target):
        raise TypeSyntaxError(f"`{target}` is not the name of an entity", f"as in `{EXAMPLES[kind]}`")
    return Type(kind=kind, target=target)


def _members(parameters: str) -> tuple[str, ...]:
    """The members of an enum. Quotes are for members with commas, quotes, or spaces at their ends."""
    members: list[str] = []
    position = 0
    while position < len(parameters) or not members:
        found = _MEMBER.match(parameters, position)
        if found is None or found.end() == position:
            raise TypeSyntaxError(
                "the members of the enum cannot be read", "part them with commas, quote the odd ones"
            )
        double, single, bare = found.groups()
        if double is not None:
            member = re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL)
        else:
            member = single.replace("''", "'") if single is not None else " ".join(bare.split())
        if not member:
            raise TypeSyntaxError(
                "a member of the enum is empty", "leave it out, and make the field `nullable: true`"
            )
        if len(member) > MAX_MEMBER or "\0" in member:
            raise TypeSyntaxError(f"a member of the enum is longer than {MAX_MEMBER} characters")
        if member in members:
            raise TypeSyntaxError(f"the enum has `{member}` twice", "leave one out")
        members.append(member)
        position = found.end()
        if len(members) > MAX_MEMBERS:
            raise TypeSyntaxError(
                f"the enum has more than {MAX_MEMBERS} members", "make it an entity, and a `ref` to it"
            )
    identifiers: dict[str, str] = {}
    for member in members:
        identifier = member_identifier(member)
        if identifier in identifiers:
            raise TypeSyntaxError(
                f"in code, `{identifiers[identifier]}` and `{member}` would both be called `{identifier}`",
                "change one of them",
            )
        identifiers[identifier] = member
    return tuple(members)


def member_identifier(member: str) -> str:
    """What a member is called in code: `on_hold` is `ON_HOLD`, `1st` is `VALUE_1ST`, `a-b` is `A_B`.

    Letters beyond ASCII are spelled by their code point, so that every language can have them.
    """
    spelled = "".join(each if each.isascii() else f"_U{ord(each):X}_" for each in member)
    words = re.sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_").upper()
    if not words:
        words = "_".join(f"U{ord(each):X}" for each in member)
    return words if words[0].isalpha() else f"VALUE_{words}"


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if re.fullmatch(r"[0-9]{1,12}", digits) else None


def _array_hint(kind: Kind) -> str:
    if kind is Kind.REF:
        return "many rows on the other side are `many(entity)`"
    if kind is Kind.JSON:
        return "a `json` value may be an array"
    return f"write `{kind}`"
