"""The emitted service as its owner gets it: installed from its lock, linted, typed, and its own tests run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from freehold.generator import TARGETS
from freehold.generator.command import run
from tests.conformance.running import CACHE, ROOT, do, installed
from tests.generator.golden import HERE
from tests.postgres import Server

PYTHON = TARGETS["python"]


def lint(cache: Path, service: Path) -> None:
    binaries = "{cache}/venv/bin/"
    do((f"{binaries}ruff", "check", "--no-cache", "."), service, cache)
    do((f"{binaries}ruff", "format", "--no-cache", "--check", "."), service, cache)
    do((f"{binaries}mypy", "--cache-dir", str(CACHE / "mypy"), "app", "tests"), service, cache)


@pytest.mark.parametrize("name", ["everything", "crm"])
def test_it_installs_and_is_clean_and_its_own_tests_pass(name: str, tmp_path: Path, postgres: Server):
    examples = {"everything": HERE / "schemas" / "everything", "crm": ROOT / "examples" / "crm"}
    schema = tmp_path / "freehold.yaml"
    schema.write_bytes((examples[name] / "freehold.yaml").read_bytes())
    service = tmp_path / "service"
    assert run("python", service, schema).exit_code == 0
    cache = installed(PYTHON, service)

    if name == "everything":  # the example is a part of what this has
        lint(cache, service)
    database = postgres.create_database()
    try:
        told = do(
            ("{cache}/venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider"), service, cache,
            TEST_DATABASE_URL=database.admin_url,
        )  # fmt: skip
    finally:
        postgres.drop_database(database)
    assert "failed" not in told
    assert "passed" in told or "." in told


@pytest.mark.parametrize(
    ("package", "places", "place"),
    [("organizations", 1, 0), ("people", 1, 0), ("projects", 2, 0), ("projects", 2, 1)],
)
def test_its_own_tests_notice_a_forgotten_tenant(
    package: str, places: int, place: int, tmp_path: Path, postgres: Server
):
    """Without row-level security, so that nothing else holds what the statement forgot."""
    schema = tmp_path / "freehold.yaml"
    text = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
    schema.write_text(text.replace("isolation: rls", "isolation: where"), encoding="utf-8")
    service = tmp_path / "service"
    run("python", service, schema)
    repository = service / "app" / package / "repository.py"
    code = repository.read_text(encoding="utf-8")
    found = list(re.finditer(r"    statement\.where\(f\"(tenant_id|id) = .*tx\..*\n", code))
    assert len(found) == places
    forgetful = code[: found[place].start()] + code[found[place].end() :]
    repository.write_text(forgetful, encoding="utf-8")
    python = installed(PYTHON, service) / "venv" / "bin" / "python"

    database = postgres.create_database()
    try:
        done = subprocess.run(
            [
                python,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "tests/test_isolation.py",
                "tests/test_batches.py",
            ],
            cwd=service,
            env={"PATH": os.environ["PATH"], "TEST_DATABASE_URL": database.admin_url},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        postgres.drop_database(database)
    assert done.returncode == 1
    assert re.search("test_(a_row_of_|a_natural_key_of_)?another_tenant", done.stdout)
