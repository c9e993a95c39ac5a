"""A service's database that somebody changed by hand, and what the runner of each language says of it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import asyncpg
import pytest

from freehold.generator import TARGETS
from freehold.generator.command import run
from tests.conformance.running import do, environment, installed, words
from tests.generator.golden import HERE
from tests.postgres import Server

BY_HAND = """
alter table project add column note text not null default 'x';
alter table project alter column budget set default 0;
alter table project disable row level security;
drop policy tenant_isolation on task;
drop table project_tags;
drop index task_tenant_id_due_at_idx;
create table scratchpad (id int primary key);
create index by_hand on tag (name);
grant truncate on tag to app_api;
create or replace function write_audit_log() returns trigger language plpgsql as 'begin return null; end';
"""

TOLD = """\
differs  column project.budget: default is 0, and should be not there
extra    column project.note
differs  function write_audit_log(): settings is not there, and should be ["search_path=pg_catalog, pg_temp"]
differs  function write_audit_log(): source is MD5, and should be MD5
extra    grant tag.app_api
extra    index tag.by_hand
missing  index task.task_tenant_id_due_at_idx
missing  policy task.tenant_isolation
differs  table project: row_security is false, and should be true
missing  table project_tags
extra    table scratchpad
"""


# Only what migrates is built: the features of so large a schema take long.
BUILD = {
    "python": (),
    "go": (("go", "build", "-o", "bin/", "./cmd/migrate"),),
    "typescript": (("ln", "-sfn", "{cache}/node_modules", "node_modules"),),
}
PROGRAM = {
    "python": ("{cache}/venv/bin/python", "-m", "app.migrate"),
    "go": ("bin/migrate",),
    "typescript": ("node", "--import", "tsx", "src/migrate.ts"),
}


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.mark.parametrize("lang", TARGETS)
def test_what_was_changed_by_hand_is_told_object_by_object(lang: str, tmp_path: Path, postgres: Server):
    target = TARGETS[lang]
    schema = tmp_path / "freehold.yaml"
    text = (HERE / "schemas" / "torture" / "freehold.yaml").read_text(encoding="utf-8")
    schema.write_text(text, encoding="utf-8")
    service = tmp_path / "service"
    run(lang, service, schema)
    schema.write_text(text.replace("title:    string(200)", "title: { type: string(150), unique: true }"))
    run(lang, service, schema)
    changed = "".join(path.read_text() for path in (service / "db/migrations").glob("000[3-9]*.sql"))
    cache = installed(target, service)
    for command in BUILD[lang]:
        do(command, service, cache, **environment(target))
    database = postgres.create_database()

    def migrate(*command: str) -> subprocess.CompletedProcess[str]:
        told = environment(target, MIGRATE_DATABASE_URL=database.admin_url, MIGRATE_ROLE="app_owner")
        return subprocess.run(
            [*words(PROGRAM[lang], cache), *command],
            cwd=service,
            env=told,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    try:
        asyncio.run(execute(database.admin_url, (service / "db/roles.sql").read_text()))
        assert migrate("up").returncode == 0
        same, same_json = migrate("drift"), migrate("drift", "--json")
        asyncio.run(execute(database.admin_url, BY_HAND))
        drifted, as_json = migrate("drift"), migrate("drift", "--json")
        wrong = migrate("up", "--json")
        asyncio.run(execute(database.admin_url, "insert into schema_migrations values ('9999')"))
        unknown = migrate("drift")
    finally:
        postgres.drop_database(database)

    assert "CONCURRENTLY" in changed
    assert (same.returncode, same.stdout) == (0, "The database is what its applied migrations say.\n")
    assert (same_json.returncode, json.loads(same_json.stdout)) == (0, {"drift": []})
    assert drifted.returncode == 2
    assert re.sub("[0-9a-f]{32}", "MD5", drifted.stdout).splitlines() == TOLD.splitlines()
    found = json.loads(as_json.stdout)["drift"]
    assert as_json.returncode == 2
    assert found[0] == {"object": "column project.budget", "drift": "differs", "fact": "default",
                        "is": "0", "should_be": None}  # fmt: skip
    assert {"object": "table project_tags", "drift": "missing"} in found
    assert len(found) == len(TOLD.splitlines())
    assert (wrong.returncode, "drift takes --json" in wrong.stderr) == (1, True)
    assert unknown.returncode == 1
    assert "9999 was applied by a newer version of the service" in unknown.stderr
