"""Every language, on an example and on a schema that is meant to be hard: the one contract holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from conformance.suite import assemble
from freehold.generator import TARGETS
from freehold.generator.target import Target
from tests.conformance.running import ROOT, SECRET, Running, emitted, environment, installed, running, words
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
        issue_list_and_revoke_a_key(TARGETS[target], started)

    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 100


def issue_list_and_revoke_a_key(target: Target, started: Running) -> None:
    """As the owner of a service does it: with its command."""
    told = environment(target, MIGRATE_DATABASE_URL=started.database.admin_url, MIGRATE_ROLE="app_owner")
    command = words(target.commands.api_key, installed(target, started.folder))

    def tried(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *more],
            cwd=started.folder,
            env=told,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def status(key: str) -> int:
        path = next(iter(contract["paths"]))
        return httpx.get(f"{started.url}{path}", headers={"X-API-Key": key}, timeout=30).status_code

    contract = json.loads((started.folder / "openapi.json").read_text(encoding="utf-8"))
    tenant = "0199b1c4-0000-7000-8000-00000000000a"
    issued = tried("issue", "--name", "import", "--role", "service", "--tenant", tenant, "--days", "2")
    key = issued.stdout.strip()
    assert re.fullmatch(r"ak_dev_[a-z0-9]{10}_[A-Za-z0-9]{32}", key), issued.stderr
    key_id = key.split("_")[2]
    assert status(key) != 401
    listed = next(line for line in tried("list").stdout.splitlines() if line.startswith(key_id))
    assert "\timport\t" in listed
    assert "\tused " in listed
    assert key not in listed
    assert tried("revoke", key_id).stdout == f"revoked {key_id}\n"
    assert status(key) == 401
    for wrong in (
        ("revoke", key_id),
        ("issue", "--name", "import", "--role", "no_such_role"),
        ("issue", "--name", "import", "--role", "service", "--scope", "no_such:scope"),
        ("issue", "--name", "", "--role", "service"),
        ("issue", "--name", "import", "--role", "service", "--days", "-1"),
        ("mint",),
    ):
        refused = tried(*wrong)
        assert (refused.returncode, refused.stdout) == (2, ""), wrong
        assert refused.stderr
