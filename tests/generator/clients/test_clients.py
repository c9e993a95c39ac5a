"""Typed clients of the contract, made as an owner makes them, compiled strictly, and used for real."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest

from freehold.generator import TARGETS, generate, openapi, own_routes
from freehold.generator.migrations import History
from freehold.generator.planner import plan
from freehold.generator.seeds import callers
from freehold.schema.read import read_schema
from tests.conformance.running import ROOT, SECRET, do, emitted, environment, installed, running
from tests.generator.test_own_routes import example_of_own_routes
from tests.generator.tools import REQUIREMENTS, Tools, tools
from tests.postgres import Server

HERE = Path(__file__).parent
NODE = ROOT / "tests" / "clients"
BIN = NODE / "node_modules" / ".bin"
SCHEMAS = {
    "crm": ROOT / "examples" / "crm" / "freehold.yaml",
    "torture": HERE.parent / "schemas" / "torture" / "freehold.yaml",
}
SERVICE, GO = TARGETS["python"], TARGETS["go"]
STRICT = (
    "--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noImplicitOverride",
    "--noPropertyAccessFromIndexSignature", "--module", "nodenext", "--target", "es2023",
    "--lib", "es2023,dom",
)  # fmt: skip

PYRIGHT = {"typeCheckingMode": "standard", "strict": ["use.py"]}
"""Strict about who uses the client: within it, its generator leaves the items of lists without a type."""

pytestmark = pytest.mark.xdist_group("clients")  # they are made once, by the first who asks


@pytest.fixture(scope="module")
def tooling() -> Tools:
    return tools()


@pytest.fixture(scope="module")
def services(tooling: Tools, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Services with a client in each language, by the name of their schema."""
    go = do(("go", "tool", "-n", "oapi-codegen"), HERE / "go", HERE).strip()
    found = {}
    for name, schema in SCHEMAS.items():
        found[name] = emitted(SERVICE, schema, tmp_path_factory.mktemp(name))
        do(
            ("make", "client", "IN=typescript python go"),
            found[name],
            HERE,
            PATH=f"{Path(tooling.path('ruff')).parent}:{environment(SERVICE)['PATH']}",
            OPENAPI_TYPESCRIPT=str(BIN / "openapi-typescript"),
            OPENAPI_PYTHON_CLIENT=str(tooling.path("openapi-python-client")),
            OAPI_CODEGEN=go,
        )
    return found


class Served(NamedTuple):
    """A service that answers, and somebody who may do everything in it."""

    url: str
    token: str


@pytest.fixture(scope="module")
def crm(services: dict[str, Path], postgres: Server) -> Iterator[Served]:
    caller = callers(plan(read_schema(SCHEMAS["crm"])))[0]
    claims = {"iss": "dev", "exp": int(time.time()) + 3600, "roles": [caller.role]}
    claims |= {"tenant_id": caller.tenant, "sub": caller.user}
    with running(SERVICE, services["crm"], postgres) as started:
        cache = installed(SERVICE, started.folder)
        told = environment(SERVICE, ADMIN_DATABASE_URL=started.database.admin_url)
        do((*SERVICE.commands.migrate[:-1], "seed"), started.folder, cache, **told)
        yield Served(started.url, jwt.encode(claims, SECRET, "HS256"))


def test_a_program_in_typescript_uses_the_client(services: dict[str, Path], crm: Served):
    folder = services["crm"] / "client" / "typescript"
    (folder / "node_modules").symlink_to(NODE / "node_modules")
    (folder / "package.json").write_text('{ "type": "module" }')
    shutil.copy(HERE / "use.ts", folder)
    torture = str(services["torture"] / "client" / "typescript" / "schema.d.ts")
    do((str(BIN / "tsc"), *STRICT, "use.ts", torture), folder, NODE)

    check_what_it_got(["node", "use.js"], folder, crm, "C-TypeScript")


def test_a_program_in_python_uses_the_client(services: dict[str, Path], crm: Served):
    folder = services["crm"] / "client" / "python"
    shutil.copy(HERE / "use.py", folder)
    torture = services["torture"] / "client" / "python"
    do(("{python}", "-m", "mypy", "--strict", "acme_crm_client", "use.py"), folder, HERE)
    do(("{python}", "-m", "mypy", "--strict", "torture_client"), torture, HERE)
    for client in (folder, torture):
        (client / "pyrightconfig.json").write_text(json.dumps(PYRIGHT), encoding="utf-8")
        do((str(BIN / "pyright"), "--pythonpath", "{python}"), client, HERE)

    check_what_it_got([sys.executable, "use.py"], folder, crm, "C-Python")


@pytest.fixture(scope="module")
def staticcheck(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The one that services in Go lock."""
    service = emitted(GO, SCHEMAS["crm"], tmp_path_factory.mktemp("go"))
    cache = installed(GO, service)
    return do(("go", "tool", "-n", "staticcheck"), service, cache, **environment(GO)).strip()


def test_a_program_in_go_uses_the_client(services: dict[str, Path], crm: Served, staticcheck: str):
    folder = services["crm"] / "client" / "go"
    (folder / "use").mkdir()
    shutil.copy(HERE / "use.go", folder / "use" / "main.go")
    for client in (folder, services["torture"] / "client" / "go"):
        do(("go", "vet", "./..."), client, HERE, timeout_s=600)
        do(("go", "build", "./..."), client, HERE, timeout_s=600)
        do((staticcheck, "./..."), client, HERE, timeout_s=600)
    do(("go", "build", "-o", "bin/", "./use"), folder, HERE)

    check_what_it_got(["bin/use"], folder, crm, "C-Go")


def check_what_it_got(program: list[str], folder: Path, crm: Served, number: str) -> None:
    done = subprocess.run(
        [*program, crm.url, crm.token, number],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "created": ["Ships & Sons", "1st", "1200.50", {"vip": True}, '"1"'],
        "listed": [1, number, None, True],
        "changed": ["Shipping", None, 2],
        "stale": [412, "version_conflict"],
        "refused": [422, "validation_failed", ["/country"]],
    }


def test_the_clients_are_made_by_the_versions_that_are_tested_here(services: dict[str, Path]):
    script = (services["crm"] / "client" / "generate.sh").read_text(encoding="utf-8")
    node = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    python = dict(re.findall(r"^([\w-]+)==(\S+) ", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE))
    go = dict(re.findall(r"(\S+) (v\S+)", (HERE / "go" / "go.mod").read_text(encoding="utf-8")))
    pinned = dict(re.findall(r"([\w./-]+)(?:@v?|==)([\d.]+\d)", script))

    assert pinned.pop("openapi-typescript") == node["openapi-typescript"]
    assert pinned.pop("openapi-python-client") == python["openapi-python-client"]
    assert pinned.pop("ruff") == python["ruff"]
    generator = "github.com/oapi-codegen/oapi-codegen/v2"
    assert "v" + pinned.pop(f"{generator}/cmd/oapi-codegen") == go[generator]
    assert sorted(pinned) == ["github.com/oapi-codegen/nullable", "github.com/oapi-codegen/runtime"]


def test_only_languages_that_there_are_clients_in_are_taken(services: dict[str, Path]):
    refused = subprocess.run(
        ["sh", "client/generate.sh", "cobol"],
        cwd=services["crm"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr == "There are clients in typescript, python and go, and none in cobol.\n"


def lint(*contracts: Path) -> list[str]:
    """The rules of Redocly and Spectral that the contracts break."""
    redocly = linted("redocly", "lint", "--config", str(HERE / "redocly.yaml"), *map(str, contracts))
    assert redocly.count('"totals"') == len(contracts), redocly
    spectral = linted(
        "spectral", "lint", "--quiet", "--ruleset", str(HERE / "spectral.yaml"), *map(str, contracts)
    )
    found = re.findall(r'"ruleId": "([^"]+)"', redocly)
    return found + [each["code"] for each in json.loads(spectral)]


def linted(tool: str, *words: str) -> str:
    """What it says as JSON."""
    return subprocess.run(
        [str(BIN / tool), *words, "--format", "json"],
        env=environment(SERVICE, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    ).stdout


def test_no_linter_of_contracts_has_anything_to_say(tmp_path: Path):
    contracts = []
    for name, schema in SCHEMAS.items():
        contracts.append(tmp_path / f"{name}.json")
        emitted = generate(read_schema(schema), SERVICE.name)
        history = History(own_routes=example_of_own_routes(emitted[own_routes.FILE]))
        contract = generate(read_schema(schema), SERVICE.name, history)["openapi.json"]
        contracts[-1].write_text(contract, encoding="utf-8")

    assert lint(*contracts) == []


def test_both_linters_see_a_mistake_in_a_contract(tmp_path: Path):
    contract = openapi.document(plan(read_schema(HERE.parent / "schemas" / "small" / "freehold.yaml")))
    first, second, *_ = contract["paths"].values()
    second["get"]["operationId"] = first["get"]["operationId"]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(contract), encoding="utf-8")

    assert lint(file) == ["operation-operationId-unique"] * 2
