"""Importing a Prisma schema, as Prisma's own parser reads it."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from freehold.importing import command, prisma
from freehold.importing.command import Request
from freehold.importing.prisma import PrismaUnreadable, without_connections
from freehold.schema import parse_schema
from freehold.schema.model import Entity
from freehold.schema.sketch import Imported

HEAD = 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n\ngenerator client {\n  provider = "prisma-client-js"\n  previewFeatures = ["gone"]\n}\n\n'
BLOG = (
    HEAD
    + """
/// Somebody who writes.
model User {
  id        Int      @id @default(autoincrement())
  email     String   @unique @db.VarChar(200)
  firstName String?  @map("first_name")
  role      Role     @default(WRITER)
  posts     Post[]   @relation("written")
  reviews   Post[]   @relation("reviewed")
  profile   Profile?
  manager   User?    @relation("team", fields: [managerId], references: [id])
  managerId Int?
  reports   User[]   @relation("team")
  created   DateTime @default(now()) @map("created_at")
  updatedAt DateTime @updatedAt
  @@map("app_users")
}

model Profile {
  id     String @id @default(uuid()) @db.Uuid
  bio    String
  user   User   @relation(fields: [userId], references: [id], onDelete: Cascade)
  userId Int    @unique
}

model Post {
  id         String    @id @default(cuid())
  slug       String
  title      String    @db.VarChar(100)
  price      Decimal   @default(0.5) @db.Decimal(12, 2)
  total      Decimal?
  views      BigInt    @default(0)
  settings   Json      @default("{\\"a\\": 1}")
  keywords   String[]  @default(["new"])
  code       String    @default(dbgenerated("random()"))
  author     User      @relation("written", fields: [authorId], references: [id])
  authorId   Int
  reviewer   User?     @relation("reviewed", fields: [reviewerId], references: [id])
  reviewerId Int?
  tags       Tag[]
  deletedAt  DateTime?
  when       DateTime  @db.Date
  @@unique([slug, title])
  @@index([title, views(sort: Desc)])
  @@index([slug])
}

model Tag {
  id    Int    @id @default(autoincrement())
  name  String @unique
  posts Post[]
}

model Membership {
  userId Int
  group  String
  @@id([userId, group])
}

enum Role {
  WRITER
  CHIEF  @map("chief-editor")
}
"""
)


def imported(folder: Path, text: str) -> Imported:
    (folder / "schema.prisma").write_text(text, encoding="utf-8")
    return command.read(Request(str(folder), folder / "freehold.yaml", service="blog"))


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return imported(tmp_path_factory.mktemp("blog"), BLOG)


def entity(found: Imported, name: str) -> Entity:
    entity = parse_schema(found.text).entity(name)
    assert entity is not None
    return entity


def test_models_become_entities_that_keep_their_tables_and_columns(blog: Imported) -> None:
    user = entity(blog, "user")

    assert (user.table, user.id_kind, user.description) == ("app_users", "serial", "Somebody who writes.")
    assert [f"{field.name}: {field.type}" + "?" * field.nullable for field in user.fields] == [
        "email: string(200)", "first_name: text?", "role: enum(WRITER, chief-editor)", "manager: ref(user)?",
    ]  # fmt: skip
    assert user.fields[3].column == "managerId"
    assert (user.layout.created_at, user.layout.updated_at) == ("created_at", "updated_at")
    assert [entity(blog, name).table for name in ("profile", "post")] == ["Profile", "Post"]


def test_types_defaults_and_keys_are_read(blog: Imported) -> None:
    post = entity(blog, "post")
    found = {field.name: field for field in post.fields}

    assert {name: str(field.type) for name, field in found.items()} == {
        "slug": "string(255)", "title": "string(100)", "price": "decimal(12,2)", "total": "decimal(65,30)", "views": "bigint",
        "settings": "json", "keywords": "text[]", "code": "text", "author": "ref(user)", "reviewer": "ref(user)",
        "tags": "many(tag)", "when": "date",
    }  # fmt: skip
    assert [found[name].default for name in ("price", "views", "settings", "keywords")] == [
        "0.5",
        0,
        {"a": 1},
        ["new"],
    ]
    assert (post.id_kind, post.soft_delete) == ("text", True)
    assert [[part.field for part in index.parts] for index in post.indexes] == [
        ["title", "views"],
        ["slug", "title"],
    ]
    assert [index.unique for index in post.indexes] == [False, True]
    assert post.indexes[0].parts[1].descending
    assert found["slug"].index


def test_relations_are_read_once_with_both_their_names(blog: Imported) -> None:
    post, profile, user = entity(blog, "post"), entity(blog, "profile"), entity(blog, "user")
    found = {field.name: field for field in post.fields}

    assert (found["author"].inverse, found["author"].on_delete) == ("posts", "restrict")
    assert (found["reviewer"].inverse, found["reviewer"].on_delete) == ("reviews", "set_null")
    assert found["tags"].inverse == "posts"
    assert [field.name for field in entity(blog, "tag").fields] == ["name"]
    assert (profile.fields[1].unique, profile.fields[1].on_delete, profile.fields[1].inverse) == (
        "tenant",
        "cascade",
        "profile",
    )
    assert user.fields[3].inverse == "reports"


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("post.total", "how many digits"),
        ("post.code", "worked out"),
        ("membership", "has an id of its own; what was its key is unique: userId, group"),
        ("post.slug", "looked up by an index"),
    ],
)
def test_what_is_otherwise_is_told(blog: Imported, where: str, what: str) -> None:
    assert any(note.where == where and what in note.what for note in blog.notes), [
        str(note) for note in blog.notes
    ]


def test_a_schema_of_several_files_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "more.prisma").write_text("model Other {\n  id Int @id\n  name String\n}\n")
    found = imported(tmp_path, HEAD + "model One {\n  id Int @id\n  name String\n}\n")

    assert {each.name for each in parse_schema(found.text).entities} == {"one", "other"}


def test_a_mistake_is_told_in_the_words_of_prisma(tmp_path: Path) -> None:
    with pytest.raises(PrismaUnreadable) as raised:
        imported(tmp_path, HEAD + "model One {\n  id Int @id\n  a Nothing\n}\n")

    assert 'Type "Nothing" is neither a built-in type' in str(raised.value)
    assert "schema.prisma:13" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_connections_go_nowhere_and_lines_stay_where_they_are() -> None:
    text = 'datasource db {\n  provider = "postgresql"\n  url = "postgresql://a:secret@b/c"\n}\nmodel A {\n  url String @id\n}\n'
    bare = without_connections(text)

    assert "secret" not in bare
    assert bare.splitlines()[5] == "  url String @id"
    assert 'provider = "postgresql"' in bare


@pytest.mark.parametrize(("path", "message"), [("", "needs Node"), ("node", "fetched with npm")])
def test_what_the_parser_needs_is_said_plainly(tmp_path: Path, path: str, message: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    if path:
        node = subprocess.run(["which", "node"], capture_output=True, text=True, check=True).stdout.strip()
        (tools / "node").symlink_to(node)
    (tmp_path / "schema.prisma").write_text(BLOG)
    refused = subprocess.run(
        [sys.executable, "-m", "freehold", "import", "--from", "schema.prisma"],
        cwd=tmp_path,
        env={"PATH": str(tools), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "freehold.yaml").exists()


def test_the_parser_is_fetched_by_a_lock_that_names_no_registry_and_runs_no_script() -> None:
    lock = json.loads((prisma.PARSER / "package-lock.json").read_text())
    (package,) = [each for name, each in lock["packages"].items() if name]

    assert package["integrity"].startswith("sha512-")
    assert "resolved" not in package
    assert "hasInstallScript" not in package


def test_the_parser_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    imported(tmp_path, BLOG)
    fetched = tmp_path / "cache/freehold/prisma-parser/node_modules/@prisma/prisma-schema-wasm/package.json"
    before = fetched.stat().st_mtime_ns
    imported(tmp_path, BLOG)

    assert fetched.stat().st_mtime_ns == before
