"""What the files of platforms agree on: how long a stop takes, what an image is, and who gets which login."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.generator import TARGETS
from freehold.generator.deploy.artefacts import BALANCER_IDLE_S, SHUTDOWN
from tests.generator.deploy.test_linted import OVERLAYS, WORKFLOW, emitted, linters
from tests.generator.tools import Tools

__all__ = ["linters"]

FINISHING = {
    "python": ("app/main.py", r"timeout_graceful_shutdown=(\d+)", 1),
    "typescript": ("src/main.ts", r"CLOSE_MS = (\d+_\d+)", 1000),
    "go": ("internal/server/server.go", r"drainTimeout += (\d+) \* time.Second", 1),
}
"""Where a service says how long it finishes what was begun, and how many of that are a second."""

KEPT = {
    "python": ("app/main.py", r"timeout_keep_alive=(\d+)", 1),
    "go": ("internal/server/server.go", r"idleTimeout += (\d+) \* time.Minute", 1 / 60),
}
"""The same of idle connections. Fastify keeps them for 72 s of its own."""

pytestmark = pytest.mark.xdist_group("deploy")


@pytest.fixture(scope="module", params=list(TARGETS))
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, emitted(tmp_path_factory.mktemp(request.param), request.param)


class _Stack(yaml.SafeLoader):
    """Reads templates of CloudFormation, whose functions are tags."""


_Stack.add_multi_constructor("!", lambda loader, _, node: _value(loader, node))


def _value(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else node.value


def stack(service: Path) -> dict[str, Any]:
    text = (service / "deploy/aws/service.yaml").read_text(encoding="utf-8")
    resources = yaml.load(text, _Stack)["Resources"]
    return {name: resource["Properties"] for name, resource in resources.items()}


def objects(linters: Tools, service: Path, overlay: str) -> dict[str, Any]:
    rendered = linters.run("render", f"deploy/kubernetes/overlays/{overlay}", folder=service).text
    return {each["kind"]: each for each in yaml.safe_load_all(rendered)}


def said(service: Path, where: tuple[str, str, float]) -> float:
    file, pattern, one_second = where
    match = re.search(pattern, (service / file).read_text(encoding="utf-8"))
    assert match
    return int(match[1]) / one_second


def attribute(properties: dict[str, Any], group: str, key: str) -> str:
    return next(each["Value"] for each in properties[group] if each["Key"] == key)


def test_every_platform_waits_for_as_long_as_a_stop_takes(service: tuple[str, Path], linters: Tools):
    lang, folder = service
    found = objects(linters, folder, "production")
    pod = found["Deployment"]["spec"]["template"]["spec"]
    proxies_s = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain_s = int(found["ConfigMap"]["data"]["DRAIN_SECONDS"])
    resources = stack(folder)
    network = (folder / "deploy/terraform/network.tf").read_text(encoding="utf-8")
    stops_s = {
        pod["terminationGracePeriodSeconds"],
        resources["ApiTask"]["ContainerDefinitions"][0]["StopTimeout"],
        int(re.findall(r"stopTimeout += (\d+)", (folder / "deploy/terraform/service.tf").read_text())[0]),
        int(re.findall(r'kill_timeout = "(\d+)s"', (folder / "fly.toml").read_text())[0]),
        yaml.safe_load((folder / "render.yaml").read_text())["services"][0]["maxShutdownDelaySeconds"],
        json.loads((folder / "railway.json").read_text())["deploy"]["drainingSeconds"],
        int(
            yaml.safe_load((folder / "compose.yaml").read_text())["services"]["api"]["stop_grace_period"][:-1]
        ),
    }
    deregistered_s = {
        attribute(resources["Targets"], "TargetGroupAttributes", "deregistration_delay.timeout_seconds"),
        re.findall(r"deregistration_delay += (\d+)", network)[0],
    }

    assert stops_s == {SHUTDOWN["stop_s"]}
    assert deregistered_s == {str(proxies_s + drain_s + SHUTDOWN["requests_s"])}
    assert said(folder, FINISHING[lang]) == SHUTDOWN["requests_s"]
    assert proxies_s + drain_s + SHUTDOWN["requests_s"] + 5 < SHUTDOWN["stop_s"], "5 s to send the last spans"


def test_services_keep_an_idle_connection_for_longer_than_the_load_balancer(service: tuple[str, Path]):
    lang, folder = service
    network = (folder / "deploy/terraform/network.tf").read_text(encoding="utf-8")
    balancers_s = {
        attribute(stack(folder)["LoadBalancer"], "LoadBalancerAttributes", "idle_timeout.timeout_seconds"),
        re.findall(r"idle_timeout += (\d+)", network)[0],
    }

    assert balancers_s == {str(BALANCER_IDLE_S)}
    if lang in KEPT:
        assert said(folder, KEPT[lang]) > BALANCER_IDLE_S + 10


def test_every_image_is_named_by_its_digest(service: tuple[str, Path]):
    _, folder = service
    named = re.findall(
        r"^FROM (\S+)", (folder / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    for file in ("compose.yaml", WORKFLOW):
        named += re.findall(r"^ +image: ([a-z]+:\S+)$", (folder / file).read_text(), flags=re.MULTILINE)

    assert len(named) == 4
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", each) for each in named)
    assert "docker:pinDigests" in json.loads((folder / "renovate.json").read_text())["extends"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_owners_login_reaches_the_migrations_alone(
    service: tuple[str, Path], overlay: str, linters: Tools
):
    _, folder = service
    found = objects(linters, folder, overlay)
    api, migrate = json.dumps(found["Deployment"]), json.dumps(found["Job"])
    resources = {name: json.dumps(each) for name, each in stack(folder).items()}

    assert "MIGRATE_" not in api + json.dumps(found["ConfigMap"])
    assert '"MIGRATE_DATABASE_URL"' in migrate
    assert "MasterUserSecret" not in resources["ApiTask"]
    assert "MasterUserSecret" in resources["MigrateTask"]


def test_what_runs_in_a_cluster_or_on_ecs_is_nobody_and_writes_nothing(
    service: tuple[str, Path], linters: Tools
):
    _, folder = service
    found = objects(linters, folder, "production")
    pods = [found[kind]["spec"]["template"]["spec"] for kind in ("Deployment", "Job")]
    resources = stack(folder)

    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}
    for task in ("ApiTask", "MigrateTask"):
        (container,) = resources[task]["ContainerDefinitions"]
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
