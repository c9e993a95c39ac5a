"""Traces of a generated service, as a collector sees them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import jwt
import pytest

from freehold.generator import TARGETS
from tests.conformance.collector import collecting
from tests.conformance.running import ROOT, SECRET, emitted, running
from tests.postgres import Server

SMALL = ROOT / "tests" / "generator" / "schemas" / "small" / "freehold.yaml"
TENANT = "01930000-0000-7000-8000-000000000001"
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
SERVER, CLIENT = 2, 3


@pytest.mark.parametrize("target", TARGETS)
def test_a_request_is_a_span_in_the_trace_of_its_caller_and_its_statements_are_below_it(
    target: str, tmp_path: Path, postgres: Server
):
    service = emitted(TARGETS[target], SMALL, tmp_path)
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


def _token() -> str:
    now = int(time.time())
    claims = {"iss": "dev", "iat": now, "exp": now + 600, "roles": ["admin"], "tenant_id": TENANT}
    return jwt.encode(claims, SECRET, algorithm="HS256")
