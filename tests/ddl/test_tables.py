"""What tables made by the planner keep, refuse and remember, on a real PostgreSQL."""

# Schemas are easier to read with one a line.
# ruff: noqa: E501

from __future__ import annotations

import itertools
import json
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from freehold.db import ddl
from freehold.db.ddl import catalog
from freehold.schema import compare, lock_of, parse_schema
from freehold.schema.model import API_LAYOUT, Entity, Field, Index, IndexPart, Kind, Schema, Type
from tests.schema.texts import with_fields

A, B = (uuid.UUID(int=1), uuid.UUID(int=2))

Connection = asyncpg.Connection


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(admin_url)
    yield connection
    await connection.close()


async def make(db: Connection, text: str) -> Schema:
    schema = parse_schema(text)
    await ddl.apply(db, ddl.create(schema))
    return schema


async def change(db: Connection, old: Schema, text: str, *, online: bool = False) -> Schema:
    new = parse_schema(text, lock=lock_of(old))
    await ddl.apply(db, ddl.steps(compare(old, new), online=online), one_by_one=online)
    return new


def api_table(*fields: Field, indexes: tuple[Index, ...] = ()) -> Entity:
    return Entity(
        id="t", name="t", table="Posts 1", layout=API_LAYOUT, id_kind="text", fields=fields, indexes=indexes
    )


def field(name: str, kind: Kind, **more: Any) -> Field:
    names = {
        each: more.pop(each) for each in ("length", "precision", "scale", "values", "array") if each in more
    }
    return Field(id=name, name=name, column=name, type=Type(kind=kind, **names), **more)


# Names and values


async def test_every_word_of_postgresql_can_name_a_table_and_a_column(db: Connection) -> None:
    words = [each["word"] for each in await db.fetch("SELECT word FROM pg_get_keywords()")]
    odd = [
        "Ünïcode",
        'with "quotes"',
        "two words",
        "UPPER",
        "1st",
        "a.b",
        "a" * 63,
        "$$",
        "it's",
        "--",
        "/*",
        "é" * 31,
    ]
    async with db.transaction():
        for number, name in enumerate([*words, *odd]):
            await db.execute(
                f"CREATE TABLE t{number} ({ddl.quote(name)} int); ALTER TABLE t{number} RENAME TO {ddl.quote(name)}"
            )
            await db.execute(f"INSERT INTO {ddl.quote(name)} ({ddl.quote(name)}) VALUES (1)")
            assert await db.fetchval(f"SELECT x.{ddl.quote(name)} FROM {ddl.quote(name)} AS x") == 1

    assert len(words) > 400


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        ddl.quote(name)


HOSTILE = "'; DROP TABLE x; --\n\\' $$ ${x} \\u0041 \"q\" /* 日本 */"


async def test_text_from_a_schema_is_only_ever_data(db: Connection) -> None:
    members = ("first", HOSTILE)
    entity = api_table(
        field("state", Kind.ENUM, values=members, default=HOSTILE, description=HOSTILE),
        field("states", Kind.ENUM, values=members, array=True, default=[HOSTILE]),
        field("note", Kind.TEXT, default=HOSTILE),
        field("blob", Kind.JSON, default={HOSTILE: [HOSTILE]}),
    )
    entity = replace(entity, description=HOSTILE)
    await ddl.apply(db, ddl.create(Schema(service="x", entities=(entity,))))
    await db.execute("""INSERT INTO "Posts 1" (_id) VALUES ('a')""")

    row = await db.fetchrow("""SELECT state, states, note, blob::text FROM "Posts 1" """)
    assert row is not None
    assert (row["state"], row["states"], row["note"]) == (HOSTILE, [HOSTILE], HOSTILE)
    assert json.loads(row["blob"]) == {HOSTILE: [HOSTILE]}
    assert await db.fetchval("""SELECT obj_description('"Posts 1"'::regclass)""") == HOSTILE


async def test_defaults_of_every_kind_arrive_as_they_were_said(db: Connection) -> None:
    expected: dict[str, tuple[Field, str]] = {
        "i": (field("i", Kind.INT, default=-5), "-5"),
        "b": (field("b", Kind.BIGINT, default=-(2**53) + 1), "-9007199254740991"),
        "f": (field("f", Kind.FLOAT, default=-1e-7), "-1e-07"),
        "d": (field("d", Kind.DECIMAL, precision=12, scale=2, default="-0.10"), "-0.10"),
        "o": (field("o", Kind.BOOL, default=False), "false"),
        "y": (field("y", Kind.DATE, default="2026-12-31"), "2026-12-31"),
        "t": (field("t", Kind.TIME, default="14:30:00"), "14:30:00"),
        "m": (field("m", Kind.DATETIME, default="2026-12-31T23:59:59.123Z"), "2026-12-31 23:59:59.123+00"),
        "u": (field("u", Kind.UUID, default=str(A)), str(A)),
        "x": (field("x", Kind.BYTES, default="AAEC"), "\\x000102"),
        "p": (field("p", Kind.POINT, default=[8.5, -47.25]), "(8.5,-47.25)"),
        "l": (field("l", Kind.LINE, default=[[0, 0], [1.5, 2]]), "[(0,0),(1.5,2)]"),
        "g": (
            field("g", Kind.POLYGON, default=[[[0, 0], [4, 0], [4, 4], [0, 0]]]),
            '{"((0,0),(4,0),(4,4),(0,0))"}',
        ),
        "a": (field("a", Kind.INT, array=True, default=[3, -4]), "{3,-4}"),
        "e": (field("e", Kind.STRING, length=9, array=True, default=[]), "{}"),
        "n": (field("n", Kind.DECIMAL, precision=5, scale=1, array=True, default=["1.5"]), "{1.5}"),
    }
    await ddl.apply(
        db, ddl.create(Schema(service="x", entities=(api_table(*(each for each, _ in expected.values())),)))
    )
    await db.execute("""SET timezone = 'UTC'; INSERT INTO "Posts 1" (_id) VALUES ('a')""")
    columns = ", ".join(f"{name}::text" for name in expected)
    row = await db.fetchrow(f'SELECT {columns} FROM "Posts 1"')

    assert row is not None
    assert dict(row) == {name: text for name, (_, text) in expected.items()}


# What the database refuses


@pytest.mark.parametrize(
    ("one", "good", "bad"),
    [
        (field("v", Kind.STRING, length=3), "äöü", "äöü!"),
        (field("v", Kind.STRING, length=3, array=True), ["äöü", ""], ["a", "äöü!"]),
        (field("v", Kind.STRING, length=3, array=True), [], ["a", None]),
        (field("v", Kind.STRING, length=9, min=2), "ab", "a"),
        (field("v", Kind.TEXT, max=4), "abcd", "abcde"),
        (field("v", Kind.STRING, length=9, pattern="^[a-z]+$"), "abc", "abc\n"),
        (field("v", Kind.STRING, length=9, pattern="^a.c$"), "abc", "a\nc"),
        (field("v", Kind.ENUM, values=("a", "it's")), "it's", "b"),
        (field("v", Kind.ENUM, values=("a", "it's"), array=True), ["a", "it's"], ["a", "b"]),
        (field("v", Kind.INT, min=0, max=5), 5, 6),
        (field("v", Kind.INT, min=0, max=5, array=True), [0, 5], [1, -1]),
        (field("v", Kind.FLOAT, min=0.5, max=None), 0.5, 0.49),
        (field("v", Kind.EMAIL), "a@example.com", "a" * 321),
        (field("v", Kind.URL), "https://example.com", "h" * 2049),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_by_the_check_named_after_it(
    db: Connection, one: Field, good: Any, bad: Any
) -> None:
    await ddl.apply(db, ddl.create(Schema(service="x", entities=(api_table(one),))))
    await db.execute("""INSERT INTO "Posts 1" (_id, v) VALUES ('a', $1)""", good)

    with pytest.raises(asyncpg.CheckViolationError) as raised:
        await db.execute("""INSERT INTO "Posts 1" (_id, v) VALUES ('b', $1)""", bad)
    assert raised.value.constraint_name.startswith("Posts 1_v_")


async def test_a_row_cannot_point_into_another_tenant(admin: Connection) -> None:
    await make(admin, with_fields("tag: { type: ref(tag), nullable: true, on_delete: set_null }"))
    await admin.execute("INSERT INTO org (id, name) VALUES ($1, 'a'), ($2, 'b')", A, B)
    await admin.execute("INSERT INTO tag (tenant_id, id, name) VALUES ($1, $1, 'x')", A)
    await admin.execute("INSERT INTO task (tenant_id, id, tag_id) VALUES ($1, $1, $1)", A)

    with pytest.raises(asyncpg.ForeignKeyViolationError) as raised:
        await admin.execute("INSERT INTO task (tenant_id, id, tag_id) VALUES ($1, $1, $2)", B, A)
    assert raised.value.constraint_name == "task_tag_id_fkey"
    await admin.execute("DELETE FROM tag")
    assert await admin.fetchrow("SELECT tenant_id, tag_id FROM task") == (A, None)


async def test_a_tenant_sees_and_writes_only_its_own_rows(db: Connection, admin: Connection) -> None:
    await make(db, with_fields("name: text"))
    await admin.execute("INSERT INTO task (tenant_id, id, name) VALUES ($1, $1, 'a'), ($2, $2, 'b')", A, B)

    assert await db.fetch("SELECT * FROM task") == []
    async with db.transaction():
        await db.execute("SELECT set_config('app.tenant_id', $1, true)", str(A))
        assert await db.fetch("SELECT name FROM task") == [("a",)]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with db.transaction():
                await db.execute(
                    "INSERT INTO task (tenant_id, id, name) VALUES ($1, $2, 'c')", B, uuid.UUID(int=3)
                )
    # On a connection that was used before, the setting is an empty text and no longer null.
    assert await db.fetch("SELECT * FROM task") == []


async def test_the_audit_log_tells_who_did_what_to_which_row(db: Connection) -> None:
    await make(db, with_fields("name: { type: text, search: true }", audit="true"))
    async with db.transaction():
        for setting, value in (("tenant_id", str(A)), ("actor_id", "jane"), ("request_id", "r1")):
            await db.execute("SELECT set_config($1, $2, true)", f"app.{setting}", value)
        await db.execute("INSERT INTO task (tenant_id, id, name) VALUES ($1, $1, 'a')", A)
        await db.execute("UPDATE task SET name = 'b'")
        await db.execute("DELETE FROM task")
        log = await db.fetch("SELECT * FROM audit_log ORDER BY id")

    assert [each["action"] for each in log] == ["create", "update", "delete"]
    assert {(each["tenant_id"], each["actor_id"], each["request_id"], each["entity"]) for each in log} == {
        (A, "jane", "r1", "task")
    }
    changed = json.loads(log[1]["before"]), json.loads(log[1]["after"])
    assert [each["name"] for each in changed] == ["a", "b"]
    assert "search_vector" not in changed[1]
    assert log[2]["after"] is None


async def test_what_is_deleted_softly_makes_place_for_another(admin: Connection) -> None:
    await make(admin, with_fields("code: { type: string(5), unique: true }", soft_delete="true"))
    insert = "INSERT INTO task (tenant_id, id, code) VALUES ($1, $2, 'x')"
    await admin.execute(insert, A, A)
    with pytest.raises(asyncpg.UniqueViolationError) as raised:
        await admin.execute(insert, A, B)
    await admin.execute("UPDATE task SET deleted_at = now()")
    await admin.execute(insert, A, B)

    assert raised.value.constraint_name == "task_tenant_id_code_key"


async def test_words_are_found_through_the_search_column(admin: Connection) -> None:
    await make(
        admin,
        with_fields(
            "name: { type: text, search: true }", "note: { type: text, search: true, nullable: true }"
        ),
    )
    await admin.execute("INSERT INTO task (tenant_id, id, name) VALUES ($1, $1, 'A quick fox')", A)
    found = "SELECT count(*) FROM task WHERE search_vector @@ websearch_to_tsquery('simple', $1)"

    assert await admin.fetchval(found, "fox -slow") == 1
    assert await admin.fetchval(found, "hound") == 0


async def test_tables_of_the_api_keep_order_and_permissions(db: Connection) -> None:
    places = Index(parts=(IndexPart(field="at"),), method="spatial", name="places")
    words = Index(parts=(IndexPart(field="title"),), method="fulltext", name="words")
    entity = api_table(field("title", Kind.TEXT), field("at", Kind.POINT), indexes=(places, words))
    await ddl.apply(db, ddl.create(Schema(service="x", entities=(entity,))))
    found = await catalog.read(db, "public")

    assert found["column Posts 1._seq"]["identity"] == "a"
    assert found["column Posts 1._permissions"]["default"] == "'{}'::text[]"
    assert found["index Posts 1__reads_idx"]["definition"].endswith("USING gin (_reads)")
    many = found["index Posts 1__permissions_idx"]["definition"]
    assert many.endswith("USING gin (_permissions) WHERE _reads IS NULL")
    assert "USING gist (box(at))" in found["index places"]["definition"]
    assert "USING gin (to_tsvector(" in found["index words"]["definition"]


async def test_places_of_every_kind_are_indexed_by_their_bounds(admin: Connection) -> None:
    fields = ["way: { type: line, index: true }", "area: { type: polygon, index: true }", "spot: point"]
    old = await make(admin, with_fields(*fields))
    listed = with_fields(*fields) + "    index: [[spot]]\n"
    await change(admin, old, listed, online=True)
    found = await catalog.read(admin, "public")

    definitions = {name: facts["definition"] for name, facts in found.items() if name.startswith("index")}
    assert definitions["index task_way_idx"].endswith("USING gist (box(polygon(pclose(way))))")
    assert definitions["index task_area_idx"].endswith("USING gist (box(area[1]))")
    assert definitions["index task_spot_idx"].endswith("USING gist (box(spot))")


# Changing tables with rows


async def test_values_are_converted_where_types_allow_it(admin: Connection) -> None:
    cases = [
        ("int", "7", "decimal(6,2)", "7.00"),
        ("int", "7", "string(9)", "7"),
        ("string(9)", "'7'", "int", "7"),
        ("date", "'2026-05-06'", "datetime", "2026-05-06 00:00:00+00"),
        ("datetime", "'2026-05-06T23:30:00-02:00'", "date", "2026-05-07"),
        ("string(9)", "'x'", "string(9)[]", "{x}"),
        ("int[]", "'{1,2}'", "bigint[]", "{1,2}"),
        ("int[]", "'{1,2}'", "int", "1"),
        ("text", "'a \"b\"'", "json", '"a \\"b\\""'),
    ]
    fields = [f"f{number}: {before}" for number, (before, _, _, _) in enumerate(cases)]
    old = await make(admin, with_fields(*fields))
    columns = ", ".join(f"f{number}" for number in range(len(cases)))
    await admin.execute(
        f"INSERT INTO task (tenant_id, id, {columns}) VALUES ($1, $1, {', '.join(each for _, each, _, _ in cases)})",
        A,
    )
    await change(
        admin, old, with_fields(*(f"f{number}: {after}" for number, (_, _, after, _) in enumerate(cases)))
    )
    await admin.execute("SET timezone = 'UTC'")
    row = await admin.fetchrow(
        "SELECT " + ", ".join(f"f{number}::text" for number in range(len(cases))) + " FROM task"
    )

    assert row is not None
    assert list(row) == [expected for _, _, _, expected in cases]


async def test_what_is_lost_is_said() -> None:
    old = parse_schema(with_fields("a: decimal(9,4)", "b: json", "c: datetime", "d: int"))
    new = parse_schema(with_fields("a: decimal(9,2)", "b: point", "c: date"), lock=lock_of(old))

    assert [step.loses for step in ddl.steps(compare(old, new)) if step.loses] == [
        "all values of task.b",
        "all values of task.d",
        "digits after the 2th behind the point in task.a",
        "the time of day in task.c",
    ]


@pytest.mark.parametrize("online", [False, True])
async def test_a_change_that_the_rows_do_not_allow_leaves_all_as_it_was(
    admin: Connection, online: bool
) -> None:
    old = await make(admin, with_fields("a: { type: int, nullable: true }", "b: string(9)"))
    await admin.execute(
        "INSERT INTO task (tenant_id, id, a, b) VALUES ($1, $1, 1, 'x'), ($1, $2, NULL, 'x')", A, B
    )
    before = await catalog.read(admin, "public")

    for after in (
        with_fields("a: int", "b: string(9)", "c: { type: int, default: 1 }"),
        with_fields(
            "a: { type: int, nullable: true }",
            "b: { type: string(9), unique: true }",
            "c: { type: int, default: 1 }",
        ),
        with_fields(
            "a: { type: int, nullable: true }", "b: int", "c: { type: int, default: 1, index: true }"
        ),
        with_fields(
            "a: { type: int, nullable: true, max: 0 }", "b: string(9)", "c: { type: int, default: 1 }"
        ),
    ):
        with pytest.raises(ddl.StepFailed) as raised:
            await change(admin, old, after, online=online)
        assert raised.value.standing == []
        assert isinstance(raised.value.__cause__, asyncpg.PostgresError)
        assert catalog.differences(before, await catalog.read(admin, "public")) == []
    assert await admin.fetchval("SELECT count(*) FROM task") == 2


async def test_an_index_that_a_crash_left_half_built_is_built_again(admin: Connection) -> None:
    old = await make(admin, with_fields("a: int"))
    new = with_fields("a: { type: int, index: true }")
    await admin.execute("INSERT INTO task (tenant_id, id, a) VALUES ($1, $1, 1), ($1, $2, 1)", A, B)
    with pytest.raises(asyncpg.UniqueViolationError):
        await admin.execute("CREATE UNIQUE INDEX CONCURRENTLY task_tenant_id_a_idx ON task (a)")
    assert (await catalog.read(admin, "public"))["index task_tenant_id_a_idx"]["valid"] is False

    await change(admin, old, new, online=True)
    found = (await catalog.read(admin, "public"))["index task_tenant_id_a_idx"]
    assert (found["valid"], found["unique"]) == (True, False)


async def test_an_index_of_somebody_else_is_never_dropped(admin: Connection) -> None:
    old = await make(admin, with_fields("a: int"))
    await admin.execute("CREATE INDEX task_tenant_id_a_idx ON tag (name)")
    with pytest.raises(ddl.StepFailed) as raised:
        await change(admin, old, with_fields("a: { type: int, index: true }"), online=True)

    assert isinstance(raised.value.__cause__, asyncpg.DuplicateTableError)
    assert (await catalog.read(admin, "public"))["index task_tenant_id_a_idx"]["table"] == "tag"


async def test_a_change_waits_for_a_lock_only_for_a_moment(db: Connection, database_url: str) -> None:
    old = await make(db, with_fields("a: int"))
    new = parse_schema(with_fields("a: int", "b: { type: int, nullable: true }"), lock=lock_of(old))
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE task IN ACCESS SHARE MODE")
            with pytest.raises(ddl.StepFailed) as raised:
                await ddl.apply(db, ddl.steps(compare(old, new)), lock_timeout_ms=100)
    finally:
        await other.close()

    assert isinstance(raised.value.__cause__, asyncpg.LockNotAvailableError)
    assert await db.fetchval("SHOW lock_timeout") == "0"


async def test_a_change_takes_part_in_the_callers_transaction(db: Connection) -> None:
    old = await make(db, with_fields("a: int"))
    transaction = db.transaction()
    await transaction.start()
    await change(db, old, with_fields("a: int", "b: int"))
    await transaction.rollback()

    assert "column task.b" not in await catalog.read(db, "public")


async def test_online_changes_hold_no_strong_lock_while_rows_are_read() -> None:
    old = parse_schema(with_fields("a: { type: int, nullable: true }", "b: string(9)", "c: int"))
    new = parse_schema(
        with_fields(
            "a: { type: int, min: 0 }",
            "b: { type: string(5), unique: true }",
            "c: { type: int, index: true }",
            "t: { type: ref(tag), nullable: true }",
        ),
        lock=lock_of(old),
    )
    steps = ddl.steps(compare(old, new), online=True)
    reading = [step for step in steps if "VALIDATE" in step.sql or "CREATE" in step.sql]

    assert {step.lock for step in reading} == {"SHARE UPDATE EXCLUSIVE"}
    assert {step.transactional for step in reading if "CONCURRENTLY" in step.sql} == {False}
    assert all(
        "NOT VALID" in step.sql
        for step in steps
        if " ADD CONSTRAINT " in step.sql and "USING INDEX" not in step.sql
    )
    assert not any(step.rewrites for step in steps)


async def test_steps_say_how_each_is_undone() -> None:
    old = parse_schema(with_fields("a: int"))
    new = parse_schema(with_fields("a: int", "b: { type: int, default: 3, min: 0 }"), lock=lock_of(old))
    add, check = ddl.steps(compare(old, new), namespace="p 1")

    assert (add.sql, add.inverse) == (
        'ALTER TABLE "p 1".task ADD COLUMN b integer DEFAULT 3 NOT NULL',
        'ALTER TABLE "p 1".task DROP COLUMN b',
    )
    assert (add.lock, add.rewrites, add.loses, add.transactional) == ("ACCESS EXCLUSIVE", False, None, True)
    assert check.sql == 'ALTER TABLE "p 1".task ADD CONSTRAINT task_b_range_check CHECK (b >= 0)'


def test_planning_a_column_takes_as_long_as_the_table_is_wide() -> None:
    def calls(width: int) -> int:
        """How many functions planning calls: unlike seconds, it is the same on every machine."""
        fields = [field(f"c{number}", Kind.STRING, length=100) for number in range(width)]
        old = Schema(service="x", entities=(api_table(*fields),))
        new = Schema(service="x", entities=(api_table(*fields, field("new", Kind.INT)),))
        counted = itertools.count()
        sys.setprofile(lambda _, event, __: event == "call" and next(counted))
        try:
            steps = ddl.steps(compare(old, new), namespace="p")
        finally:
            sys.setprofile(None)
        assert [step.sql for step in steps] == ['ALTER TABLE p."Posts 1" ADD COLUMN new integer NOT NULL']
        return next(counted)

    calls(40)  # what is made once
    assert calls(400) < 12 * calls(40)


async def test_drift_is_seen(db: Connection) -> None:
    await make(db, with_fields("a: int"))
    expected = await catalog.read(db, "public")
    await db.execute(
        "ALTER TABLE task ADD COLUMN sneaky int; ALTER TABLE task ALTER COLUMN a DROP NOT NULL; DROP POLICY tenant_isolation ON tag"
    )

    assert [
        each.split(":")[0] for each in catalog.differences(expected, await catalog.read(db, "public"))
    ] == [
        "~ column task.a.not_null",
        "+ column task.sneaky",
        "- policy tag.tenant_isolation",
    ]
