"""The scalars of the GraphQL schema, as clients of the contract declare their variables with them."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLError,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

_encode = msgspec.json.Encoder().encode


def json_text(value: Any) -> str:
    """A value as JSON."""
    return _encode(value).decode()


def _read_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise GraphQLError("A text given as JSON has to be valid JSON.") from error


def _read_json_literal(node: ValueNode) -> Any:
    return _read_json(_value(node))


def _value(node: ValueNode) -> Any:
    match node:
        case ObjectValueNode():
            return {field.name.value: _value(field.value) for field in node.fields}
        case ListValueNode():
            return [_value(each) for each in node.values]
        case StringValueNode() | BooleanValueNode() | EnumValueNode():
            return node.value
        case NullValueNode():
            return None
    return _read_number_literal(node)


def _json(name: str, description: str) -> GraphQLScalarType:
    return GraphQLScalarType(
        name=name,
        description=description,
        coerce_output_value=json_text,
        coerce_input_value=_read_json,
        coerce_input_literal=_read_json_literal,
    )


def _read_int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise GraphQLError("A whole number is wanted.")


def _read_int_literal(node: ValueNode) -> int:
    if isinstance(node, IntValueNode) and len(node.value) <= _LONGEST_NUMBER:
        return int(node.value)
    raise GraphQLError("A whole number is wanted.", node)


def _read_number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise GraphQLError("A number is wanted.")


def _read_number_literal(node: ValueNode) -> int | float:
    if isinstance(node, IntValueNode | FloatValueNode) and len(node.value) <= _LONGEST_NUMBER:
        return _read_number(int(node.value) if isinstance(node, IntValueNode) else float(node.value))
    raise GraphQLError("A number is wanted.", node)


_LONGEST_NUMBER = 40

JSON = _json("Json", "An object, or its JSON. It is answered as JSON.")
ASSOC = _json("Assoc", "An object with names that you choose, or its JSON. It is answered as JSON.")


def _number(name: str, description: str, read: Any, read_literal: Any) -> GraphQLScalarType:
    scalar = GraphQLScalarType(
        name=f"Wide{name}",
        description=description,
        coerce_output_value=lambda value: value,
        coerce_input_value=read,
        coerce_input_literal=read_literal,
    )
    scalar.name = name  # the library lets nobody else define one of this name
    return scalar


# The standard's own Int ends at 32 bits, where columns and sizes do not; its Float makes a float of a whole
# number, which is another value to a column of whole numbers.
INT = _number("Int", "A whole number of up to 64 bits.", _read_int, _read_int_literal)
FLOAT = _number("Float", "A number.", _read_number, _read_number_literal)
