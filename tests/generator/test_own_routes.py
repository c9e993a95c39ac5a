"""What the owner's own routes promise becomes a part of the contract, or is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from freehold.generator import TARGETS, generate, own_routes
from freehold.generator.command import run
from freehold.generator.migrations import History
from freehold.generator.write import Outcome
from freehold.schema.problems import SchemaError
from freehold.schema.read import read_schema
from tests.generator.golden import HERE

SMALL = HERE / "schemas" / "small" / "freehold.yaml"


def example_of_own_routes(text: str) -> str:
    """The example in the comment of the emitted file, as an owner would take it."""
    return re.sub(r"^# ?", "", text[text.index("# paths:") : text.rindex("\npaths: {}")], flags=re.MULTILINE)


@pytest.mark.parametrize("lang", TARGETS)
def test_what_an_own_route_promises_is_in_the_contract_and_nothing_else_changes(lang: str, tmp_path: Path):
    schema, service = tmp_path / "freehold.yaml", tmp_path / "service"
    schema.write_bytes(SMALL.read_bytes())
    run(lang, service, schema)
    before = json.loads((service / "openapi.json").read_text(encoding="utf-8"))
    file = service / own_routes.FILE
    promises = example_of_own_routes(file.read_text(encoding="utf-8"))
    file.write_text(promises, encoding="utf-8")
    report = run(lang, service, schema)
    again = run(lang, service, schema, check=True)

    contract = json.loads((service / "openapi.json").read_text(encoding="utf-8"))
    changed = {each.path: each.outcome for each in report.decisions if each.outcome is not Outcome.SAME}
    assert changed == {"openapi.json": Outcome.UPDATED}
    assert again.exit_code == 0
    assert file.read_text(encoding="utf-8") == promises
    assert contract["paths"].pop("/v1/hello")["get"]["operationId"] == "hello"
    assert contract["components"]["schemas"].pop("Greeting")["required"] == ["text"]
    assert contract["tags"].pop()["name"] == "greetings"
    assert contract == before


def contract_with(text: str | None) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        generate(read_schema(SMALL), "python", History(own_routes=text))["openapi.json"]
    )
    return found


def test_a_route_that_takes_the_place_of_a_resources_takes_it_in_the_contract_too():
    text = """
paths:
  /v1/projects:
    get:
      operationId: searchProjects
      responses: { "200": { description: All of them. } }
"""
    before, after = contract_with(None), contract_with(text)

    paths, operations = before["paths"], after["paths"]
    assert operations["/v1/projects"]["get"]["operationId"] == "searchProjects"
    assert operations["/v1/projects"]["post"] == paths["/v1/projects"]["post"]
    assert list(operations) == list(paths)


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n\n", "paths: {}", "{}"])
def test_an_owner_without_routes_has_the_contract_of_the_schema(text: str | None):
    assert contract_with(text) == contract_with(None)


def test_every_mistake_is_told_with_its_place():
    text = """paths:
  /hello: { get: { operationId: hello, responses: { "200": {} } } }
  /v1/projects/{key}: {}
  /v1/projects/{id}:
    gett: {}
    get: { operationId: getProject, responses: { "200": { $ref: "#/components/responses/ProjectAnwser" } } }
  /v1/a/{b}:
    get: { operationId: listProjects, responses: {} }
    put: 3
    post: { parameters: 3, responses: 4 }
    delete: { operationId: "a b", responses: { "200": 1 } }
component: {}
components:
  schemas: { Project: {} }
  links: {}
tags: [{ name: project }, {}, 1]
"""
    with pytest.raises(SchemaError) as refused:
        contract_with(text)

    told = [f"{each.line}:{each.column} {each.path}: {each.message}" for each in refused.value.problems]
    assert told == [
        "2:3 paths./hello: is not the path of a route",
        "3:3 paths./v1/projects/{key}: is the same path as `/v1/projects/{id}`",
        "5:5 paths./v1/projects/{id}.gett: `gett` is not known here",
        "5:11 paths./v1/projects/{id}.gett: `parameters` does not have `id`",
        "6:10 paths./v1/projects/{id}.get: `parameters` does not have `id`",
        "6:65 paths./v1/projects/{id}.get.responses.200.$ref: there is no such component",
        "8:10 paths./v1/a/{b}.get: `responses` is missing",
        "8:10 paths./v1/a/{b}.get: `parameters` does not have `b`",
        "8:25 paths./v1/a/{b}.get.operationId: GET /v1/projects is called that already",
        "9:10 paths./v1/a/{b}.put: is not a map",
        "10:11 paths./v1/a/{b}.post: `operationId` is missing",
        "10:11 paths./v1/a/{b}.post: `parameters` does not have `b`",
        "10:25 paths./v1/a/{b}.post.parameters: is not a list",
        "10:39 paths./v1/a/{b}.post.responses: is not a map",
        "11:13 paths./v1/a/{b}.delete: `parameters` does not have `b`",
        "11:28 paths./v1/a/{b}.delete.operationId: is not a name",
        "11:55 paths./v1/a/{b}.delete.responses.200: is not a map",
        "12:1 component: `component` is not known here",
        "14:14 components.schemas.Project: the contract has that already",
        "15:3 components.links: `links` is not known here",
        "16:16 tags[0].name: the contract has that tag already",
        "16:27 tags[1]: `name` is missing",
        "16:31 tags[2]: is not a map",
    ]
    assert refused.value.problems[5].hint == "did you mean `#/components/responses/ProjectAnswer`?"


def test_a_broken_file_is_refused_and_nothing_is_written(tmp_path: Path):
    schema, service = tmp_path / "freehold.yaml", tmp_path / "service"
    schema.write_bytes(SMALL.read_bytes())
    run("python", service, schema)
    before = (service / "openapi.json").read_bytes()
    (service / own_routes.FILE).write_text("paths: [", encoding="utf-8")

    with pytest.raises(SchemaError, match=r"openapi\.extra\.yaml:2:1: is not YAML"):
        run("python", service, schema)
    assert (service / "openapi.json").read_bytes() == before
