"""Fifty changes of a schema in a row, on tables with rows, migrated by the runner of each language."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from freehold.db.ddl import catalog
from freehold.db.ddl.spelling import literal, names, quote
from freehold.generator import TARGETS
from freehold.generator.command import run
from freehold.generator.target import Target
from freehold.schema.design import design
from freehold.schema.lock import Decisions
from freehold.schema.model import Entity, Kind, Schema
from freehold.schema.sources import read_source
from tests.conformance.running import do, environment, installed
from tests.ddl.worlds import sample
from tests.generator.test_drift import BUILD, PROGRAM
from tests.postgres import Database, Server

CHANGES = 50
STRIDE = {"python": 1, "typescript": 1, "go": 5}
"""Changes between two runs of the runner. Go's holds the migrations in itself, and is built for each."""

TENANT = literal("00000000-0000-0000-0000-000000000001", "uuid")
MOST_ROWS = 6
ACCESS = {"read": "viewer", "create": "member", "update": "member", "delete": "admin"}
LABELS = ("amount", "order", "title", "state", "user", "group", "notes", "level", "place", "value")
TABLES = ("project", "task", "select", "invoice", "visit", "parcel", "window")
NULLABLE = ("text", "json", "date", "datetime", "uuid", "decimal(12,2)", "time", "ip", "url", "bytes")
WITH_DEFAULT: dict[str, Any] = {"string(40)": "none", "int": 7, "bool": True, "enum(low, high)": "low"}


@dataclass
class Change:
    """What became of the names, as `table` or `table.column`; what is in neither kept its name."""

    what: str
    moved: dict[str, str] = field(default_factory=dict)
    renamed: str = ""
    before: str = ""
    """What has to be done to the rows first."""


class World:
    """A schema that keeps changing, as its author would change the file."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.numbers = itertools.count(1)
        organization = {"tenant": "self", "access": {"read": "viewer"}, "fields": {"name": "string(120)"}}
        self.entities: dict[str, dict[str, Any]] = {"organization": organization}
        for _ in range(3):
            self.new_entity()

    def text(self) -> str:
        whole = {
            "freehold": 1,
            "service": "walk",
            "tenancy": {"entity": "organization", "isolation": "rls"},
            "auth": {"provider": "auth0"},
            "roles": {"admin": ["member"], "member": ["viewer"], "viewer": []},
            "entities": self.entities,
        }
        return json.dumps(whole, indent=1)

    def change(self) -> Change:
        """Change one thing."""
        while True:
            made = self.chance.choice(CHANGES_BY_NAME)(self)
            if made is not None:
                return made

    # -- choices ---------------------------------------------------------------------------------------

    def an_entity(self) -> str:
        return self.chance.choice([name for name in self.entities if name != "organization"])

    def a_field(self, fits: Callable[[dict[str, Any]], bool] = lambda spec: True) -> tuple[str, str] | None:
        found = [
            (entity, name)
            for entity, whole in self.entities.items()
            if entity != "organization"
            for name, spec in whole["fields"].items()
            if fits(spec)
        ]
        return self.chance.choice(found) if found else None

    def spec(self, place: tuple[str, str]) -> dict[str, Any]:
        spec: dict[str, Any] = self.entities[place[0]]["fields"][place[1]]
        return spec

    def label(self, names: tuple[str, ...]) -> str:
        return f"{self.chance.choice(names)}_{next(self.numbers)}"

    def some_field(self) -> dict[str, Any]:
        if self.chance.random() < 0.5:
            return {"type": self.chance.choice(NULLABLE), "nullable": True}
        type_ = self.chance.choice(list(WITH_DEFAULT))
        return {"type": type_, "default": WITH_DEFAULT[type_]}

    # -- changes ---------------------------------------------------------------------------------------

    def new_entity(self) -> Change | None:
        if len(self.entities) > 6:
            return None
        name = self.label(TABLES)
        fields = {self.label(LABELS): self.some_field() for _ in range(self.chance.randint(1, 4))}
        tenant = self.chance.choice(("scoped", "scoped", "none"))
        self.entities[name] = {"tenant": tenant, "access": ACCESS, "fields": fields}
        return Change(f"{name} is new")

    def drop_entity(self) -> Change | None:
        name = self.an_entity()
        if len(self.entities) < 4 or any(
            f"ref({name})" == spec["type"] for each in self.entities.values() for spec in _specs(each)
        ):
            return None
        del self.entities[name]
        return Change(f"{name} is gone")

    def rename_entity(self) -> Change:
        old, new = self.an_entity(), self.label(TABLES)
        self.entities = {new if name == old else name: whole for name, whole in self.entities.items()}
        for whole in self.entities.values():
            for spec in _specs(whole):
                if spec["type"] == f"ref({old})":
                    spec["type"] = f"ref({new})"
        return Change(f"{old} becomes {new}", {old: new}, f"{old}={new}")

    def new_field(self) -> Change:
        entity, name = self.an_entity(), self.label(LABELS)
        self.entities[entity]["fields"][name] = self.some_field()
        return Change(f"{entity}.{name} is new")

    def new_ref(self) -> Change | None:
        entity, target, name = self.an_entity(), self.an_entity(), self.label(LABELS)
        if self.entities[entity]["tenant"] == "none" and self.entities[target]["tenant"] == "scoped":
            return None
        on_delete = self.chance.choice(("set_null", "cascade", "restrict"))
        spec = {"type": f"ref({target})", "nullable": True, "on_delete": on_delete}
        self.entities[entity]["fields"][name] = spec
        return Change(f"{entity}.{name} refers to {target}")

    def drop_field(self) -> Change | None:
        entity, name = self.a_field() or ("", "")
        if len(self.entities[entity]["fields"]) < 2:
            return None
        del self.entities[entity]["fields"][name]
        return Change(f"{entity}.{name} is gone")

    def rename_field(self) -> Change | None:
        place = self.a_field()
        if place is None:
            return None
        entity, old = place
        new, fields = self.label(LABELS), self.entities[entity]["fields"]
        suffix = "_id" if fields[old]["type"].startswith("ref(") else ""
        self.entities[entity]["fields"] = {
            new if name == old else name: spec for name, spec in fields.items()
        }
        moved = {f"{entity}.{old}{suffix}": f"{entity}.{new}{suffix}"}
        return Change(f"{entity}.{old} becomes {new}", moved, f"{entity}.{old}={new}")

    def change_type(self) -> Change | None:
        wider = {"string(40)": "string(20)", "string(20)": "text", "int": "bigint"}
        place = self.a_field(
            lambda spec: spec["type"] in wider and not spec.get("search") and not spec.get("sort")
        )
        if place is None:
            return None
        spec = self.spec(place)
        old, spec["type"] = spec["type"], wider[spec["type"]]
        return Change(f"{place} from {old} to {spec['type']}")

    def new_member(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"].startswith("enum("))
        if place is None:
            return None
        spec = self.spec(place)
        spec["type"] = spec["type"].replace(")", f", {self.label(LABELS)})")
        return Change(f"{place} has a member more")

    def drop_member(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"].count(",") > 1 and spec["type"].startswith("enum("))
        if place is None:
            return None
        spec = self.spec(place)
        kept, gone = spec["type"].removesuffix(")").rsplit(", ", 1)
        spec["type"] = f"{kept})"
        table, column = map(quote, place)
        return Change(
            f"{place} has a member less",
            before=f"update {table} set {column} = 'low' where {column} = '{gone}'",
        )

    def require(self) -> Change | None:
        place = self.a_field(
            lambda spec: (
                bool(spec.get("nullable")) and spec["type"] in ("text", "date") and "unique" not in spec
            )
        )
        if place is None:
            return None
        spec = self.spec(place)
        del spec["nullable"]
        table, column = map(quote, place)
        value = "date '2026-01-01'" if spec["type"] == "date" else "'none'"
        # What comes in between would have to have a value, and so it has.
        return Change(
            f"{place} is required",
            before=f"update {table} set {column} = {value} where {column} is null",
        )

    def allow_null(self) -> Change | None:
        place = self.a_field(lambda spec: not spec.get("nullable"))
        if place is None:
            return None
        self.spec(place)["nullable"] = True
        return Change(f"{place} may be null")

    def toggle_index(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"] in ("int", "bigint", "date", "datetime", "string(20)"))
        if place is None:
            return None
        spec = self.spec(place)
        spec["sort"] = not spec.get("sort")
        return Change(f"{place} sort={spec['sort']}")

    def toggle_unique(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"] in ("uuid", "url", "ip"))
        if place is None:
            return None
        spec = self.spec(place)
        if spec.pop("unique", None) is None:
            spec["unique"] = True
        return Change(f"{place} unique={spec.get('unique')}")

    def toggle_search(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"] in ("text", "string(40)"))
        if place is None:
            return None
        spec = self.spec(place)
        spec["search"] = not spec.get("search")
        return Change(f"{place} search={spec['search']}")

    def change_limits(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"] in ("int", "bigint"))
        if place is None:
            return None
        self.spec(place).update(min=-self.chance.randint(1, 9), max=self.chance.randint(100, 999))
        return Change(f"{place} has other limits")

    def change_default(self) -> Change | None:
        place = self.a_field(lambda spec: spec["type"] in ("int", "bigint") and "default" in spec)
        if place is None:
            return None
        self.spec(place)["default"] = self.chance.randint(0, 50)
        return Change(f"{place} has another default")

    def describe(self) -> Change | None:
        place = self.a_field()
        if place is None:
            return None
        self.spec(place)["description"] = f'it\'s "said" {next(self.numbers)} times; -- $$'
        return Change(f"{place} is described")

    def toggle_layout(self) -> Change:
        entity = self.an_entity()
        word = self.chance.choice(("soft_delete", "audit"))
        self.entities[entity][word] = not self.entities[entity].get(word)
        return Change(f"{entity} {word}={self.entities[entity][word]}")


def _specs(entity: dict[str, Any]) -> list[dict[str, Any]]:
    return [spec for spec in entity["fields"].values() if isinstance(spec, dict)]


CHANGES_BY_NAME: tuple[Callable[[World], Change | None], ...] = (
    World.new_entity, World.drop_entity, World.rename_entity, World.new_field, World.new_field,
    World.new_ref, World.drop_field, World.rename_field, World.change_type, World.new_member,
    World.drop_member, World.require, World.allow_null, World.toggle_index, World.toggle_unique,
    World.toggle_search, World.change_limits, World.change_default, World.describe, World.toggle_layout,
)  # fmt: skip

Cells = dict[str, dict[str, str | None]]
"""By `table.column`, what each row holds in it, by the row's id."""


class Walk:
    """A service and its database."""

    def __init__(self, target: Target, folder: Path, database: Database) -> None:
        self.target, self.database = target, database
        self.file, self.service = folder / "freehold.yaml", folder / "service"

    def schema(self) -> Schema:
        return read_source(self.file)[0]

    def generate(self, world: World, renamed: str = "") -> set[str]:
        """Bring the service up to date; gives what it said would be lost."""
        self.file.write_text(world.text(), encoding="utf-8")
        decisions = Decisions.told([renamed] if renamed else [], [])
        told = run(self.target.name, self.service, self.file, check=True, decisions=decisions)
        report = run(self.target.name, self.service, self.file, approve=told.unapproved, decisions=decisions)
        assert report.exit_code == 0
        return {text for texts in report.losses.values() for text in texts}

    def migrate(self) -> None:
        cache = installed(self.target, self.service)
        told = environment(
            self.target, MIGRATE_DATABASE_URL=self.database.admin_url, MIGRATE_ROLE="app_owner"
        )
        for command in BUILD[self.target.name]:
            do(command, self.service, cache, **environment(self.target))
        do((*PROGRAM[self.target.name], "up"), self.service, cache, **told)

    async def fill(self, connection: asyncpg.Connection[Any]) -> None:
        """A row more for each table, up to a few."""
        schema = self.schema()
        tables = {table.key: table for table in design(schema)}
        await connection.execute(
            f"insert into organization (id, name) values ({TENANT}, 'Acme') on conflict do nothing"
        )
        for entity in schema.entities:
            if entity.tenant != "self":
                count = await connection.fetchval(f"select count(*) from {quote(entity.table)}")
                if count < MOST_ROWS:
                    await connection.execute(_insert(schema, entity, tables[entity.id], count))

    async def cells(self, connection: asyncpg.Connection[Any]) -> Cells:
        found: Cells = {}
        for table in design(self.schema()):
            columns = [column.name for column in table.columns if not column.searched]
            row = ", ".join(f"{quote(column)}::text" for column in columns)
            for values in await connection.fetch(f"select {row} from {quote(table.name)}"):
                for column, value in zip(columns, values, strict=True):
                    found.setdefault(f"{table.name}.{column}", {})[values[0]] = value
        return found


def _insert(schema: Schema, entity: Entity, table: Any, number: int) -> str:
    targets = {each.name: each.table for each in schema.entities}
    values = {entity.layout.id: literal(f"00000000-0000-0000-0000-{number:012}", "uuid")}
    if entity.layout.tenant is not None:
        values[entity.layout.tenant] = TENANT
    for each in entity.columns:
        column = next(found for found in table.columns if found.key == each.id)
        if each.type.kind is Kind.REF:
            values[column.name] = f"(select id from {quote(targets[each.type.target or ''])} limit 1)"
        elif each.nullable and number % 2:
            values[column.name] = "null"
        else:
            values[column.name] = literal(sample(each, number), column.type)
    into = f"{quote(table.name)} ({names(values)})"
    return f"insert into {into} values ({', '.join(values.values())})"


def _moved(places: Iterable[str], change: Change) -> dict[str, str]:
    """What the change calls each place."""
    found = {}
    for place in places:
        table, column = place.split(".")
        found[place] = change.moved.get(place, f"{change.moved.get(table, table)}.{column}")
    return found


def _places(schema: Schema) -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in design(schema)
        for column in table.columns
        if not column.searched
    }


def _lost(before: Iterable[str], after: set[str]) -> set[str]:
    """In the words of the plan, what was there and is not any more."""
    tables = {place.split(".")[0] for place in after}
    return {
        f"all values of {place}" if place.split(".")[0] in tables else f"all rows of {place.split('.')[0]}"
        for place in before
        if place not in after
    }


@pytest.mark.parametrize("lang", TARGETS)
def test_fifty_changes_lose_nothing_but_what_was_said(lang: str, tmp_path: Path, postgres: Server):
    database, fresh = postgres.create_database(), postgres.create_database()
    try:
        asyncio.run(_walk(TARGETS[lang], tmp_path, database, fresh))
    finally:
        postgres.drop_database(database)
        postgres.drop_database(fresh)


async def _walk(target: Target, folder: Path, database: Database, fresh: Database) -> None:
    world, walk = World(sorted(TARGETS).index(target.name)), Walk(target, folder, database)
    walk.generate(world)
    connection = await asyncpg.connect(database.admin_url)
    await connection.execute((walk.service / "db/roles.sql").read_text(encoding="utf-8"))
    walk.migrate()
    await walk.fill(connection)
    expected, path = await walk.cells(connection), list[str]()

    async def arrive() -> Cells:
        walk.migrate()
        found = await walk.cells(connection)
        assert {place: found[place] for place in expected} == expected, path
        await walk.fill(connection)
        return await walk.cells(connection)

    for number in range(1, CHANGES + 1):
        change = world.change()
        path.append(change.what)
        if change.before:
            await arrive()
            await connection.execute(change.before)
            expected = await walk.cells(connection)
        before = _places(walk.schema())
        said = walk.generate(world, change.renamed)
        after = _places(walk.schema())
        assert _lost(_moved(before, change).values(), after) == said, path
        expected = {
            moved: expected[place] for place, moved in _moved(expected, change).items() if moved in after
        }
        if number % STRIDE[target.name] == 0:
            expected = await arrive()
    other = Walk(target, folder / "other", fresh)
    other.file.parent.mkdir()
    other.generate(world)
    beside = await asyncpg.connect(fresh.admin_url)
    await beside.execute((other.service / "db/roles.sql").read_text(encoding="utf-8"))
    other.migrate()
    assert (
        catalog.differences(await catalog.read(beside, "public"), await catalog.read(connection, "public"))
        == []
    )
    await connection.close()
    await beside.close()
