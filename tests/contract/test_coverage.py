"""What is declared is what the reference promises, or the difference is meant and has its reason."""

from __future__ import annotations

import json
from pathlib import Path

from openapi_spec_validator import validate

from freehold.services import endpoints
from freehold.web import openapi
from tests.contract import coverage

ROOT = Path(__file__).parents[2]


def test_every_difference_from_the_reference_is_meant() -> None:
    assert [str(each) for each in coverage.unexplained()] == []


def test_no_explanation_outlives_its_difference() -> None:
    assert coverage.idle() == []


def test_errors_have_the_types_and_statuses_of_the_contract() -> None:
    assert coverage.misdeclared_errors() == []


def test_a_difference_would_be_seen() -> None:
    endpoint = next(each for each in endpoints() if each.service == "teams" and each.name == "create")
    fact = coverage.find(endpoint)
    assert fact is not None
    name = next(each for each in fact["parameters"] if each["name"] == "name")
    other = fact | {
        "path": "/v1/teams/{id}",
        "status": [200],
        "sdk": ["make"],
        "scopes": ["teams.read"],
        "limit": "1/60s",
        "event": "teams.[teamId].make",
        "aliases": ["/v1/team"],
        "models": ["membership"],
        "parameters": [name | {"maxLength": 7}, {"name": "colour", "required": True, "type": "string"}],
    }
    seen = {(aspect, detail.partition(":")[0]) for aspect, detail in coverage._compare(endpoint, other)}

    assert {aspect for aspect, _ in seen} == {
        "path", "aliases", "scopes", "event", "limit", "method", "status", "model", "parameter"
    }  # fmt: skip
    assert ("parameter", "name") in seen
    assert ("parameter", "colour is missing") in seen
    assert ("parameter", "teamId is ours alone") in seen


def test_the_reference_has_the_size_that_it_is_known_to_have() -> None:
    numbers = coverage.numbers()

    assert (numbers.all_routes, numbers.all_methods) == (682, 656)
    assert 0 < numbers.methods <= numbers.all_methods


def test_docs_coverage_is_current() -> None:
    assert (ROOT / "docs" / "coverage.md").read_text() == coverage.page(), "Run make coverage."


def test_openapi_json_is_current() -> None:
    assert (ROOT / "openapi.json").read_bytes() == openapi.encode(endpoints()), "Run make openapi."


def test_the_openapi_document_is_valid() -> None:
    validate(json.loads(openapi.encode(endpoints())))


def test_every_operation_of_the_document_has_a_name_of_its_own() -> None:
    names = [openapi.operation_id(endpoint) for endpoint in endpoints()]

    assert len(names) == len(set(names))


def test_every_answer_of_the_reference_has_its_fields_described() -> None:
    schemas = openapi.document(endpoints())["components"]["schemas"]
    open_models = {
        endpoint.model
        for endpoint in coverage.declared()
        if endpoint.model not in ("none", "any") and "properties" not in schemas[endpoint.model]
    }

    assert open_models == {"preferences", "column", "attribute", "platform", "oAuth2Provider", "policy"}
