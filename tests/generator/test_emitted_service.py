"""The emitted service as its owner gets it: installed from its lock, linted, typed, and its own tests run."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.generator.command import run
from tests.generator.golden import HERE
from tests.postgres import Server

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "emitted-python"


def command(*words: str | Path, folder: Path, timeout_s: int = 300, **environ: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | environ,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


def installed(requirements: Path) -> Path:
    """A virtual environment with the requirements, made once for each version of them."""
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = CACHE / digest
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            command(sys.executable, "-m", "venv", folder, folder=CACHE)
            pip = (
                folder / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            )
            command(*pip, "--require-hashes", "-r", requirements, folder=CACHE)
            (folder / "ready").touch()
    return folder / "bin"


def lint(binaries: Path, service: Path) -> None:
    command(binaries / "ruff", "check", "--no-cache", ".", folder=service)
    command(binaries / "ruff", "format", "--no-cache", "--check", ".", folder=service)
    command(binaries / "mypy", "--cache-dir", CACHE / "mypy", "app", "tests", folder=service)


@pytest.mark.parametrize("name", ["everything", "crm"])
def test_it_installs_and_is_clean_and_its_own_tests_pass(name: str, tmp_path: Path, postgres: Server):
    examples = {"everything": HERE / "schemas" / "everything", "crm": ROOT / "examples" / "crm"}
    schema = tmp_path / "freehold.yaml"
    schema.write_bytes((examples[name] / "freehold.yaml").read_bytes())
    service = tmp_path / "service"
    assert run("python", service, schema).exit_code == 0
    binaries = installed(service / "requirements-dev.txt")

    if name == "everything":  # the example is a part of what this has
        lint(binaries, service)
    database = postgres.create_database()
    try:
        told = command(
            binaries / "python", "-m", "pytest", "-p", "no:cacheprovider", folder=service,
            TEST_DATABASE_URL=database.admin_url,
        )  # fmt: skip
    finally:
        postgres.drop_database(database)
    assert "failed" not in told
    assert "passed" in told or "." in told


@pytest.mark.parametrize("package", ["organizations", "people", "projects"])
def test_its_own_tests_notice_a_forgotten_tenant(package: str, tmp_path: Path, postgres: Server):
    """Without row-level security, so that nothing else holds what the statement forgot."""
    schema = tmp_path / "freehold.yaml"
    text = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
    schema.write_text(text.replace("isolation: rls", "isolation: where"), encoding="utf-8")
    service = tmp_path / "service"
    run("python", service, schema)
    repository = service / "app" / package / "repository.py"
    code = repository.read_text(encoding="utf-8")
    forgetful, count = re.subn(r"    statement\.where\(f\"(tenant_id|id) = .*tx\..*\n", "", code)
    assert count == 1
    repository.write_text(forgetful, encoding="utf-8")
    binaries = installed(service / "requirements-dev.txt")

    database = postgres.create_database()
    try:
        done = subprocess.run(
            [binaries / "python", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_isolation.py"],
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
    assert "test_a_row_of_another_tenant" in done.stdout or "test_another_tenant_itself" in done.stdout
