"""Every language, on an example and on a schema that is meant to be hard: the one contract holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.suite import assemble
from freehold.generator import TARGETS
from tests.conformance.running import ROOT, SECRET, emitted, running
from tests.postgres import Server

SCHEMAS = {
    "crm": ROOT / "examples" / "crm" / "freehold.yaml",
    "torture": ROOT / "tests" / "generator" / "schemas" / "torture" / "freehold.yaml",
}


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_service_keeps_the_contract(target: str, schema: str, tmp_path: Path, postgres: Server):
    service = emitted(TARGETS[target], SCHEMAS[schema], tmp_path)
    suite = assemble(tmp_path / "conformance", service)
    with running(TARGETS[target], service, postgres) as started:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--maxfail", "20"],
            cwd=suite,
            env=os.environ
            | {
                "CONFORMANCE_URL": started.url,
                "CONFORMANCE_DATABASE_URL": started.database.admin_url,
                "CONFORMANCE_SECRET": SECRET,
            },
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )

    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 100
