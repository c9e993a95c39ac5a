"""The emitted tree, byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

from freehold.generator import generate, openapi
from freehold.generator.plan import plan
from tests.generator.golden import GOLDEN, schema, tree


def test_the_emitted_tree_is_the_one_that_was_read_in_review():
    folder = GOLDEN / "python"
    kept = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    emitted = tree("python")

    assert sorted(kept) == sorted(emitted), "run make golden, and read the difference"
    changed = [path for path in emitted if emitted[path] != kept[path]]
    assert changed == [], "run make golden, and read the difference"


def test_the_same_schema_gives_the_same_bytes_wherever_it_runs(tmp_path: Path):
    script = (
        "import hashlib, json, sys; sys.path.insert(0, sys.argv[1]);"
        "from tests.generator.golden import tree;"
        "print(hashlib.sha256(json.dumps(tree('python'), sort_keys=True).encode()).hexdigest())"
    )
    root = str(Path(__file__).parents[2])
    found = {
        subprocess.run(
            [sys.executable, "-c", script, root],
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


def test_without_a_deploy_line_nothing_about_containers_is_emitted():
    assert "Dockerfile" not in generate(schema("small"), "python")
    assert {"Dockerfile", "compose.yaml", ".dockerignore"} <= set(generate(schema("everything"), "python"))


def test_no_file_mentions_the_generator_as_something_to_run_with():
    for path, text in tree("python").items():
        assert "import freehold" not in text, path
        assert "from freehold" not in text, path
