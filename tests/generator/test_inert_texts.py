"""S57: what a schema says is data. Code or SQL in it never becomes code, SQL, a path or markup."""

from __future__ import annotations

import ast
import json
import re
import tomllib

import msgspec
import pytest
import yaml

from freehold.generator import TARGETS, generate
from freehold.generator.identity import UnknownProvider
from freehold.generator.names import UnsafeName
from freehold.generator.targets.go.parse import parse
from freehold.generator.targets.typescript import syntax
from freehold.schema.keys import DEPLOY
from freehold.schema.model import Auth, Comparison, Entity, Field, Grant, Kind, Schema, Type
from tests.generator.golden import schema
from tests.postgres import Server

MARK = "PWNED_BY_SCHEMA"
HOSTILE = (
    f'"""\nimport os\n{MARK} = os.system("x")\n"""',
    f"'; drop table project; -- {MARK}",
    f"\\'; {MARK} = 1 #",
    f"{{{{ {MARK} }}}} {{% raw %}} {{{MARK}}} ${{{MARK}}} $({MARK}) `{MARK}`",
    f"*/ {MARK} <script>alert(1)</script> --> ]]> \r\n{MARK} = 1\u2028{MARK} = 2\x85{MARK} = 3",
    f'")\n{MARK} = 1\n#',
    f"\n\n{MARK}: &anchor !!python/object\n",
)


def changed(text: str) -> Schema:
    """The small schema with the text wherever a schema may hold free text."""
    base = schema("small")
    return msgspec.structs.replace(
        base,
        service=text,
        description=text,
        entities=tuple(changed_entity(entity, text) for entity in base.entities),
    )


def changed_entity(entity: Entity, text: str) -> Entity:
    fields = [msgspec.structs.replace(field, description=text) for field in entity.fields]
    fields.append(
        Field(id="x1", name="free", type=Type(kind=Kind.TEXT), column="free", default=text, description=text)
    )
    members = Type(kind=Kind.ENUM, values=(text, "other"))
    fields.append(Field(id="x2", name="member", type=members, column="member", default=text))
    anything = Type(kind=Kind.JSON)
    fields.append(Field(id="x3", name="extra", type=anything, column="extra", default={text: [text]}))
    return msgspec.structs.replace(entity, description=text, fields=tuple(fields))


def is_mark_code(source: str) -> bool:
    """Whether the mark is anything but part of a string, in Python."""
    for node in ast.walk(ast.parse(source)):
        for name in ("id", "name", "attr", "arg", "module"):
            if MARK in str(getattr(node, name, "") or ""):
                return True
    return False


@pytest.mark.parametrize("text", HOSTILE)
def test_code_in_a_schema_stays_text(text: str):
    tree = generate(changed(text), "python")

    for path, content in tree.items():
        if path.endswith(".py"):
            assert not is_mark_code(content), path
        if path.endswith(".json"):
            json.loads(content)
    tomllib.loads(tree["pyproject.toml"])
    assert tree["README.md"].count("<script>") == 0
    assert [line for line in tree["Makefile"].splitlines() if MARK in line] == []
    assert [line for line in tree[".env.example"].splitlines() if MARK in line] == []


MARKUP = (
    f"{MARK} `{MARK}` ``` | {MARK} |\n# {MARK}\n- [{MARK}](javascript:{MARK})\n<!-- {MARK} --> <b>{MARK}</b>",
    f"%{{{MARK}}} %(s)s {{0.__class__}} $({MARK}) #{{{MARK}}} <% {MARK} %> \u2029{MARK}\u2028 }}}} -->{MARK}",
)


@pytest.mark.parametrize("text", [*HOSTILE, *MARKUP])
@pytest.mark.parametrize("lang", TARGETS)
def test_code_in_a_schema_stays_text_everywhere(lang: str, text: str):
    """What a shell or a platform runs has nothing of it, and what is read is what it was."""
    tree = generate(msgspec.structs.replace(changed(text), deploy=DEPLOY), lang)
    said: set[str] = set()

    for path, content in tree.items():
        name = path.rpartition("/")[2]
        if path.endswith((".yaml", ".yml")):
            list(yaml.parse(content))
        if path.endswith(".json"):
            json.loads(content)
        if path.endswith(".toml"):
            tomllib.loads(content)
        if MARK not in content.replace("\\", ""):
            continue
        said.add(path)
        assert not path.endswith((".yaml", ".yml", "fly.toml", ".tf", ".sh", ".mod")), path
        assert not name.startswith((".", "Dockerfile", "Makefile", "CODEOWNERS")), path
        if path.endswith(".md"):
            assert "<script>" not in content
            assert "<b>" not in content
            assert "&amp;lt;" not in content
            assert not re.search(r"[^\\]\]\(javascript:", content)
            assert not [line for line in content.splitlines() if line.startswith(f"# {MARK}")], path
    assert json.loads(tree["openapi.json"])["info"]["title"] == text
    assert "openapi.json" in said


GO_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`|//[^\n]*')


@pytest.mark.parametrize(
    "text", [*HOSTILE, f"`\n{MARK}()\n`", f"*/ {MARK}() /* %s %d {{{{.}}}}", f"\v\f{MARK}\v"]
)
def test_code_in_a_schema_stays_text_in_go(text: str):
    tree = generate(changed(text), "go")

    for path, content in tree.items():
        if path.endswith(".go"):
            parse(content)
            assert MARK not in GO_TEXT.sub("", content), path
            assert "\v" not in content, path
    assert tree["go.mod"].startswith("module ")
    assert MARK not in tree["go.mod"]
    assert [line for line in tree["Makefile"].splitlines() if MARK in line] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_code_in_a_schema_stays_text_in_typescript(text: str):
    tree = generate(changed(text), "typescript")

    for path, content in tree.items():
        if path.endswith(".ts"):
            leaves = (each for each in syntax.walk(syntax.parse(content).root_node) if not each.children)
            found = {each.type for each in leaves if MARK in (each.text or b"").decode()}
            assert found <= {"string_fragment", "comment"}, path
        if path.endswith(".json"):
            json.loads(content)
    assert [line for line in tree["Makefile"].splitlines() if MARK in line] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_schema_stays_text_in_the_database(text: str, database_url: str):
    import asyncio

    import asyncpg

    sql = generate(changed(text), "python")["db/migrations/0001_create_tables.sql"]
    up = sql.partition("-- migrate:down")[0]

    async def apply() -> tuple[list[str], str]:
        connection = await asyncpg.connect(database_url)
        try:
            async with connection.transaction():
                await connection.execute(up)
            rows = await connection.fetch("select relname from pg_class where relname = 'project'")
            default = await connection.fetchval(
                "select column_default from information_schema.columns "
                "where table_name = 'project' and column_name = 'free'"
            )
            value = await connection.fetchval(f"select {default}")
            return [row["relname"] for row in rows], value
        finally:
            await connection.close()

    tables, default = asyncio.run(apply())
    assert tables == ["project"]
    assert default == text


@pytest.mark.parametrize("text", HOSTILE)
def test_seeds_and_pages_hold_a_schema_as_text(text: str, postgres: Server):
    import asyncio

    import asyncpg

    tree = generate(changed(text), "python")
    up = tree["db/migrations/0001_create_tables.sql"].partition("-- migrate:down")[0]
    database = postgres.create_database()

    async def apply() -> set[str]:
        connection = await asyncpg.connect(database.admin_url)
        try:
            async with connection.transaction():
                await connection.execute(up)
            await connection.execute(tree["db/seed.sql"])
            return {row["member"] for row in await connection.fetch("select member from project")}
        finally:
            await connection.close()

    try:
        members = asyncio.run(apply())
    finally:
        postgres.drop_database(database)
    assert members == {text, "other"}
    for page in ("docs/data-model.md", "docs/permissions.md"):
        assert MARK not in tree[page]


def conditional(text: str) -> Schema:
    """The hostile schema, where a role may change the rows that hold its text."""
    base = changed(text)
    grants = (Grant(role="member", where=(Comparison(field="member", values=(text,)),)),)
    access = msgspec.structs.replace(base.entities[1].access, update=grants)
    project = msgspec.structs.replace(base.entities[1], access=access)
    return msgspec.structs.replace(base, entities=(base.entities[0], project, *base.entities[2:]))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_condition_cannot_leave_its_cell(text: str):
    page = generate(conditional(text), "python")["docs/permissions.md"]
    lines = [line for line in page.splitlines() if MARK in line.replace("\\", "")]

    assert len(lines) == 1
    assert lines[0].replace("\\|", "").count("|") == 9
    assert "<script>" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_a_schema_but_its_name_is_in_what_is_deployed(text: str):
    with_files = msgspec.structs.replace(changed(text), deploy=DEPLOY)
    without = generate(msgspec.structs.replace(with_files, deploy=()), "python")
    deployed = {
        path: content for path, content in generate(with_files, "python").items() if path not in without
    }

    assert len(deployed) > 20
    assert [path for path, content in deployed.items() if MARK in content] == []


@pytest.mark.parametrize("service", ["4ever", "x" * 300, "a-" * 200, "ACME & Söhne"])
def test_the_name_of_the_service_is_one_that_every_platform_takes(service: str):
    named = msgspec.structs.replace(schema("small"), service=service, deploy=DEPLOY)
    overlay = generate(named, "python")["deploy/kubernetes/overlays/production/kustomization.yaml"]
    (namespace,) = re.findall(r"^namespace: (.*)$", overlay, re.MULTILINE)

    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", namespace)


PATHS = ("../../etc", "a/b", "..", "a\nb", 'a"b', "a b", "", "a" * 64, "\uff41", "a\x00b", "x;import os")


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("part", ["entity", "plural", "table", "field", "column", "role"])
def test_a_name_that_is_none_is_refused(part: str, name: str):
    base = schema("small")
    project = base.entities[1]
    if part == "entity":
        project = msgspec.structs.replace(project, name=name)
    elif part in ("plural", "table"):
        project = msgspec.structs.replace(project, **{part: name or "/"})
    elif part in ("field", "column"):
        first = msgspec.structs.replace(project.fields[0], **{"name" if part == "field" else part: name})
        project = msgspec.structs.replace(project, fields=(first, *project.fields[1:]))
    entities = (base.entities[0], project, *base.entities[2:])
    roles = base.roles | {name: ()} if part == "role" else base.roles

    with pytest.raises(UnsafeName):
        generate(msgspec.structs.replace(base, entities=entities, roles=roles), "python")


def test_an_unknown_provider_is_refused_with_those_that_there_are():
    with pytest.raises(UnknownProvider, match="auth0, clerk"):
        generate(msgspec.structs.replace(schema("small"), auth=Auth(provider='x"; import os')), "python")


@pytest.mark.parametrize("lang", TARGETS)
def test_every_path_stays_inside_of_the_folder(lang: str):
    for path in generate(schema("everything"), lang):
        assert not path.startswith("/")
        assert ".." not in path.split("/")
