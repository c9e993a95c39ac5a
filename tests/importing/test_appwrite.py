"""Importing an Appwrite project: from its config, old or new, and over the API, which a Freehold answers."""

# Tables of examples are easier to read with one example a line.
# ruff: noqa: E501

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from freehold.importing import appwrite
from freehold.importing.appwrite import ProjectUnreadable
from freehold.schema import parse_schema, read_schema
from freehold.schema.model import Entity, Grant
from freehold.schema.sketch import Imported
from tests.platform import Project, platform, project

__all__ = ["platform", "project"]

BOOKS: dict[str, Any] = {
    "$id": "books",
    "databaseId": "library",
    "name": "Our books",
    "rowSecurity": True,
    "$permissions": ['read("any")', 'create("users")', 'write("team:crew/owner")', 'update("user:abc")', 'delete("label:boss")'],
    "columns": [
        {"key": "title", "type": "string", "size": 200, "required": True},
        {"key": "pages", "type": "integer", "required": False, "min": 1, "max": 9999, "default": 10},
        {"key": "count", "type": "integer", "required": True, "min": -9223372036854775808, "max": 9223372036854775807},
        {"key": "rating", "type": "double", "required": False, "min": 0, "max": 5, "default": 3},
        {"key": "state", "type": "string", "format": "enum", "elements": ["new", "1st"], "required": False, "default": "new"},
        {"key": "mail", "type": "string", "format": "email", "size": 320, "required": False},
        {"key": "tags", "type": "varchar", "size": 20, "array": True, "required": False},
        {"key": "secret", "type": "string", "size": 100, "required": False, "encrypt": True},
        {"key": "bornAt", "type": "datetime", "required": False},
        {"key": "spot", "type": "point", "required": False},
        {"key": "odd", "type": "strange", "required": False},
        {
            "key": "author", "type": "relationship", "relatedTable": "people", "relationType": "manyToOne", "twoWay": True,
            "twoWayKey": "books", "onDelete": "cascade", "side": "parent",
        },
        {"key": "genres", "type": "relationship", "relatedTable": "genres", "relationType": "manyToMany", "twoWay": False, "onDelete": "setNull"},
        {"key": "chapters", "type": "relationship", "relatedTable": "chapters", "relationType": "oneToMany", "twoWay": True, "twoWayKey": "book", "onDelete": "restrict"},
        {"key": "cover", "type": "relationship", "relatedTable": "gone", "relationType": "oneToOne"},
    ],
    "indexes": [
        {"key": "a", "type": "unique", "columns": ["title"]},
        {"key": "b", "type": "key", "columns": ["state", "$createdAt"], "orders": ["ASC", "DESC"]},
        {"key": "c", "type": "key", "columns": ["pages"]},
        {"key": "d", "type": "fulltext", "columns": ["title"]},
        {"key": "e", "type": "key", "columns": ["nothing"]},
    ],
}  # fmt: skip
PEOPLE = {
    "$id": "people", "databaseId": "library", "name": "People", "rowSecurity": False, "$permissions": [],
    "columns": [
        {"key": "name", "type": "text", "required": True},
        {"key": "books", "type": "relationship", "relatedTable": "books", "relationType": "manyToOne", "twoWay": True, "twoWayKey": "author", "side": "child"},
    ],
}  # fmt: skip
GENRES = {
    "$id": "65a1b2c3d4e5f6a7b8c9",
    "databaseId": "library",
    "name": "Genres",
    "columns": [{"key": "name", "type": "text"}],
}
CHAPTERS = {
    "$id": "chapters",
    "databaseId": "library",
    "name": "Chapters",
    "columns": [{"key": "name", "type": "text"}],
}
CONFIG: dict[str, Any] = {
    "projectId": "p1",
    "projectName": "City library",
    "tablesDB": [{"$id": "library", "name": "Library"}],
    "tables": [BOOKS, PEOPLE, {**GENRES, "$id": "genres"}, CHAPTERS],
    "buckets": [
        {
            "$id": "covers",
            "name": "Covers",
            "maximumFileSize": 5000000,
            "allowedFileExtensions": ["png"],
            "fileSecurity": True,
            "compression": "gzip",
            "$permissions": ['read("any")'],
        }
    ],
    "functions": [
        {
            "$id": "on-signup",
            "name": "On signup",
            "runtime": "node-22",
            "path": "functions/x",
            "events": ["users.*.create"],
            "timeout": 15,
            "schedule": "",
            "vars": {},
        }
    ],
    "topics": [{"$id": "news", "name": "News", "subscribe": ["users"]}],
    "teams": [{"$id": "crew", "name": "Crew"}],
}


def imported(config: dict[str, Any], **said: Any) -> Imported:
    return appwrite.sketch_of(appwrite.parse(json.dumps(config).encode(), file="x.json"), **said).finished()


def entity(found: Imported, name: str) -> Entity:
    entity = parse_schema(found.text).entity(name)
    assert entity is not None
    return entity


def freehold(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "freehold", "import", *words],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("FREEHOLD")} | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_tables_become_entities_with_their_columns() -> None:
    schema = parse_schema(imported(CONFIG).text)
    book = schema.entity("book")
    assert book is not None

    assert (schema.service, book.table, book.id_kind, book.description) == (
        "city-library",
        "books",
        "text",
        "Our books",
    )
    assert [f"{field.name}: {field.type}" + "?" * field.nullable for field in book.fields] == [
        "title: string(200)", "pages: int?", "count_value: bigint", "rating: float?", "state: enum(new, 1st)?", "mail: email?",
        "tags: string(20)[]?", "secret: string(100)?", "born_at: datetime?", "spot: point?", "odd: text?", "author: ref(person)?",
        "genres: many(genre)",
    ]  # fmt: skip
    found = {field.name: field for field in book.fields}
    assert (found["pages"].min, found["pages"].max, found["pages"].default) == (1, 9999, 10)
    assert (found["count_value"].min, found["count_value"].column) == (None, "count")
    assert (found["rating"].default, found["state"].default) == (3.0, "new")


def test_relations_have_their_key_where_the_many_are() -> None:
    found = imported(CONFIG)
    author = entity(found, "book").field("author")
    book = entity(found, "chapter").field("book")
    assert author is not None
    assert book is not None

    assert (author.on_delete, author.inverse) == ("cascade", "books")
    assert (book.on_delete, book.inverse, book.nullable) == ("restrict", "chapters", True)
    assert [field.name for field in entity(found, "person").fields] == ["name"]


def test_indexes_are_read() -> None:
    book = entity(imported(CONFIG), "book")
    title = book.field("title")
    pages = book.field("pages")
    assert title is not None
    assert pages is not None

    assert (title.unique, title.search, pages.index) == ("tenant", True, True)
    assert [(part.field, part.descending) for part in book.indexes[0].parts] == [
        ("state", False),
        ("created_at", True),
    ]


def test_permissions_become_access_and_what_is_data_is_told() -> None:
    found = imported(CONFIG)
    access = entity(found, "book").access

    assert access.read == (Grant(role="public"),)
    assert access.create == (Grant(role="authenticated"), Grant(role="crew-owner"))
    assert access.update == (Grant(role="crew-owner"),)
    assert access.delete == (Grant(role="crew-owner"), Grant(role="boss"))
    assert entity(found, "person").access.read == (Grant(role="service"),)
    told = [str(note) for note in found.notes]
    for part in (
        'the permission update("user:abc"): it is for one user',
        "book: its rows have permissions of their own",
        "person: has no permissions, so that it is for `service` alone",
        "roles: team:crew/owner is the role `crew-owner`",
        "book.secret: that it is encrypted",
        "book.odd: there is no type `strange`",
        "book.cover: the relation: its other table is not there",
        "book: the index `e`, over nothing",
        "teams: 1 of them",
    ):
        assert any(part in each for each in told), (part, told)


def test_what_is_beside_tables_is_kept() -> None:
    platform_part = parse_schema(imported(CONFIG).text).platform

    assert platform_part["buckets"]["covers"] == {
        "name": "Covers", "max_size": 5000000, "extensions": ["png"], "file_security": True, "compression": "gzip",
        "permissions": ['read("any")'],
    }  # fmt: skip
    assert platform_part["functions"]["on-signup"]["events"] == ["users.*.create"]
    assert platform_part["topics"] == {"news": {"name": "News", "subscribe": ["users"]}}


def test_an_old_config_says_collections_and_attributes() -> None:
    old = {
        "projectId": "p1",
        "collections": [
            {
                "$id": "65a1b2c3d4e5f6a7b8c9", "databaseId": "d", "name": "Blog posts", "documentSecurity": True, "$permissions": ['read("any")'],
                "attributes": [
                    {"key": "title", "type": "string", "size": 50, "required": True},
                    {"key": "parent", "type": "relationship", "relatedCollection": "65a1b2c3d4e5f6a7b8c9", "relationType": "oneToOne"},
                ],
                "indexes": [{"key": "a", "type": "key", "attributes": ["title"], "orders": ["ASC"]}],
            }
        ],
    }  # fmt: skip
    found = imported(old)
    post = entity(found, "blog_post")

    assert post.table == "blog_post"
    assert any("`table`: '65a1b2c3d4e5f6a7b8c9' has characters" in str(note) for note in found.notes)
    assert (post.fields[0].index, post.fields[1].unique, str(post.fields[1].type)) == (
        True,
        "tenant",
        "ref(blog_post)",
    )


def test_one_of_several_databases_can_be_named() -> None:
    config = {
        **CONFIG,
        "tables": [
            *CONFIG["tables"],
            {"$id": "x", "databaseId": "other", "columns": [{"key": "a", "type": "text"}]},
        ],
    }

    assert [each.name for each in parse_schema(imported(config, database="other").text).entities] == ["x"]
    assert len(parse_schema(imported(config).text).entities) == 5
    with pytest.raises(ProjectUnreadable, match="there are: library, other"):
        imported(config, database="nothing")


def test_hostile_names_are_data() -> None:
    table = {
        "$id": "a", "databaseId": "d", "name": '"; import os # ${x}', "$permissions": ['read("any")'],
        "columns": [{"key": "x'y\": z", "type": "string", "size": 9, "default": "*/ ${x} `", "required": False}],
    }  # fmt: skip
    found = entity(imported({"tables": [table]}), "a")

    assert found.description == '"; import os # ${x}'
    assert (found.fields[0].name, found.fields[0].default) == ("x_y_z", "*/ ${x} `")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no config of a project"),
        ('{"tables": [{"name": "x"}]}', "Object missing required field `$id`"),
        ('{"tables": [{"$id": "x", "columns": [{"key": 5}]}]}', "$.tables[0].columns[0].key"),
        ('{"tables": []}', "has no tables"),
    ],
)
def test_what_is_no_config_is_refused_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "appwrite.config.json").write_text(text)
    refused = freehold(tmp_path, "--from", ".")

    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_config_is_imported_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "appwrite.config.json").write_text(json.dumps(CONFIG))
    done = freehold(tmp_path, "--from", ".", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["entities"] == len(read_schema(tmp_path).entities) == 4


# Over the API


def test_a_running_project_is_imported_over_its_api(tmp_path: Path, project: Project) -> None:
    server = project.server
    for path, body in (
        ("/tablesdb", {"databaseId": "library", "name": "Library"}),
        ("/tablesdb/library/tables", {"tableId": "people", "name": "People", "permissions": ['read("any")'], "columns": [{"key": "name", "type": "varchar", "size": 50, "required": True}]}),
        ("/tablesdb/library/tables", {"tableId": "books", "name": "Books", "columns": [{"key": "title", "type": "varchar", "size": 90, "required": True}, {"key": "year", "type": "integer", "required": False, "min": 0, "max": 3000}], "indexes": [{"key": "y", "type": "key", "attributes": ["year"]}]}),
        ("/tablesdb/library/tables/books/columns/relationship", {"relatedTableId": "people", "type": "manyToOne", "twoWay": True, "key": "author", "twoWayKey": "books", "onDelete": "setNull"}),
    ):  # fmt: skip
        made = server.post(path, json=body)
        assert made.status_code in (201, 202), made.text
    endpoint = f"{project.platform.endpoint}"
    done = freehold(
        tmp_path,
        "--from",
        endpoint,
        "--service",
        "library",
        FREEHOLD_PROJECT=project.id,
        FREEHOLD_KEY=project.key,
    )
    wrong = freehold(
        tmp_path, "--from", endpoint, "--out", "b.yaml", "--project", project.id, "--key", "standard_wrong"
    )
    bare = freehold(tmp_path, "--from", endpoint, "--out", "b.yaml")

    assert done.returncode == 0, done.stderr
    person, book = sorted(read_schema(tmp_path).entities, key=lambda each: each.name, reverse=True)
    assert [f"{field.name}: {field.type}" for field in book.fields] == [
        "title: string(90)",
        "year: int",
        "author: ref(person)",
    ]
    assert (book.fields[1].index, book.fields[2].inverse, book.fields[2].on_delete) == (
        True,
        "books",
        "set_null",
    )
    assert person.access.read == (Grant(role="public"),)
    assert wrong.returncode == bare.returncode == 2
    assert "answered 401" in wrong.stderr
    assert "--project and --key" in bare.stderr
    assert project.key not in done.stdout + (tmp_path / "freehold.yaml").read_text()
    assert not (tmp_path / "b.yaml").exists()


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("http://127.0.0.1:1/v1", "did not answer as an Appwrite does"),
        ("http://127.0.0.1:1", "has to end in /v1"),
    ],
)
def test_an_endpoint_that_is_none_is_refused_in_a_line(tmp_path: Path, endpoint: str, message: str) -> None:
    refused = freehold(tmp_path, "--from", endpoint, "--project", "p", "--key", "k")

    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
