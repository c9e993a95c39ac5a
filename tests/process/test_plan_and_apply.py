"""`freehold plan` and `freehold apply` as they are typed: what they print, and what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from freehold import live
from freehold.schema import parse_schema
from tests.platform import Project, platform, project

__all__ = ["platform", "project"]

REMARK = (
    "What somebody wrote down about a company, at a length that no terminal shows in one line of its own; "
    * 2
)
SCHEMA = f"""
freehold: 1
service: desk
roles: {{ agent: [] }}
entities:
  remark:
    tenant: none
    access: {{ read: agent }}
    description: "{REMARK.strip()}"
    fields: {{ text: string(40) }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "freehold.yaml").write_text(SCHEMA)
    return tmp_path


def freehold(
    command: str, folder: Path, project: Project, *options: str, **told: str
) -> tuple[int, str, str]:
    credentials = {
        "FREEHOLD_ENDPOINT": project.platform.endpoint,
        "FREEHOLD_PROJECT": project.id,
        "FREEHOLD_KEY": project.key,
    }
    done = subprocess.run(
        [sys.executable, "-m", "freehold", command, "--schema", str(folder), *options],
        env={**os.environ, **credentials, **told},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_plan_is_shown_with_its_sql_as_it_will_run(folder: Path, project: Project) -> None:
    _, as_json, _ = freehold("plan", folder, project, "--json")
    code, shown, _ = freehold("plan", folder, project)

    assert code == 0
    for step in json.loads(as_json)["steps"]:
        assert step["summary"] in shown
        assert f"\n{step['sql']};\n" in shown
    assert REMARK.strip() in shown


def test_applying_what_stands_says_so_in_json_too(folder: Path, project: Project) -> None:
    _, first, _ = freehold("apply", folder, project, "--yes", "--json")
    code, second, _ = freehold("apply", folder, project, "--yes", "--json")

    assert len(json.loads(first)["steps"]) > 0
    assert (code, json.loads(second)["steps"]) == (0, [])


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8080/v1", "http://127.0.0.1:8080", "ftp://127.0.0.1/v1"])
def test_an_endpoint_that_is_none_is_refused_with_what_it_has_to_be(
    folder: Path, project: Project, endpoint: str
) -> None:
    code, shown, refusal = freehold("plan", folder, project, FREEHOLD_ENDPOINT=endpoint)

    assert (code, shown) == (2, "")
    assert f"{endpoint!r}, but it has to be a URL that ends in /v1" in refusal


def test_a_key_that_opens_nothing_is_named_as_the_reason(folder: Path, project: Project) -> None:
    code, shown, refusal = freehold("plan", folder, project, FREEHOLD_KEY="standard_" + "0" * 64)

    assert (code, shown) == (2, "")
    assert f"See that the key is one of the project {project.id}" in refusal
    assert "Traceback" not in refusal


def test_a_folder_that_cannot_keep_the_lock_is_told_after_the_tables_were_made() -> None:
    with pytest.raises(
        live.LiveError, match=r"The database is as the schema says, but /proc cannot keep the lock"
    ):
        live._keep_lock(Path("/proc/freehold.yaml"), parse_schema(SCHEMA))


BUCKETS = """
platform:
  buckets:
    avatars: { max_size: 5MB, extensions: [.PNG, jpg], file_security: true, permissions: ['write("users")'] }
    papers:  { name: Papers, compression: gzip }
  topics: { news: { subscribe: [users] } }
"""


def test_the_buckets_of_a_schema_are_made_and_changed_and_no_other_is_touched(
    folder: Path, project: Project
) -> None:
    schema = folder / "freehold.yaml"
    schema.write_text(SCHEMA + BUCKETS)
    theirs = {"bucketId": "theirs", "name": "Theirs", "maximumFileSize": 1000}
    papers = {"bucketId": "papers", "name": "P", "maximumFileSize": 77, "description": "Kept"}
    for each in (theirs, papers):
        project.server.post("/storage/buckets", json=each)
    code, planned, left_out = freehold("plan", folder, project, "--json")
    stale = json.loads(planned)["hash"]
    _, done, _ = freehold("apply", folder, project, "--plan", stale, "--json")
    again, nothing, _ = freehold("apply", folder, project)
    found = {each["$id"]: each for each in project.server.get("/storage/buckets").json()["buckets"]}

    steps = ["Make the bucket avatars", "Change the bucket papers: compression, name"]
    assert (code, json.loads(planned)["buckets"], json.loads(done)["buckets"]) == (0, steps, steps)
    assert "platform.topics: news: nothing is made of these." in left_out
    assert "platform.buckets" not in left_out
    assert (again, "There is nothing to do." in nothing) == (0, True)
    avatars = found["avatars"]
    assert avatars["maximumFileSize"] == 5 * 1024**2
    assert avatars["allowedFileExtensions"] == ["png", "jpg"]
    assert avatars["fileSecurity"] is True
    assert sorted(avatars["$permissions"]) == ['create("users")', 'delete("users")', 'update("users")']
    kept = found["papers"]
    assert (kept["name"], kept["compression"]) == ("Papers", "gzip")
    assert (kept["maximumFileSize"], kept["description"]) == (77, "Kept")
    assert (found["theirs"]["name"], found["theirs"]["maximumFileSize"]) == ("Theirs", 1000)


def test_a_plan_of_buckets_that_have_changed_since_is_refused(folder: Path, project: Project) -> None:
    freehold("apply", folder, project, "--yes")
    without = json.loads(freehold("plan", folder, project, "--json")[1])["hash"]
    (folder / "freehold.yaml").write_text(SCHEMA + BUCKETS)
    code, _, refusal = freehold("apply", folder, project, "--plan", without)

    assert code == 2
    assert "buckets have changed since" in refusal
    assert project.server.get("/storage/buckets").json()["total"] == 0


def test_a_key_without_buckets_is_told_which_scopes_it_needs(folder: Path, project: Project) -> None:
    (folder / "freehold.yaml").write_text(SCHEMA + BUCKETS)
    key = project.key_with("databases.read", "databases.write")
    code, _, refusal = freehold("apply", folder, project, "--yes", FREEHOLD_KEY=key)

    assert code == 2
    assert "for buckets, buckets.read and buckets.write" in refusal
