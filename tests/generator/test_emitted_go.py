"""The emitted Go service as its owner gets it: in gofmt's shape, without findings, and its own tests run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from freehold.generator import TARGETS, generate
from freehold.generator.command import run
from freehold.generator.targets.go.names import exported
from freehold.generator.targets.go.parse import parse
from freehold.generator.targets.go.shape import CELL, pairs, shaped
from freehold.schema.model import Field, Kind, Type
from tests.conformance.running import ROOT, do, environment, installed
from tests.generator.golden import HERE, schema
from tests.postgres import Server

GO = TARGETS["go"]


def emitted(name: str, folder: Path) -> Path:
    examples = {"crm": ROOT / "examples" / "crm"}
    file = folder / "freehold.yaml"
    source = examples.get(name, HERE / "schemas" / name) / "freehold.yaml"
    file.write_bytes(source.read_bytes())
    assert run("go", folder / "service", file).exit_code == 0
    return folder / "service"


@pytest.mark.parametrize("name", ["everything", "crm"])
def test_it_is_clean_and_its_own_tests_pass(name: str, tmp_path: Path, postgres: Server):
    service = emitted(name, tmp_path)
    cache = installed(GO, service)
    told = environment(GO)

    assert do(("gofmt", "-l", "."), service, cache) == ""
    if name == "everything":  # the example is a part of what this has
        do(("go", "vet", "./..."), service, cache, **told)
        do(("go", "tool", "staticcheck", "./..."), service, cache, timeout_s=600, **told)
        do(("go", "mod", "tidy", "-diff"), service, cache, **told)
    database = postgres.create_database()
    try:
        tested = do(("go", "test", "./..."), service, cache, TEST_DATABASE_URL=database.admin_url, **told)
    finally:
        postgres.drop_database(database)
    assert re.search(r"^ok\s+\S+/tests", tested, re.MULTILINE)


@pytest.mark.parametrize("package", ["organizations", "projects"])
def test_its_own_tests_notice_a_forgotten_tenant(package: str, tmp_path: Path, postgres: Server):
    """Without row-level security, so that nothing else holds what the statement forgot."""
    file = tmp_path / "freehold.yaml"
    text = (HERE / "schemas" / "small" / "freehold.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("isolation: rls", "isolation: where"), encoding="utf-8")
    service = tmp_path / "service"
    run("go", service, file)
    repository = service / "internal" / package / "repository.go"
    code = repository.read_text(encoding="utf-8")
    before, found, reachable = code.partition("func reachable(")
    forgetful, count = re.subn(r"tx\.Reachable\(`\w+`, ", "tx.Reachable(``, ", reachable)
    assert count == 1
    forgetful = before + found + forgetful
    repository.write_text(forgetful, encoding="utf-8")
    installed(GO, service)

    database = postgres.create_database()
    try:
        done = subprocess.run(
            ["go", "test", "./tests", "-run", "Tenant|References"],
            cwd=service,
            env=environment(GO, TEST_DATABASE_URL=database.admin_url),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        postgres.drop_database(database)
    assert done.returncode == 1
    assert re.search(r"FAIL: Test(ARowOfAnother|Another)Tenant", done.stdout)


def test_no_binary_needs_anything_beside_it(tmp_path: Path):
    service = emitted("small", tmp_path)
    cache = installed(GO, service)
    for command in GO.commands.build:
        do(command, service, cache, **environment(GO))
    done = subprocess.run(
        [service / "bin" / "migrate", "up"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert "MIGRATE_DATABASE_URL is missing" in done.stderr
    assert sorted(path.name for path in (service / "bin").iterdir()) == ["api", "migrate", "token"]


def test_imports_that_nothing_uses_go_and_columns_are_aligned():
    text = (
        'package a\n\nimport (\n\t"fmt"\n\t"os"\n\n\t"github.com/jackc/pgx/v5"\n)\n\n'
        f'type a struct {{\n\tA{CELL}int{CELL}`json:"fmt.x"`\n\tLong{CELL}string{CELL}`json:"b"`\n}}\n\n'
        "// os.Exit\nvar b = pgx.ErrNoRows\n"
    )

    assert shaped(text) == (
        'package a\n\nimport (\n\t"github.com/jackc/pgx/v5"\n)\n\n'
        'type a struct {\n\tA    int    `json:"fmt.x"`\n\tLong string `json:"b"`\n}\n\n'
        "// os.Exit\nvar b = pgx.ErrNoRows\n"
    )


@pytest.mark.parametrize("lengths", [(3, 50), (39, 41, 120), (1, 45, 2, 90, 60), (60, 20, 20), (41, 15, 41)])
def test_keys_are_aligned_as_gofmt_aligns_them(lengths: tuple[int, ...], tmp_path: Path):
    keys = [f'"{"k" * length}{number}"' for number, length in enumerate(lengths)]
    lines = "".join(f"\t{line}\n" for line in pairs((key, "1") for key in keys))
    text = shaped(f"package a\n\nvar b = map[string]int{{\n{lines}}}\n")
    done = subprocess.run(["gofmt"], input=text, capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout == text


@pytest.mark.parametrize("length", [20, 76, 77, 78, 79, 80, 81, 120])
def test_functions_are_on_one_line_as_long_as_gofmt_leaves_them_there(length: int):
    text = shaped(f"package a\n\nfunc {'f' * length}() error {{ return nil }}\n")
    done = subprocess.run(["gofmt"], input=text, capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout == text


NAMES = [
    "type",
    "func",
    "id_",
    "_1",
    "__",
    "url_of_api",
    "aB",
    "a_b",
    "select",
    "nil",
    "string",
    "error",
    "X1",
]


def test_names_that_are_hard_on_go_compile(tmp_path: Path):
    base = schema("small")
    hard = tuple(
        Field(id=f"f{number}", name=name, type=Type(kind=Kind.TEXT), column=f"c{number}", nullable=True)
        for number, name in enumerate(NAMES)
    )
    members = Type(kind=Kind.ENUM, values=("1st", "a b", "a-b", "func", "é", "A B"))
    hard += (Field(id="e", name="create", type=members, column="kind", default="func"),)
    plurals = ("type", "main", "http", "1s", "aux", "api", "Types", "_s", "test")
    entities = tuple(
        msgspec.structs.replace(
            base.entities[2], id=f"e{number}", name=f"{name}_x", plural=name, table=f"t{number}", fields=hard
        )
        for number, name in enumerate(plurals)
        if name[0] not in "1"
    )
    tree = generate(msgspec.structs.replace(base, service="time", entities=base.entities + entities), "go")
    for path, text in tree.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    cache = installed(GO, tmp_path)

    assert do(("gofmt", "-l", "."), tmp_path, cache) == ""
    do(("go", "vet", "./..."), tmp_path, cache, **environment(GO))


def test_a_merged_file_has_to_be_go():
    parse("package a\n\nfunc b[T any](c T) T { return c }\n")
    with pytest.raises(SyntaxError):
        parse("package a\n\nfunc b( {\n")


def test_initialisms_are_spelled_as_in_go():
    assert [exported(name) for name in ("owner_id", "url", "api_key_ids", "_1")] == [
        "OwnerID",
        "URL",
        "APIKeyIds",
        "X1",
    ]
