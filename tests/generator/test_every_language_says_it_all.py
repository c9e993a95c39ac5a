"""Every decision of the plan is in the code of every language: filters, constraints, rights and refusals."""

from __future__ import annotations

import re

import pytest

from freehold.generator import TARGETS, generate
from freehold.generator.constraints import constraint_fields
from freehold.generator.planner import plan
from freehold.schema.model import Kind
from tests.generator.golden import schema

TORTURE = schema("torture")
PLAN = plan(TORTURE)
CODES = [
    "malformed_json",
    "invalid_parameter",
    "unknown_parameter",
    "cursor_mismatch",
    "ambiguous_credentials",
    "unauthenticated",
    "forbidden",
    "forbidden_field",
    "bad_origin",
    "no_tenant",
    "not_found",
    "method_not_allowed",
    "unique_violation",
    "still_referenced",
    "version_conflict",
    "content_too_large",
    "unsupported_media_type",
    "validation_failed",
    "unknown_reference",
    "check_violation",
    "idempotency_key_reused",
    "rate_limited",
    "internal",
    "unavailable",
]
"""The `code` of every refusal."""
FAULTS = ["required", "unknown_field", "too_long", "too_short", "invalid", "taken", "unknown_reference"]
"""The codes of what is wrong with a single field."""


@pytest.fixture(scope="module", params=TARGETS)
def code(request: pytest.FixtureRequest) -> str:
    """The sources of the service in one language, without its tests and documents."""
    target = TARGETS[request.param]
    tree = generate(TORTURE, request.param)
    sources = [
        text
        for path, text in tree.items()
        if path.endswith(tuple(target.parsers)) and not re.match(r"tests?/|.*[._]test\.", path)
    ]
    return "\n".join(sources)


def spelled(name: str, code: str) -> bool:
    """Whether the code has the name as a text of its own."""
    return re.search(rf"""["'`./{{ ]{re.escape(name)}["'`=: ?,\]]""", code) is not None


def test_the_schema_of_these_tests_has_every_type_in_it():
    kinds = {each.kind for entity in PLAN.entities for each in entity.fields}

    assert kinds == set(Kind) - {Kind.REF, Kind.MANY}


def test_every_refusal_is_in_the_code(code: str):
    assert [name for name in CODES + FAULTS if not spelled(name, code)] == []


def test_every_filter_is_in_the_code(code: str):
    wanted = {
        (field.name, operator)
        for entity in PLAN.entities
        for _, field, operator in entity.filters()
        if operator
    }

    assert [each for each in sorted(wanted) if not has_filter(*each, code)] == []


def has_filter(field: str, operator: str, code: str) -> bool:
    """Whether the code has `amount.gt`, or what stands for it: `amount__gt`, or the field and operators."""
    by_operators = rf"""Filter(By|Text)\("{re.escape(field)}", .*"{operator}"[,)]"""
    return (
        spelled(f"{field}.{operator}", code)
        or spelled(f"{field}__{operator}", code)
        or re.search(by_operators, code) is not None
    )


def test_every_constraint_is_in_the_code(code: str):
    assert [name for name in constraint_fields(TORTURE) if not spelled(name, code)] == []


def test_every_permission_and_relation_is_in_the_code(code: str):
    permissions = {name for table in PLAN.permissions.values() for name in table}
    relations = {relation.name for entity in PLAN.entities for relation in entity.relations}

    assert [name for name in sorted(permissions | relations) if not spelled(name, code)] == []
