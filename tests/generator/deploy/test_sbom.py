"""`make sbom` as an owner calls it: what a service is made of, and nothing that only builds or tests it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.generator import TARGETS
from tests.conformance.running import CACHE
from tests.generator.deploy.test_linted import emitted

SERVED_WITH = {
    "python": {"fastapi", "asyncpg", "pydantic"},
    "typescript": {"fastify", "pg"},
    "go": {"github.com/jackc/pgx/v5", "std"},
}
ONLY_DEVELOPED_WITH = {
    "python": {"pytest", "mypy", "ruff"},
    "typescript": {"typescript", "eslint", "tsx"},
    "go": {"honnef.co/go/tools"},
}

pytestmark = pytest.mark.xdist_group("deploy")


@pytest.mark.parametrize("lang", TARGETS)
def test_it_lists_what_is_served_with_and_not_what_is_developed_with(lang: str, tmp_path: Path):
    service = emitted(tmp_path, lang)
    if lang == "python":  # what the tool is made of is the same every time
        venv = CACHE / "sbom"
        if not (venv / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
        (service / ".venv-sbom").symlink_to(venv)
    done = subprocess.run(
        ["make", "sbom"],
        cwd=service,
        env=os.environ | {"GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((service / "sbom.json").read_text(encoding="utf-8"))
    versions = {each["name"]: each["version"] for each in told["components"]}
    if lang == "typescript":
        versions = {each["bom-ref"].rpartition("@")[0]: each["version"] for each in told["components"]}

    assert told["bomFormat"] == "CycloneDX"
    assert versions.keys() >= SERVED_WITH[lang]
    assert not versions.keys() & ONLY_DEVELOPED_WITH[lang]
    assert all(versions.values())
    assert all(each["purl"].startswith("pkg:") for each in told["components"] if each["name"] != "std")
