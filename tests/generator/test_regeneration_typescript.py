"""Generating a TypeScript service again: edits and changes of the schema are both there afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.generator.command import run
from freehold.generator.merge import merge
from freehold.generator.targets.typescript import TYPESCRIPT
from freehold.generator.targets.typescript.syntax import parse, without_unused_imports
from freehold.generator.write import CONFLICTS, Outcome
from tests.generator.golden import HERE

SMALL = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
ROUTES = "src/projects/routes.ts"
SCHEMAS = "src/projects/schemas.ts"
REPOSITORY = "src/projects/repository.ts"

Edit = tuple[str, str, str]
"""Path, what stood there, and what its owner made of it."""

HAND_EDITS: dict[str, Edit] = {
    "a comment": (SCHEMAS, "/** A new project. */", "/** A new project, as the sales team sends it. */"),
    "a stricter bound": (SCHEMAS, "maxLength: 100", "maxLength: 80"),
    "a field of its own": (
        SCHEMAS,
        "export const ProjectCreate = f.body({\n",
        "export const ProjectCreate = f.body({\n  nickname: f.optional(f.Text),\n",
    ),
    "an import": (
        ROUTES,
        'import * as repository from "./repository.js";\n',
        'import { notify } from "../notify.js";\nimport * as repository from "./repository.js";\n',
    ),
    "a call after a change": (
        ROUTES,
        "  await hooks.afterCreate?.(tx, created);\n",
        "  await hooks.afterCreate?.(tx, created);\n  notify(created);\n",
    ),
    "a route": (ROUTES, "  done();\n", '  app.get("/mine", () => "mine");\n\n  done();\n'),
    "another permission": (ROUTES, 'require("project:delete")', 'require("project:update")'),
    "a condition": (
        REPOSITORY,
        "  statement.filter(COLUMNS, filters(query));\n",
        "  statement.filter(COLUMNS, filters(query));\n  statement.where(\"status <> 'draft'\");\n",
    ),
    "a function": (
        REPOSITORY,
        "  return forbidden();\n}\n",
        "  return forbidden();\n}\n\nexport function mine(): number {\n  return 1;\n}\n",
    ),
    "a grant": (
        "src/permissions.ts",
        '    "project:read": EVERY_ROW,\n',
        '    "project:read": EVERY_ROW,\n    "project:audit": EVERY_ROW,\n',
    ),
    "a default": ("src/settings.ts", 'read.number("PORT", 8000', 'read.number("PORT", 3000'),
}

SCHEMA_CHANGES: dict[str, tuple[str, str]] = {
    "a new field": ("      budget: ", "      notes:    { type: text, nullable: true }\n      budget: "),
    "another bound": ("name:     { type: string(100)", "name:     { type: string(90)"),
    "a new value": ("enum(draft, active, 1st)", "enum(draft, active, 1st, done)"),
    "no soft deletion": ("    soft_delete: true\n    audit: true\n", "    audit: true\n"),
    "no index": ("    index: [[status, -created_at]]\n", ""),
    "a new role": ("roles:   { ", "roles:   { auditor: [], "),
    "a new entity": (
        "  project:\n",
        "  gadget:\n    tenant: scoped\n    fields: { name: string(10) }\n\n  project:\n",
    ),
}

GENUINE = {("a stricter bound", "another bound")}
"""Both sides changed the same line."""


def emitted(text: str, folder: Path) -> dict[str, str]:
    folder.mkdir()
    (folder / "freehold.yaml").write_text(text, encoding="utf-8")
    run("typescript", folder / "service", folder / "freehold.yaml")
    sources = (folder / "service" / "src").rglob("*.ts")
    return {
        path.relative_to(folder / "service").as_posix(): path.read_text(encoding="utf-8") for path in sources
    }


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The small service by the change of its schema; by `` as it is."""
    folder = tmp_path_factory.mktemp("trees")
    found = {"": emitted(SMALL, folder / "0")}
    for number, (name, (old, new)) in enumerate(SCHEMA_CHANGES.items(), start=1):
        assert old in SMALL, name
        found[name] = emitted(SMALL.replace(old, new), folder / str(number))
    return found


@pytest.mark.parametrize("edit", HAND_EDITS)
def test_a_typical_edit_survives_every_change_of_the_schema(edit: str, trees: dict[str, dict[str, str]]):
    path, old, new = HAND_EDITS[edit]
    base = trees[""][path]
    assert old in base
    yours = base.replace(old, new, 1)

    for change in SCHEMA_CHANGES:
        generated = trees[change][path]
        merged = merge(base, yours, generated, path, lambda text: text, TYPESCRIPT.parsers)
        assert bool(merged.conflicts) == ((edit, change) in GENUINE), (change, merged.text)
        if not merged.conflicts:
            parse(merged.text)
            added = [line for line in new.splitlines() if line not in old.splitlines()]
            assert all(line in merged.text for line in added), change


class Workshop:
    """A schema file and the TypeScript service that is made from it."""

    def __init__(self, folder: Path) -> None:
        self.schema = folder / "freehold.yaml"
        self.out = folder / "service"
        self.schema.write_text(SMALL, encoding="utf-8")

    def generate(self) -> dict[str, Outcome]:
        """Path to outcome of each file that did not stay the same."""
        report = run("typescript", self.out, self.schema, approve=("project", "audit_log"))
        self.exit_code = report.exit_code
        return {each.path: each.outcome for each in report.decisions if each.outcome is not Outcome.SAME}

    def change(self, name: str) -> None:
        old, new = SCHEMA_CHANGES[name]
        self.schema.write_text(self.schema.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.out / path).read_text(encoding="utf-8")

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        (self.out / path).write_text(change(self.read(path)), encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    workshop = Workshop(tmp_path)
    workshop.generate()
    return workshop


def test_the_second_run_writes_nothing(shop: Workshop):
    assert shop.generate() == {}
    assert shop.exit_code == 0


def test_a_file_in_another_format_is_brought_up_to_date_in_that_format(shop: Workshop):
    shop.edit(
        ".oxfmtrc.json", lambda text: text.replace('"printWidth": 120', '"printWidth": 60, "semi": false')
    )
    formatter = TYPESCRIPT.formatter(shop.out)
    shop.edit(ROUTES, lambda text: formatter(ROUTES, text))
    assert ";\n" not in shop.read(ROUTES)
    shop.change("no soft deletion")

    assert shop.generate()[ROUTES] is Outcome.MERGED
    assert "restore" not in shop.read(ROUTES)
    assert formatter(ROUTES, shop.read(ROUTES)) == shop.read(ROUTES)


def test_a_merge_that_would_not_parse_is_a_conflict(shop: Workshop):
    shop.edit(SCHEMAS, lambda text: text.replace("/** A new project. */", "if (true) {"))
    shop.change("a new field")

    assert shop.generate()[SCHEMAS] is Outcome.CONFLICT
    assert shop.exit_code == 2
    assert "<<<<<<< yours" in shop.read(f"{CONFLICTS}/{SCHEMAS}")


def test_imports_that_nothing_uses_are_left_out():
    text = (
        'import a from "a";\nimport { b, c as d, type E } from "b";\nimport * as f from "f";\n'
        'import { g } from "g";\nimport "h";\n\n// b f g\nexport const x: E = a(d, "b", `f`);\n'
    )

    assert without_unused_imports(text) == (
        'import a from "a";\nimport { c as d, type E } from "b";\nimport "h";\n\n'
        '// b f g\nexport const x: E = a(d, "b", `f`);\n'
    )
