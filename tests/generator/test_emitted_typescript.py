"""The emitted TypeScript service as its owner gets it: from its lock, clean, and its own tests pass."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from freehold.generator.targets.typescript import TYPESCRIPT
from tests.conformance.running import ROOT, do, emitted, installed
from tests.generator.golden import HERE
from tests.postgres import Server

SCHEMAS = HERE / "schemas"
EXAMPLES = {"everything": SCHEMAS / "everything", "crm": ROOT / "examples" / "crm"}


def ready(schema: Path, folder: Path) -> tuple[Path, Path]:
    """A service whose packages are there, and the cache that they are in."""
    service = emitted(TYPESCRIPT, schema, folder)
    cache = installed(TYPESCRIPT, service)
    do(TYPESCRIPT.commands.build[0], service, cache)
    return service, cache


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_clean_and_its_own_tests_pass(name: str, tmp_path: Path, postgres: Server):
    service, cache = ready(EXAMPLES[name] / "freehold.yaml", tmp_path)
    lint = "lint" if name == "everything" else "types"  # the example is a part of what this has
    do(("npm", "run", "--silent", lint), service, cache)
    database = postgres.create_database()
    try:
        told = do(
            ("npm", "test", "--silent"), service, cache, timeout_s=600, TEST_DATABASE_URL=database.admin_url
        )
    finally:
        postgres.drop_database(database)

    assert int(re.findall(r"pass (\d+)", told)[-1]) > 200
    assert re.findall(r"fail (\d+)", told)[-1] == "0"


@pytest.mark.parametrize("resource", ["organizations", "people", "projects"])
def test_its_own_tests_notice_a_forgotten_tenant(resource: str, tmp_path: Path, postgres: Server):
    """Without row-level security, so that nothing else holds what the statement forgot."""
    schema = tmp_path / "small.yaml"
    text = (SCHEMAS / "small" / "freehold.yaml").read_text(encoding="utf-8")
    schema.write_text(text.replace("isolation: rls", "isolation: where"), encoding="utf-8")
    service, _ = ready(schema, tmp_path)
    repository = service / "src" / resource / "repository.ts"
    code = repository.read_text(encoding="utf-8")
    forgetful, count = re.subn(r"  statement\.where\(`(tenant_id|id) = .*tx\..*\n", "", code)
    assert count > 0
    repository.write_text(forgetful, encoding="utf-8")

    database = postgres.create_database()
    try:
        done = subprocess.run(
            ["node", "--import", "tsx", "--test", "tests/isolation.test.ts"],
            cwd=service,
            env={"PATH": os.environ["PATH"], "TEST_DATABASE_URL": database.admin_url},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        postgres.drop_database(database)
    assert done.returncode == 1
    assert re.search(r"not ok \d+ - (\w+: a row of another tenant|another tenant itself)", done.stdout)


def test_the_lock_names_what_the_package_asks_for_and_no_registry(tmp_path: Path):
    service = emitted(TYPESCRIPT, SCHEMAS / "small" / "freehold.yaml", tmp_path)
    package = json.loads((service / "package.json").read_text(encoding="utf-8"))
    text = (service / "package-lock.json").read_text(encoding="utf-8")
    locked = json.loads(text)["packages"][""]

    asked = ("name", "version", "engines", "dependencies", "devDependencies")
    assert {key: package[key] for key in asked} == {key: locked[key] for key in asked}
    assert '"resolved"' not in text


def test_the_repository_is_formatted_by_the_formatter_that_formatted_it():
    package = (ROOT / "src/freehold/generator/targets/typescript/templates/package.json.j2").read_text()
    (version,) = re.findall(r'"oxfmt": "([0-9.]+)"', package)

    assert f'"oxfmt=={version}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
