"""The emitted tree, byte for byte."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from openapi_spec_validator import validate

from freehold.generator import TARGETS, generate, openapi
from freehold.generator.planner import plan
from freehold.schema.read import read_schema
from tests.generator.golden import GOLDEN, HERE, schema, tree


@pytest.mark.parametrize("lang", TARGETS)
def test_the_emitted_tree_is_the_one_that_was_read_in_review(lang: str):
    folder = GOLDEN / lang
    kept = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    emitted = tree(lang)

    assert sorted(kept) == sorted(emitted), "run make golden, and read the difference"
    changed = [path for path in emitted if emitted[path] != kept[path]]
    assert changed == [], "run make golden, and read the difference"


@pytest.mark.parametrize("lang", TARGETS)
def test_the_same_schema_gives_the_same_bytes_wherever_it_runs(lang: str, tmp_path: Path):
    script = (
        "import hashlib, json, sys; sys.path.insert(0, sys.argv[1]);"
        "from tests.generator.golden import tree;"
        "print(hashlib.sha256(json.dumps(tree(sys.argv[2]), sort_keys=True).encode()).hexdigest())"
    )
    root = str(Path(__file__).parents[2])
    found = {
        subprocess.run(
            [sys.executable, "-c", script, root, lang],
            cwd=cwd,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for cwd, seed, zone in ((tmp_path, "1", "Asia/Tokyo"), (root, "2", "UTC"))
    }

    assert len(found) == 1


def test_the_contract_is_valid_openapi_for_every_kind_of_field():
    for name in ("small", "everything"):
        validate(openapi.document(plan(schema(name))))


@pytest.mark.parametrize("lang", TARGETS)
def test_without_a_deploy_line_nothing_about_containers_is_emitted(lang: str):
    assert "Dockerfile" not in generate(schema("small"), lang)
    assert {"Dockerfile", "compose.yaml", ".dockerignore"} <= set(generate(schema("everything"), lang))


def test_the_contract_and_the_tables_are_the_same_in_every_language():
    first, *others = (generate(schema("everything"), lang) for lang in TARGETS)
    shared = ("openapi.json", "tests/resources.json", "db/schema.sql", "db/schema.lock.json", "db/roles.sql")

    for other in others:
        assert [path for path in shared if other[path] != first[path]] == []


def test_only_keys_that_allow_fewer_rows_than_tests_make_are_taken_away_for_them():
    told = json.loads(generate(schema("everything"), "go")["tests/resources.json"])
    tier, screw = (
        next(each for each in told["resources"] if each["name"] == name) for name in ("tier", "screw")
    )

    assert told["scarce_keys"] == [
        "alter table tier drop constraint if exists tier_code_key",
        "alter table tier drop constraint if exists tier_default_key",
        "alter table tier drop constraint if exists tier_default_level_key",
    ]
    assert (tier.get("natural_key"), tier["natural_key_scarce"]) == (None, True)
    assert (screw["natural_key"], "natural_key_scarce" in screw) == ("code", False)


@pytest.mark.parametrize("name", ["uuid", "class_var", "one_of", "sort_key"])
def test_no_class_hides_what_its_module_uses_after_it(name: str, tmp_path: Path):
    text = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
    (tmp_path / "freehold.yaml").write_text(text.replace("  project:", f"  {name}:"))
    emitted = generate(read_schema(tmp_path / "freehold.yaml"), "python")
    code = ast.parse(emitted[f"app/{name}s/schemas.py"]).body
    known = {each.name for node in code if isinstance(node, ast.ImportFrom) for each in node.names}

    assert known.isdisjoint(node.name for node in code if isinstance(node, ast.ClassDef))


@pytest.mark.parametrize("plural", ["relations", "settings", "traces"])
@pytest.mark.parametrize("lang", TARGETS)
def test_no_resource_shares_a_folder_or_a_module_with_the_service_itself(lang: str, plural: str):
    base = schema("small")
    first, project, *others = base.entities
    entities = (first, msgspec.structs.replace(project, plural=plural), *others)
    emitted = generate(msgspec.structs.replace(base, entities=entities), lang)
    code = {"python": "app", "typescript": "src", "go": "internal"}[lang]

    def names(tree: dict[str, str]) -> set[str]:
        return {path.split("/")[1] for path in tree if path.startswith(f"{code}/")}

    assert len(emitted) == len(generate(base, lang))
    assert len(names(emitted)) == len(names(generate(base, lang)))
    if lang == "python":  # where a folder hides a module
        assert len({Path(name).stem for name in names(emitted)}) == len(names(emitted))


@pytest.mark.parametrize("lang", TARGETS)
def test_no_file_mentions_the_generator_as_something_to_run_with(lang: str):
    for path, text in tree(lang).items():
        assert "import freehold" not in text, path
        assert "from freehold" not in text, path
