"""A service that an older generator made, its owner's edits in it, and the generator of today."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from freehold import __version__
from freehold.generator.command import run
from freehold.generator.releases import RELEASES, Release, since
from freehold.generator.write import BASE, MANIFEST, digest
from tests.generator.golden import HERE, tree

SMALL = HERE / "schemas" / "small" / "freehold.yaml"
ROUTES = {
    "python": "app/projects/routes.py",
    "typescript": "src/projects/routes.ts",
    "go": "internal/projects/routes.go",
}
COMMENT = {"python": "#", "typescript": "//", "go": "//"}


def freehold(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "freehold", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class OldService:
    """A service whose manifest names generator 0.0.9, which wrote some lines otherwise than today's."""

    def __init__(self, folder: Path, lang: str) -> None:
        self.folder, self.out, self.routes = folder, folder / "service", ROUTES[lang]
        (folder / "freehold.yaml").write_bytes(SMALL.read_bytes())
        run(lang, self.out, folder / "freehold.yaml")
        manifest = json.loads((self.out / MANIFEST).read_text())
        manifest["generator"] = "0.0.9"
        sign = COMMENT[lang]
        self.old_line = f"{sign} As the old generator said.\n"
        for path in (self.routes, "AGENTS.md"):
            older = self.old_line + self.read(path)
            (self.out / path).write_text(older)
            (self.out / BASE / path).write_text(older)
            manifest["files"][path]["base"] = digest(older)
        (self.out / "gone.txt").write_text("was emitted once")
        (self.out / BASE / "gone.txt").write_text("was emitted once")
        manifest["files"]["gone.txt"] = {"base": digest("was emitted once")}
        (self.out / MANIFEST).write_text(json.dumps(manifest))
        self.edit = f"\n{sign} mine\n"
        (self.out / self.routes).write_text(self.read(self.routes) + self.edit)

    def read(self, path: str) -> str:
        return (self.out / path).read_text()

    def state(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.out.rglob("*") if path.is_file()}


@pytest.mark.parametrize("lang", ROUTES)
def test_an_old_service_gets_what_is_new_as_a_diff_and_keeps_its_owners_edits(tmp_path: Path, lang: str):
    old = OldService(tmp_path, lang)
    schema = tmp_path / "freehold.yaml"
    schema.write_text(schema.read_text().replace("string(100)", "string(90)"))
    before = old.state()
    shown = freehold(tmp_path, "upgrade", "--out", "service", "--diff")
    untouched = old.state() == before
    done = freehold(tmp_path, "upgrade", "--out", "service", "--json")
    again = freehold(tmp_path, "upgrade", "--out", "service", "--check")

    assert (shown.returncode, untouched) == (1, True)
    assert f"--- a/{old.routes}\n+++ b/{old.routes}\n" in shown.stdout
    assert f"-{old.old_line}" in shown.stdout
    assert "--- a/gone.txt\n+++ /dev/null\n" in shown.stdout
    assert f"New with {RELEASES[0].version}:\n  {RELEASES[0].notes[0]}" in shown.stdout
    assert done.returncode == 0
    told = {each["path"]: each["outcome"] for each in json.loads(done.stdout)["files"]}
    assert told == {old.routes: "merged", "AGENTS.md": "updated", "gone.txt": "removed"}
    assert old.old_line not in old.read(old.routes)
    assert old.read(old.routes).endswith(old.edit)
    assert json.loads(old.read(MANIFEST))["generator"] == __version__
    assert (again.returncode, again.stdout.split()) == (0, ["edited", old.routes])
    assert '"maxLength": 90' not in old.read("openapi.json"), "the schema's change is for generate"
    assert len(list((old.out / "db/migrations").glob("*.sql"))) == 2


def test_a_conflict_of_an_upgrade_is_decided_as_one_of_generate(tmp_path: Path):
    old = OldService(tmp_path, "python")
    routes = old.out / old.routes
    routes.write_text(routes.read_text().replace(old.old_line, "# As I say.\n"))
    shown = freehold(tmp_path, "upgrade", "--out", "service")
    settled = freehold(tmp_path, "upgrade", "--out", "service", "--take-yours", old.routes)

    assert (shown.returncode, settled.returncode) == (2, 0)
    assert f"conflict  {old.routes}" in shown.stdout
    assert routes.read_text().startswith("# As I say.\n")


def test_an_older_generator_does_not_take_a_service_back(tmp_path: Path):
    old = OldService(tmp_path, "python")
    manifest = old.out / MANIFEST
    manifest.write_text(manifest.read_text().replace('"0.0.9"', '"99.0.0"'))
    before = old.state()
    upgraded = freehold(tmp_path, "upgrade", "--out", "service")
    generated = freehold(tmp_path, "generate", "--out", "service")

    assert (upgraded.returncode, generated.returncode) == (2, 2)
    for each in (upgraded, generated):
        assert "service was made by Freehold 99.0.0" in each.stderr
    assert old.state() == before


def test_what_is_no_service_or_whose_snapshot_was_edited_is_not_upgraded(tmp_path: Path):
    old = OldService(tmp_path, "python")
    (old.out / "db/schema.lock.json").write_text(old.read("db/schema.lock.json") + "\n")
    edited = freehold(tmp_path, "upgrade", "--out", "service")
    nothing = freehold(tmp_path, "upgrade", "--out", ".")

    assert (edited.returncode, nothing.returncode) == (2, 2)
    assert "service/db/schema.lock.json was edited: restore it" in edited.stderr
    assert "holds no service of Freehold: there is no .freehold/manifest.json" in nothing.stderr


def test_the_language_is_the_services_own_and_another_one_is_refused(tmp_path: Path):
    old = OldService(tmp_path, "go")
    other = freehold(tmp_path, "generate", "--out", "service", "--lang", "python")
    same = freehold(tmp_path, "generate", "--out", "service", "--diff")

    assert other.returncode == 2
    assert "service is a service in go. Say --lang go, or another folder" in other.stderr
    assert same.returncode == 1
    assert f"-{old.old_line}" in same.stdout


def test_an_owner_sees_what_he_changed(tmp_path: Path):
    old = OldService(tmp_path, "python")
    edited = freehold(tmp_path, "diff", "--out", "service")
    freehold(tmp_path, "upgrade", "--out", "service", "--take-generated", old.routes)
    pristine = freehold(tmp_path, "diff", "--out", "service")

    assert edited.returncode == 1
    assert edited.stdout.startswith(f"--- a/{old.routes}\n+++ b/{old.routes}\n")
    assert edited.stdout.endswith("+\n+# mine\n")
    assert (pristine.returncode, pristine.stdout) == (0, "service is as it was emitted.\n")


REPLACED = {
    "go": (
        {
            "api.Once",
            "api.EachOf",
            "api.CheckItems",
            "api.Compare",
            "api.In",
            "api.Like",
            "api.IsNull",
            "api.IncludeIn",
        },
        {
            "call.WriteOnce",
            "api.WriteEach",
            "api.DeleteEach",
            "api.FilterBy",
            "api.FilterText",
            "api.ReadRow",
            "api.Plain",
        },
    ),
    "python": (
        {
            "each",
            "check_items_writable",
            "reply_rows",
            "ProjectBatchUpdate",
            "ProjectBatchDelete",
            "check_parameters",
        },
        {"write_each", "delete_each", "Items[ProjectChange]", "Ids[Uuid]", "no_parameters", "only_include"},
    ),
    "typescript": (set(), {"sortBy(SORT_KEYS", "relations({"}),
}
"""What code of an owner may have called before 0.2.0, and what it calls now."""


@pytest.mark.parametrize("lang", REPLACED)
def test_the_owner_of_a_service_of_0_1_0_is_told_what_his_own_code_has_to_call_now(tmp_path: Path, lang: str):
    old = OldService(tmp_path, lang)
    (old.out / MANIFEST).write_text(old.read(MANIFEST).replace('"0.0.9"', '"0.1.0"'))
    told = freehold(tmp_path, "upgrade", "--out", "service").stdout
    emitted = "".join(tree(lang).values())
    gone, new = REPLACED[lang]

    assert "New with 0.2.0:" in told
    assert "New with 0.1.0:" not in told
    for name in gone | new:
        assert f"`{name}" in told
    for name in gone:
        assert not re.search(rf"\b(def|class|func) {name.rpartition('.')[2]}\b", emitted), name
    for name in new:
        assert name in emitted


def test_the_notes_are_those_of_the_versions_in_between():
    releases = (Release("0.9.0", ("a",)), Release("0.10.0", ("b",)), Release("1.0.0", ("c",)))

    assert [each.version for each in since("0.9.0", releases)] == ["0.10.0", "1.0.0"]
    assert since("1.0.0", releases) == []
    assert RELEASES[-1].version == __version__, "a version has its notes"
