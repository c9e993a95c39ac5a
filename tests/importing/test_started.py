"""Schemas of others, imported by the command: the service that is made of them starts, and answers."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import asyncpg
import jwt
import pytest

from freehold.generator import TARGETS
from freehold.generator.command import run as generate
from tests.conformance.running import SECRET, running
from tests.importing.test_postgres import freehold
from tests.postgres import Database, Server

WAREHOUSE = """
create table region (
    country char(2) not null,
    code text not null,
    name text not null,
    primary key (country, code)
);
create table site (
    id bigint generated always as identity primary key,
    country char(2) not null,
    region_code text not null,
    name text not null,
    opened_on date not null,
    closed_on date,
    constraint site_region_fkey foreign key (country, region_code) references region (country, code),
    constraint site_dates_check check (closed_on is null or closed_on > opened_on)
);
"""
PRISMA = """
datasource db {
  provider = "postgresql"
}

model Author {
  id    Int    @id @default(autoincrement())
  name  String
  books Book[]
}

model Book {
  id       Int     @id @default(autoincrement())
  title    String
  author   Author? @relation(fields: [authorId], references: [id])
  authorId Int?
}
"""
APPWRITE = {
    "projectId": "p",
    "tablesDB": [{"$id": "main", "name": "Main"}],
    "tables": [
        {
            "$id": "notes",
            "databaseId": "main",
            "name": "Notes",
            "columns": [{"key": "title", "type": "string", "size": 80, "required": True}],
        }
    ],
}
APSO = {
    "version": 2,
    "entities": [
        {"name": "Invoice", "fields": [{"name": "number", "type": "text"}], "created_at": True},
        {"name": "Line", "fields": [{"name": "amount", "type": "integer"}]},
    ],
    "relationships": [
        {"from": "Line", "to": "Invoice", "type": "ManyToOne"},
        {"from": "Invoice", "to": "Line", "type": "OneToMany"},
    ],
}


def written(folder: Path, name: str, content: object) -> str:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def imported(folder: Path, source: str) -> list[dict[str, str]]:
    told = freehold(folder, "import", "--from", source, "--service", "shop", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    notes: list[dict[str, str]] = json.loads(told.stdout)["notes"]
    return notes


def answered(folder: Path, postgres: Server, path: str, body: dict[str, object]) -> dict[str, Any]:
    """What the started service says to the body, and then lists."""
    service = folder / "service"
    assert generate("python", service, folder / "freehold.yaml").exit_code == 0
    now = int(time.time())
    claims = {
        "iss": "dev",
        "iat": now,
        "exp": now + 3600,
        "roles": ["service"],
        "kind": "service",
        "sub": "a",
    }
    headers = {
        "Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}",
        "Content-Type": "application/json",
    }
    with running(TARGETS["python"], service, postgres) as started:
        url = f"{started.url}/v1/{path}"
        with urlopen(Request(url, json.dumps(body).encode(), headers, method="POST"), timeout=30) as answer:
            made: dict[str, Any] = json.load(answer)
        with urlopen(Request(url, headers=headers), timeout=30) as answer:
            assert json.load(answer)["data"] == [made]
    return made


def test_a_database_whose_keys_and_checks_are_over_several_columns(
    tmp_path: Path, postgres: Server, database: Database
):
    async def prepare() -> None:
        connection = await asyncpg.connect(database.admin_url)
        await connection.execute(WAREHOUSE)
        await connection.close()

    asyncio.run(prepare())
    notes = imported(tmp_path, database.admin_url)
    told = [f"{note['kind']} {note['where']}: {note['what']}" for note in notes]
    row = {"country": "NL", "region_code": "NH", "name": "Dock 1", "opened_on": "2026-01-31"}
    made = answered(tmp_path, postgres, "sites", row)

    asked = [line for line in told if line.startswith("decide site: ")]
    assert asked[0].startswith(
        "decide site: the key `site_region_fkey`, over country, region_code, to `region`"
    )
    assert asked[1].startswith("decide site: the check `site_dates_check`, ((closed_on IS NULL) OR ")
    assert made.items() >= row.items()


@pytest.mark.parametrize(
    ("name", "content", "path", "body"),
    [
        ("schema.prisma", PRISMA, "books", {"title": "Earthsea"}),
        ("appwrite.config.json", APPWRITE, "notes", {"title": "Earthsea"}),
        (".apsorc", APSO, "invoices", {"number": "2026-1"}),
    ],
)
def test_a_schema_of_another_tool(
    name: str, content: object, path: str, body: dict[str, object], tmp_path: Path, postgres: Server
):
    imported(tmp_path, written(tmp_path, name, content))
    made = answered(tmp_path, postgres, path, body)

    assert made.items() >= body.items()
