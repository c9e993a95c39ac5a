"""Schemas to read in tests: a frame that is right, into which a test puts what is wrong."""

from __future__ import annotations

import pytest

from freehold.schema import Problem, SchemaError, parse_schema

FRAME = """\
freehold: 1
service: shop
tenancy: { entity: org }
roles: { owner: [admin], admin: [member], member: [] }
entities:
  org: { tenant: self, fields: { name: string(10) } }
  tag: { tenant: scoped, fields: { name: string(10) } }
  kind: { tenant: none, fields: { name: string(10) } }
"""


def with_fields(*fields: str, **keys: str) -> str:
    """The frame with one more entity, `task`."""
    lines = [f"    {key}: {value}\n" for key, value in {"tenant": "scoped", **keys}.items() if value]
    return (
        FRAME
        + "  task:\n"
        + "".join(lines)
        + "    fields:\n"
        + "".join(f"      {field}\n" for field in fields)
    )


def problems(text: str) -> list[Problem]:
    """Everything that is wrong with a text."""
    with pytest.raises(SchemaError) as raised:
        parse_schema(text)
    return raised.value.problems


def only_problem(text: str) -> Problem:
    """The one thing that is wrong with a text."""
    found = problems(text)
    assert len(found) == 1, [str(each) for each in found]
    return found[0]
