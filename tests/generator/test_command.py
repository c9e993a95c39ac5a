"""`freehold generate` as it is typed: what it prints, and what it exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.schema.keys import AUTH_OVERRIDES
from tests.generator.golden import HERE

SMALL = HERE / "schemas" / "small" / "freehold.yaml"


def freehold(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "freehold", "generate", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "freehold.yaml").write_bytes(SMALL.read_bytes())
    return tmp_path


def test_a_service_is_made_and_then_is_up_to_date(folder: Path):
    checked = freehold(folder, "--out", "service", "--check", "--json")
    assert (checked.returncode, (folder / "service").exists()) == (1, False)
    assert json.loads(checked.stdout)["changes"] is True

    made = freehold(folder, "--lang", "python", "--out", "service")
    assert made.returncode == 0
    assert "created  app/projects/routes.py" in made.stdout
    assert (folder / "schema.lock.json").exists()

    again = freehold(folder, "--out", "service", "--check")
    assert (again.returncode, again.stdout) == (0, "service is up to date.\n")


def test_mistakes_in_the_schema_are_told_with_their_place(folder: Path):
    text = SMALL.read_text(encoding="utf-8")
    (folder / "freehold.yaml").write_text(
        text.replace("ref(person)", "ref(persn)").replace("decimal(12,2)", "money")
    )
    refused = freehold(folder, "--out", "service")

    assert refused.returncode == 2
    assert "did you mean `person`" in refused.stderr
    assert "decimal(12,2)" in refused.stderr
    assert refused.stderr.count("freehold.yaml:") == 2
    assert "Traceback" not in refused.stderr
    assert not (folder / "service").exists()


def test_an_unknown_language_or_provider_is_refused_with_the_known_ones(folder: Path):
    language = freehold(folder, "--out", "service", "--lang", "cobol")
    assert (language.returncode, "there are: python, go" in language.stderr) == (2, True)

    text = SMALL.read_text(encoding="utf-8")
    (folder / "freehold.yaml").write_text(text.replace("provider: auth0", "provider: auth1"))
    provider = freehold(folder, "--out", "service")
    assert provider.returncode == 2
    assert "auth0" in provider.stderr


def test_a_place_that_cannot_hold_a_service_is_refused_with_its_name(folder: Path):
    (folder / "taken").write_text("a file")
    file = freehold(folder, "--out", "taken")
    nowhere = freehold(folder, "--out", "/proc/service")

    assert (file.returncode, nowhere.returncode) == (2, 2)
    assert "taken/.freehold/manifest.json cannot be read or written: Not a directory" in file.stderr
    assert "/proc/service cannot be read or written" in nowhere.stderr
    assert "Traceback" not in file.stderr + nowhere.stderr
    assert (folder / "taken").read_text() == "a file"


def test_every_value_of_a_provider_can_be_set_in_the_schema(folder: Path):
    text = SMALL.read_text(encoding="utf-8")
    values = {name: f"my-{name}" for name in AUTH_OVERRIDES}
    values |= {"algorithms": ["ES256"], "audience": ["crm"], "require": {"token_use": "access"}}
    told = json.dumps({"provider": "auth0", **values})
    (folder / "freehold.yaml").write_text(text.replace("{ provider: auth0 }", told))
    made = freehold(folder, "--out", "service")

    assert (made.returncode, made.stderr) == (0, "")
    settings = (folder / "service/app/settings.py").read_text(encoding="utf-8")
    assert [value for value in values.values() if isinstance(value, str) and value not in settings] == []


def test_a_conflict_is_shown_with_the_lines_and_the_ways_out(folder: Path):
    freehold(folder, "--out", "service")
    schemas = folder / "service" / "app" / "projects" / "schemas.py"
    schemas.write_text(schemas.read_text().replace("max_length=100", "max_length=120"))
    schema = folder / "freehold.yaml"
    schema.write_text(schema.read_text().replace("string(100)", "string(90)"))
    shown = freehold(folder, "--out", "service")

    assert shown.returncode == 2
    assert "conflict  app/projects/schemas.py" in shown.stdout
    assert "max_length=120" in shown.stdout
    assert "--take-generated PATH" in shown.stdout
    settled = freehold(folder, "--out", "service", "--take-yours", "app/projects/schemas.py")
    assert settled.returncode == 0


def test_an_apsorc_is_read_as_it_is_and_its_author_is_asked(folder: Path):
    (folder / "freehold.yaml").unlink()
    entity = {"name": "Invoice", "fields": [{"name": "paidAt", "type": "timestamptz", "default": "soon"}]}
    (folder / ".apsorc").write_text(json.dumps({"version": 2, "entities": [entity], "relationships": []}))
    shown = freehold(folder, "--schema", ".apsorc", "--out", "service", "--check")
    made = freehold(folder, "--schema", ".", "--out", "service", "--json")

    assert "To be decided:\n  invoice.paid_at: the default `soon` is not a `datetime`" in shown.stdout
    assert "it does not say whose rows are whose" in shown.stdout
    assert made.returncode == 0
    assert {note["kind"] for note in json.loads(made.stdout)["notes"]} == {"decide", "changed"}
    assert (folder / "service/app/invoices/routes.py").exists()
    assert (folder / "schema.lock.json").exists()


def test_a_mistake_in_an_apsorc_is_told_with_its_place(folder: Path):
    (folder / "old.apsorc").write_text(
        '{"entities": [\n  {"name": "A", "fields": [{"name": "b", "type": "txt"}]}]}'
    )
    refused = freehold(folder, "--schema", "old.apsorc", "--out", "service")

    assert refused.returncode == 2
    assert "old.apsorc:2:50: " in refused.stderr
    assert "did you mean `text`?" in refused.stderr


def test_a_rename_that_is_asked_about_can_be_said_to_the_command(folder: Path):
    freehold(folder, "--out", "service")
    schema = folder / "freehold.yaml"
    schema.write_text(schema.read_text().replace("budget:", "amount:"))
    asked = freehold(folder, "--out", "service")
    wrong = freehold(folder, "--out", "service", "--rename", "project.budget")
    told = freehold(folder, "--out", "service", "--rename", "project.budget=amount")

    assert asked.returncode == 2
    assert "--rename project.budget=amount" in asked.stderr
    assert wrong.returncode == 2
    assert "is not a rename" in wrong.stderr
    assert told.returncode == 0
    assert "rename" in max((folder / "service/db/migrations").glob("*.sql")).read_text().lower()


def test_what_loses_data_is_approved_by_the_name_of_its_table_or_not_written(folder: Path):
    freehold(folder, "--out", "service")
    schema = folder / "freehold.yaml"
    text = schema.read_text()
    line = next(each for each in text.splitlines() if each.strip().startswith("budget:"))
    schema.write_text(text.replace(line + "\n", ""))
    before = {path: path.read_bytes() for path in (folder / "service").rglob("*") if path.is_file()}
    refused = freehold(folder, "--out", "service")
    shown = freehold(folder, "--out", "service", "--check")
    as_json = json.loads(freehold(folder, "--out", "service", "--check", "--json").stdout)
    other = freehold(folder, "--out", "service", "--approve", "person")
    untouched = {path: path.read_bytes() for path in (folder / "service").rglob("*") if path.is_file()}
    approved = freehold(folder, "--out", "service", "--approve", "project")
    again = freehold(folder, "--out", "service", "--check")

    assert refused.returncode == other.returncode == 2
    assert "would lose all values of project.budget. Nothing was written." in refused.stderr
    assert "--approve project" in refused.stderr
    assert (shown.returncode, as_json["exit_code"]) == (2, 2)
    assert "     loses  all values of project.budget\n" in shown.stdout
    assert "Nothing is written until that is approved: --approve project\n" in shown.stdout
    assert as_json["losses"] == {"project": ["all values of project.budget"]}
    assert as_json["unapproved"] == ["project"]
    assert untouched == before
    assert approved.returncode == 0
    last = max((folder / "service/db/migrations").glob("*.sql")).read_text()
    assert "-- destructive: all values of project.budget" in last
    assert again.returncode == 0


def test_what_rows_that_are_there_need_is_told_before_a_migration_fails_on_them(folder: Path):
    freehold(folder, "--out", "service")
    schema = folder / "freehold.yaml"
    text = schema.read_text()
    line = next(each for each in text.splitlines() if each.strip().startswith("budget:"))
    indent = line[: len(line) - len(line.lstrip())]
    new = f"{indent}room: string(8)\n{indent}floor: {{ type: int, default: 0 }}\n"
    schema.write_text(text.replace(line + "\n", line + "\n" + new))
    shown = json.loads(freehold(folder, "--out", "service", "--check", "--json").stdout)
    made = freehold(folder, "--out", "service")
    again = freehold(folder, "--out", "service")

    assert shown["needs"] == ["a value of project.room in each row that is there"]
    assert "     needs  a value of project.room in each row that is there\n" in made.stdout
    assert "say a `default:`" in made.stdout
    texts = [path.read_text() for path in (folder / "service/db/migrations").glob("*.sql")]
    assert [each.count("-- needs: a value of project.room") for each in texts if "-- needs" in each] == [1]
    assert again.stdout == "service is up to date.\n"


def test_checks_and_keys_that_rows_may_not_fit_are_told_and_wider_ones_are_not(folder: Path):
    freehold(folder, "--out", "service")
    schema = folder / "freehold.yaml"
    text = schema.read_text()
    for old, new in (
        ("name:     { type: string(100)", "name:     { type: string(50)"),
        ("enum(draft, active, 1st)", "enum(draft, 1st)"),
        ("code:     { type: string(20)", "code:     { type: string(30)"),
        ("decimal(12,2)", "decimal(14,2)"),
        ("    soft_delete: true\n", "    soft_delete: true\n    unique: [[name]]\n"),
        ("slug: {", "rank: { type: int, nullable: true, min: 1, unique: global }\n      slug: {"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    schema.write_text(text)
    made = json.loads(freehold(folder, "--out", "service", "--json").stdout)

    assert sorted(made["needs"]) == [
        "different values of (tenant_id, name) in the rows of project that are there",
        "values of project.name that pass project_name_length_check in each row that is there",
        "values of project.status that pass project_status_values_check in each row that is there",
    ]
    texts = [path.read_text() for path in (folder / "service/db/migrations").glob("*.sql")]
    failing = [text for text in texts if "-- needs: " in text]
    assert all("VALIDATE" in text or "UNIQUE INDEX" in text for text in failing)
    assert len(failing) == 3


def test_what_is_read_and_not_made_is_named(folder: Path):
    schema = folder / "freehold.yaml"
    platform = "platform: { buckets: { avatars: {}, files: { max_size: 5MB } }, topics: { news: {} } }\n"
    schema.write_text(schema.read_text() + platform)
    shown = freehold(folder, "--out", "service", "--check")
    as_json = json.loads(freehold(folder, "--out", "service", "--check", "--json").stdout)

    assert (
        "Left out:\n  platform.buckets: avatars, files: `apply` makes these in a live project" in shown.stdout
    )
    assert "  platform.topics: news: nothing is made of these." in shown.stdout
    assert [note["where"] for note in as_json["notes"]] == ["platform.buckets", "platform.topics"]


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("project_create", "ProjectCreate"),
        ("project_page", "ProjectPage"),
        ("project_status", "ProjectStatus"),
        ("problem", "Problem"),
    ],
)
def test_an_entity_that_is_called_like_a_class_of_another_is_refused(folder: Path, name: str, spelled: str):
    schema = folder / "freehold.yaml"
    more = f"  {name}:\n    tenant: scoped\n    access: {{ read: viewer }}\n    fields: {{ title: text }}\n"
    schema.write_text(schema.read_text(encoding="utf-8") + more, encoding="utf-8")
    refused = freehold(folder, "--lang", "go", "--out", "service")

    assert refused.returncode == 2
    assert f"{spelled} is also what" in refused.stderr
    assert f"{name}_entry" in refused.stderr
    assert not (folder / "service").exists()


@pytest.mark.parametrize(
    ("entities", "told"),
    [
        (
            "deal: { tenant: none, fields: { summary: enum(short) } }\n"
            "  deal_summary_value: { tenant: none, fields: { text: text } }\n",
            "deal_summary_value: DealSummaryValue is also what deal has in code",
        ),
        (
            "tag: { tenant: none, fields: { name: text } }\n"
            "  deal: { tenant: none, fields: { tag_ids: int, tags: many(tag) } }\n",
            "deal: two fields are called tag_ids",
        ),
    ],
    ids=["classes", "keys"],
)
def test_names_that_the_generator_makes_up_are_not_those_of_others(folder: Path, entities: str, told: str):
    (folder / "freehold.yaml").write_text(f"freehold: 1\nservice: sales\nentities:\n  {entities}")
    refused = freehold(folder, "--out", "service")

    assert refused.returncode == 2
    assert told in refused.stderr
    assert not (folder / "service").exists()
