"""A small service of each language, started once: its traces, and the routes of its owner."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import jwt
import pytest

from freehold.generator import TARGETS, own_routes
from freehold.generator.command import run
from tests.conformance.collector import collecting
from tests.conformance.running import ROOT, SECRET, emitted, running
from tests.postgres import Server

SMALL = ROOT / "tests" / "generator" / "schemas" / "small" / "freehold.yaml"
TENANT = "01930000-0000-7000-8000-000000000001"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
SERVER, CLIENT = 2, 3

OWN = {
    "app/extra.py": """
from fastapi import APIRouter

from app.core.web import Caller

router = APIRouter()


@router.get("/hello")
async def hello() -> dict[str, str]:
    return {"text": "hello"}


@router.get("/people")
async def people(caller: Caller) -> dict[str, str]:
    caller.require("person:read")
    return {"text": "everybody"}


ROUTERS: tuple[APIRouter, ...] = (router,)
""",
    "src/extra.ts": """
import type { Feature } from "./core/web.js";

const own: Feature = (app, _services, done) => {
  app.get("/hello", () => ({ text: "hello" }));
  app.get("/people", ({ caller }) => {
    caller.require("person:read");
    return { text: "everybody" };
  });
  done();
};

export const EXTRA: readonly Feature[] = [own];
""",
    "internal/server/extra.go": """package server

import (
	"acme-works/internal/api"
	"acme-works/internal/db"
)

type greeting struct {
	Text string `json:"text"`
}

func extra(_ *db.DB) []api.Route {
	return []api.Route{
		{Pattern: "GET /v1/hello", Endpoint: func(call *api.Call) (*api.Reply, error) {
			return call.Row("", greeting{"hello"}, nil)
		}},
		{Pattern: "GET /v1/people", Endpoint: func(call *api.Call) (*api.Reply, error) {
			if err := call.Caller.Require("person:read"); err != nil {
				return nil, err
			}
			return call.Row("", greeting{"everybody"}, nil)
		}},
	}
}
""",
}
"""A route of the owner's, and one that takes the place of a resource's, in the file for them."""
PROMISED = """
paths:
  /v1/hello:
    get:
      operationId: hello
      responses: { "200": { description: A greeting. } }
  /v1/people:
    get:
      operationId: greetEverybody
      responses: { "200": { description: A greeting. } }
"""


def with_own_routes(target: str, service: Path) -> Path:
    """The service after its owner wrote routes and what they promise, and generated it again."""
    (file,) = [service / name for name in OWN if (service / name).exists()]
    file.write_text(OWN[str(file.relative_to(service))], encoding="utf-8")
    (service / own_routes.FILE).write_text(PROMISED, encoding="utf-8")
    assert run(target, service, service.parent / "freehold.yaml").exit_code == 0
    return service


@pytest.mark.parametrize("target", TARGETS)
def test_a_request_is_a_span_in_the_trace_of_its_caller_and_its_statements_are_below_it(
    target: str, tmp_path: Path, postgres: Server
):
    service = with_own_routes(target, emitted(TARGETS[target], SMALL, tmp_path))
    told = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=trial", "OTEL_BSP_SCHEDULE_DELAY": "200"}
    with (
        collecting() as collector,
        running(
            TARGETS[target], service, postgres, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **told
        ) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        secret_name = "a name that nobody else may see"
        answered = client.get(
            "/v1/projects",
            params={"name": secret_name},
            headers={"Authorization": f"Bearer {_token()}", "traceparent": f"00-{TRACE}-{CALLER}-01"},
        )
        spans = collector.of(TRACE, {SERVER, CLIENT})
        metrics = client.get("/metrics").text
        the_routes_of_the_owner_are_served(client)

    assert answered.status_code == 200, answered.text
    (request,) = [each for each in spans if each.kind == SERVER]
    assert request.name == "GET /v1/projects"
    assert request.parent_id == CALLER
    assert request.attributes["http.route"] == "/v1/projects"
    assert request.attributes["http.response.status_code"] == 200
    assert request.resource["service.name"] == "acme-works"
    assert request.resource["deployment.environment.name"] == "trial"
    assert not request.failed

    statements = [each for each in spans if each.kind == CLIENT]
    (select,) = [each for each in statements if each.name == "SELECT"]
    assert {each.parent_id for each in statements} == {request.span_id}
    assert "from project" in select.attributes["db.query.text"]
    assert all(each.attributes["db.system.name"] == "postgresql" for each in statements)

    seen = json.dumps([each.attributes for each in collector.spans])
    assert [each for each in (secret_name, TENANT, SECRET) if each in seen] == []
    assert 'http_requests_total{method="GET",route="/v1/projects",status="200"} 1' in metrics


def the_routes_of_the_owner_are_served(client: httpx.Client) -> None:
    """As the contract that is served promises them; the rest of what was generated is served as before."""
    known = {"Authorization": f"Bearer {_token()}"}
    paths = client.get("/openapi.json").json()["paths"]
    made = client.post("/v1/people", headers=known, json={"email": "jane@example.com"})

    assert paths["/v1/hello"]["get"]["operationId"] == "hello"
    assert paths["/v1/people"]["get"]["operationId"] == "greetEverybody"
    assert paths["/v1/people"]["post"]["operationId"] == "createPerson"
    assert client.get("/v1/hello").json() == {"text": "hello"}
    assert client.get("/v1/people").status_code == 401
    assert client.get("/v1/people", headers=known).json() == {"text": "everybody"}
    assert made.status_code == 201, made.text
    assert client.get(made.headers["Location"], headers=known).json()["email"] == "jane@example.com"


def _token() -> str:
    now = int(time.time())
    claims = {"iss": "dev", "iat": now, "exp": now + 600, "roles": ["admin"], "tenant_id": TENANT}
    return jwt.encode(claims, SECRET, algorithm="HS256")
