"""Tables that are set so tell what is written to them with plain SQL, as what is written over the API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from appwrite.enums.relation_mutate import RelationMutate
from appwrite.enums.relationship_type import RelationshipType
from appwrite.services.tables_db import TablesDB

from tests.platform import Project, User, error_of, unique
from tests.services.sockets import socket
from tests.services.test_schema_tables import SCHEMA, TICKETS, Firm, apply

ROWS = "/tablesdb/d/tables/t/rows"
LINES = """\
  line:
    tenant: scoped
    sql_events: true
    access: { read: agent, create: agent }
    fields: { ticket: { type: ref(ticket), on_delete: cascade } }
"""
PLACES = """
freehold: 1
service: desk
roles: { agent: [] }
entities:
  place:
    tenant: none
    sql_events: true
    access: { read: public, create: service }
    fields: { code: string(30), extra: { type: json, nullable: true } }
"""
COLUMNS = [
    {"key": "text", "type": "varchar", "size": 50, "required": False},
    {"key": "n", "type": "integer", "required": False},
    {"key": "part", "type": "float", "required": False},
]


def made(project: Project, table_id: str = "t", **said: Any) -> dict[str, Any]:
    """A table of a project, of which rows have permissions of their own."""
    project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    body = {"tableId": table_id, "name": "T", "rowSecurity": True, "columns": COLUMNS, **said}
    answer = project.server.post("/tablesdb/d/tables", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with a table that tells what is written to it with SQL."""
    assert made(project, sqlEvents=True)["sqlEvents"] is True
    return project


async def connected(project: Project, url: str, database_id: str) -> asyncpg.Connection:
    owner = await asyncpg.connect(project.platform.database_url)
    namespace = await owner.fetchval(
        "select namespace from freehold.databases where project_id = $1 and id = $2", project.id, database_id
    )
    await owner.close()
    return await asyncpg.connect(url, server_settings={"search_path": f'"{namespace}"'})


def with_sql(
    project: Project,
    act: Callable[[asyncpg.Connection], Awaitable[Any]],
    *,
    url: str = "",
    database_id: str = "d",
) -> Any:
    """Do something on a connection past the platform, in the PostgreSQL schema of a database of a project."""

    async def run() -> Any:
        connection = await connected(project, url or project.platform.database_url, database_id)
        try:
            return await act(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


def sql(project: Project, *statements: str, url: str = "", database_id: str = "d") -> None:
    """Run statements, each in a transaction of its own."""

    async def act(connection: asyncpg.Connection) -> None:
        for statement in statements:
            await connection.execute(statement)

    with_sql(project, act, url=url, database_id=database_id)


def insert(row_id: str, text: str = "a", *permissions: str) -> str:
    granted = ", ".join(f"'{each}'" for each in permissions)
    return f"insert into t (_id, text, _permissions) values ('{row_id}', '{text}', array[{granted}]::text[])"


class Feed:
    """What has happened to rows since the last time that one asked."""

    def __init__(self, project: Project, user: User | None = None) -> None:
        self.client = user.client if user is not None else project.server
        self.since = self.client.get("/changes").json()["since"]

    def changes(self) -> list[dict[str, Any]]:
        answer = self.client.get("/changes", params={"since": self.since, "channels[]": "rows", "limit": 500})
        assert answer.status_code == 200, answer.text
        assert not answer.json()["more"]
        self.since = answer.json()["since"]
        return list(answer.json()["changes"])

    def names(self) -> list[str]:
        """Table, row and action of each."""
        events = [each["events"][0].split(".") for each in self.changes()]
        return [f"{event[3]}.{event[5]}.{event[6]}" for event in events]


@pytest.fixture
def worker(shop: Project) -> Iterator[str]:
    """The URL of a role that may change the rows of the table, and nothing else."""
    platform, role = shop.platform, unique("worker").replace("-", "_")

    async def act(admin: asyncpg.Connection) -> None:
        namespace = await admin.fetchval("select current_schema()")
        await admin.execute(
            f"create role {role} login password 'hush'; grant usage on schema \"{namespace}\" to {role};"
            f"grant select, insert, update, delete, truncate, trigger on t to {role}"
        )

    with_sql(shop, act, url=platform.admin_url)
    yield f"postgresql://{role}:hush@{platform.database_url.partition('@')[2]}"
    sql(shop, f"drop owned by {role}; drop role {role}", url=platform.admin_url)


def test_who_may_read_a_row_is_told_what_sql_does_to_it_and_nobody_else_is(
    shop: Project, worker: str, jane: User, bob: User
) -> None:
    mine = f'read("user:{jane.id}")'
    with socket(shop, user=jane) as seen, socket(shop, user=bob) as other:
        seen.subscribe("tablesdb.d.tables.t.rows")
        other.subscribe("rows")
        odd_settings = "set timezone = 'Asia/Tokyo'; set datestyle = 'German'; set extra_float_digits = 0"
        sql(shop, "alter table t alter part set default 0.1::float + 0.2::float")
        sql(shop, odd_settings, insert("r", "a", mine), url=worker)
        created = seen.event()
        row = jane.client.get(f"{ROWS}/r").json()
        sql(shop, "update t set text = 'b' where _id = 'r'", "delete from t", url=worker)
        changed, gone = seen.event(), seen.event()
        sql(shop, insert("last", "z", mine, 'read("users")'), url=worker)
        last = seen.event()
        of_bob = other.event()

    assert created["events"][0] == "databases.d.tables.t.rows.r.create"
    assert "tablesdb.d.tables.t.rows.r.create" in created["channels"]
    assert created["payload"] == row | {"$collectionId": "t"}
    assert (row["text"], row["part"], row["$permissions"]) == ("a", 0.30000000000000004, [mine])
    assert (changed["events"][0].rpartition(".")[2], changed["payload"]["text"]) == ("update", "b")
    assert (gone["events"][0].rpartition(".")[2], gone["payload"]["text"]) == ("delete", "b")
    assert created["sequence"] < changed["sequence"] < gone["sequence"] < last["sequence"]
    assert of_bob["payload"]["$id"] == "last"


def test_each_row_of_a_statement_on_many_is_told_and_what_is_rolled_back_is_not(
    shop: Project, worker: str
) -> None:
    feed = Feed(shop)

    async def act(connection: asyncpg.Connection) -> None:
        await connection.execute("insert into t (_id, n) select 'r' || i, i from generate_series(1, 3) i")
        rows = [("r4", "copied", 4), ("r5", "copied", 5)]
        await connection.copy_records_to_table("t", records=rows, columns=["_id", "text", "n"])
        await connection.execute("update t set n = n + 10 where n > 3")
        await connection.execute(
            "insert into t (_id, n) values ('r5', 0), ('r6', 6) on conflict (_id) do update set n = 99"
        )
        await connection.execute("update t set _id = 'renamed' where _id = 'r6'")
        with contextlib.suppress(asyncpg.DivisionByZeroError):
            async with connection.transaction():
                await connection.execute("insert into t (_id) values ('never')")
                await connection.execute("select 1 / 0")
        await connection.execute("delete from t where n < 4")
        await connection.execute("update t set n = 0 where _id = 'nobody'")

    with_sql(shop, act, url=worker)
    told = feed.changes()

    names = [".".join(each["events"][0].split(".")[5:]) for each in told]
    assert names == [
        *("r1.create", "r2.create", "r3.create", "r4.create", "r5.create"),
        *("r4.update", "r5.update"),
        *("r5.update", "r6.create"),
        *("r6.delete", "renamed.create"),
        *("r1.delete", "r2.delete", "r3.delete"),
    ]
    assert [each["payload"]["n"] for each in told][5:9] == [14, 15, 99, 6]


def test_what_is_written_over_the_api_is_told_once_whether_or_not_sql_is_told(project: Project) -> None:
    tables = TablesDB(project.sdk(key=project.key))
    for table, is_loud in (("quiet", False), ("loud", True)):
        made(project, table, sqlEvents=is_loud)
        for kept, what in ((RelationMutate.CASCADE, "parts"), (RelationMutate.SETNULL, "notes")):
            made(project, f"{table}_{what}", sqlEvents=is_loud)
            tables.create_relationship_column(
                "d", f"{table}_{what}", table, RelationshipType.MANYTOONE, True, "of", what, kept
            )
    feed = Feed(project)

    for table in ("quiet", "loud"):
        tables.create_row("d", table, "a", {"text": "a", "n": 1})
        tables.update_row("d", table, "a", {"text": "b"})
        tables.upsert_row("d", table, "a", {"text": "c"})
        tables.upsert_row("d", table, "b", {"text": "d"})
        tables.increment_row_column("d", table, "a", "n", 5)
        tables.create_rows("d", table, [{"$id": f"m{i}", "n": i} for i in range(3)])
        tables.upsert_rows("d", table, [{"$id": "m0", "n": 9}, {"$id": "m3", "n": 3}])
        tables.update_rows("d", table, {"text": "e"})
        transaction = tables.create_transaction().id
        tables.create_row("d", table, "t1", {"n": 1}, transaction_id=transaction)
        tables.delete_row("d", table, "a", transaction_id=transaction)
        tables.update_transaction(transaction, commit=True)
        tables.delete_row("d", table, "b")
        with_others = {"parts": [{"$id": "p1"}, {"$id": "p2"}], "notes": [{"$id": "n1"}]}
        tables.create_row("d", table, "whole", with_others)
        tables.update_row("d", table, "whole", {"parts": ["p1"]})
        tables.delete_row("d", table, "whole")
        tables.delete_rows("d", table)

    told = feed.names()
    quiet = [each.removeprefix("quiet") for each in told if each.startswith("quiet")]
    assert [each.removeprefix("loud") for each in told if each.startswith("loud")] == quiet
    assert {"_parts.p1.delete", "_notes.n1.update", ".whole.delete"} <= set(quiet)
    assert len([each for each in quiet if each.startswith(".")]) == 24 + 3


def test_columns_that_are_called_as_something_in_our_statements_are_told_as_others_are(
    project: Project,
) -> None:
    names = [
        "a", "b", "t", "changed", "event", "each", "row", "made",
        "sent", "given", "rows_after", "rows_before", "before", "after", "written", "judged",
        "at", "id", "place", "setting", "told", "payload", "news",
    ]  # fmt: skip
    columns = [{"key": name, "type": "integer", "required": False} for name in names]
    made(project, sqlEvents=True, columns=columns)
    tables, feed = TablesDB(project.sdk(key=project.key)), Feed(project)
    first, second = (dict.fromkeys(names, number) for number in (1, 2))

    tables.create_row("d", "t", "one", first)
    tables.update_row("d", "t", "one", second)
    tables.create_rows("d", "t", [{"$id": "two", **first}])
    tables.upsert_rows("d", "t", [{"$id": "two", **second}, {"$id": "new", **first}])
    tables.upsert_row("d", "t", "two", first)
    tables.increment_row_column("d", "t", "two", "changed", 1)
    tables.update_rows("d", "t", second)
    tables.delete_row("d", "t", "two")
    values = ", ".join("3" for _ in names)
    sql(
        project,
        f"insert into t (_id, {', '.join(names)}) values ('sql', {values})",
        f"update t set {', '.join(f'{name} = 4' for name in names)} where _id = 'sql'",
        "delete from t where _id = 'sql'",
    )

    told = [({each["payload"][name] for name in names}, each["payload"]["$id"]) for each in feed.changes()]
    of_sql = [values for values, row_id in told if row_id == "sql"]
    assert of_sql == [{3}, {4}, {4}]
    assert [values for values, row_id in told if row_id == "one"] == [{1}, {2}, {2}]
    assert [values for values, row_id in told if row_id == "two"] == [{1}, {2}, {1}, {1, 2}, {2}, {2}]


def test_a_project_is_told_nothing_of_another_with_the_same_names(shop: Project) -> None:
    other = shop.platform.new_project()
    made(other, sqlEvents=True)
    mine, theirs = Feed(shop), Feed(other)

    sql(other, insert("r"))

    assert theirs.names() == ["t.r.create"]
    assert mine.names() == []


def test_it_goes_on_while_columns_come_change_and_go_and_ends_when_it_is_switched_off(shop: Project) -> None:
    feed, tables = Feed(shop), TablesDB(shop.sdk(key=shop.key))

    async def act(connection: asyncpg.Connection) -> None:
        await connection.execute(insert("r", "1"))
        await asyncio.to_thread(tables.create_varchar_column, "d", "t", "more", 9, False, default="new")
        await connection.execute("update t set text = '2'")
        await asyncio.to_thread(tables.update_varchar_column, "d", "t", "text", False, "x", 50, "words")
        await asyncio.to_thread(tables.delete_column, "d", "t", "n")
        await connection.execute("update t set words = '3'")
        await asyncio.to_thread(tables.create_index, "d", "t", "found", "fulltext", ["words"])
        await connection.execute("update t set words = '4'")
        renamed = await asyncio.to_thread(tables.update_table, "d", "t", "Renamed", row_security=True)
        assert renamed.name == "Renamed"
        await connection.execute("update t set words = '5'")

    with_sql(shop, act)
    told = [each["payload"] for each in feed.changes()]
    assert [each["words"] for each in told][2:] == ["3", "4", "5"]
    assert [each["more"] for each in told] == [None, "new", "new", "new", "new"]

    off = shop.server.put("/tablesdb/d/tables/t", json={"name": "T", "sqlEvents": False})
    assert (off.status_code, off.json()["sqlEvents"]) == (200, False)
    sql(shop, "update t set words = '6'")
    assert feed.names() == []
    triggers = "select count(*) from pg_trigger where not tgisinternal and tgrelid = 't'::regclass"
    assert with_sql(shop, lambda each: each.fetchval(triggers)) == 0


def test_it_is_shown_and_can_be_switched_on_later_in_both_vocabularies(project: Project) -> None:
    assert made(project)["sqlEvents"] is False
    feed = Feed(project)
    sql(project, insert("before"))

    on = project.server.put("/databases/d/collections/t", json={"name": "T", "sqlEvents": True})
    assert (on.status_code, on.json()["sqlEvents"]) == (200, True), on.text
    assert project.server.get("/tablesdb/d/tables").json()["tables"][0]["sqlEvents"] is True
    sql(project, insert("after"))

    assert feed.names() == ["t.after.create"]


def test_a_truncate_is_refused_because_nobody_would_know_what_is_gone(shop: Project, worker: str) -> None:
    sql(shop, insert("r"))
    feed = Feed(shop)
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="TRUNCATE of t would keep") as refused:
        sql(shop, "truncate t", url=worker)

    assert refused.value.hint.startswith("Use DELETE")
    assert shop.server.get(ROWS).json()["total"] == 1
    sql(
        shop, "set freehold.events = 'off'; insert into t (_id) values ('s'); truncate t"
    )  # its owner may be silent
    assert feed.names() == []


def test_s42_a_role_of_the_table_neither_forges_events_nor_is_silent(shop: Project, worker: str) -> None:
    other = shop.platform.new_project()
    made(other)
    mine, theirs = Feed(shop), Feed(other)
    denied = (
        "insert into freehold.outbox (project_id, event, actor, request_id) values ('p', 'e', 'a', '')",
        "select freehold.tell_what_was_written()",
        # A trigger of one's own would have it tell whatever its arguments say.
        "create trigger mine after insert on t referencing new table as rows_after for each statement"
        " execute function freehold.tell_what_was_written('other', '_id', '', '')",
        "create temp table t (_id text); create trigger mine after insert on t referencing new table as"
        " rows_after for each statement execute function freehold.tell_what_was_written('t', '_id', '', '')",
        "alter table t disable trigger all",
        "drop trigger events_of_inserts on t",
        "set session_replication_role = replica",
    )
    for statement in denied:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            sql(shop, statement, url=worker)

    sql(
        shop,
        "create temp table rows_after (x int); set freehold.events = 'off'; " + insert("r"),
        "set freehold.events = 'written'; delete from t",
        url=worker,
    )
    assert mine.names() == ["t.r.create", "t.r.delete"]
    assert theirs.names() == []

    async def actors(owner: asyncpg.Connection) -> list[Any]:
        of_rows = "select actor from freehold.outbox where project_id = $1 and event like '%.rows.%'"
        return [each["actor"] for each in await owner.fetch(of_rows, shop.id)]

    role = worker.partition("//")[2].partition(":")[0]
    assert with_sql(shop, actors) == [f"role:{role}", f"role:{role}"]


def test_values_that_the_api_lets_nobody_write_keep_nobody_from_other_events(
    shop: Project, worker: str, jane: User
) -> None:
    tables = TablesDB(shop.sdk(key=shop.key))
    tables.create_varchar_column("d", "t", "secret", 150, False, encrypt=True)
    tables.create_datetime_column("d", "t", "at", False)
    tables.create_row("d", "t", "sealed", {"secret": "hush"}, ['read("users")'])
    feed, of_jane = Feed(shop), Feed(shop, jane)
    users = """array['read("users")']"""
    sql(
        shop,
        f"insert into t (_id, secret, _permissions) values ('open', 'not sealed', {users})",
        f"insert into t (_id, at, _permissions) values ('early', '0044-03-15 00:00:00 BC', {users})",
        f"insert into t (_id, at, _permissions) values ('endless', 'infinity', {users})",
        """insert into t (_id, _permissions) values ('nested', '{{"read(\\"users\\")"}}')""",
        "insert into t (_id) values (repeat('x', 2000)), (E'two\\nlines'), ('')",
        "update t set text = 'b' where _id = 'sealed'",
        url=worker,
    )

    told, seen = feed.changes(), of_jane.changes()
    assert "t.sealed.update" in [
        ".".join(each["events"][0].split(".")[i] for i in (3, 5, 6)) for each in told
    ]
    assert seen[-1]["payload"]["$id"] == "sealed"
    assert seen[-1]["payload"]["secret"] == "hush"
    assert "not sealed" not in str([*told, *seen])
    assert not {"nested", "open"} & {each["payload"]["$id"] for each in seen}


def test_a_value_nested_too_deep_to_be_told_keeps_nobody_from_other_events(project: Project) -> None:
    apply(project, PLACES)
    since = project.server.get("/changes").json()["since"]
    with socket(project) as seen:
        seen.subscribe("rows")
        deep = "(repeat('[', 3000) || repeat(']', 3000))::jsonb"
        place = "insert into place (id, code, extra) values (gen_random_uuid()"
        sql(project, f"{place}, 'deep', {deep})", f"{place}, 'flat', '[]')", database_id="desk")
        assert seen.event()["payload"]["code"] == "flat"
    told = project.guest.get("/changes", params={"since": since, "channels[]": "rows"}).json()["changes"]

    assert [each["payload"]["code"] for each in told] == ["flat"]


def test_tables_of_a_schema_file_tell_their_tenants_what_comes_of_deletions_too(
    project: Project, jane: User, bob: User
) -> None:
    told_in_sql = SCHEMA.replace("    soft_delete: true\n", "    soft_delete: true\n    sql_events: true\n")
    apply(project, told_in_sql + LINES)
    firm, rival = Firm(project), Firm(project)
    firm.join(jane, "agent")
    rival.join(bob, "agent")
    shown = project.server.get("/tablesdb/desk/tables/note").json()
    switched = project.server.put("/tablesdb/desk/tables/note", json={"name": "n", "sqlEvents": False})
    mine, theirs = Feed(project, jane), Feed(project, bob)

    notes, remarks = (f"/tablesdb/desk/tables/{each}/rows" for each in ("note", "remark"))
    note = firm.post(jane.client, notes, rowId="unique()", data={"text": "over the API"}).json()
    with_note = {"text": "r", "note_id": note["$id"]}
    remark = firm.post(jane.client, remarks, rowId="unique()", data=with_note).json()
    as_firm = f"begin; set local app.tenant_id = '{firm.id}';"
    again = "01990000-0000-7000-8000-000000000001"
    sql(
        project,
        f"{as_firm} insert into note (tenant_id, id, text) values ('{firm.id}', '{again}', 'plain'); commit",
        f"{as_firm} update note set deleted_at = now() where id = '{again}'; commit",
        f"{as_firm} update note set text = 'still gone' where id = '{again}'; commit",
        f"{as_firm} update note set deleted_at = null where id = '{again}'; commit",
        database_id="desk",
    )
    gone = jane.client.delete(f"{notes}/{note['$id']}", headers=firm.headers)
    ticket = firm.ticket(project.server)
    lines = "/tablesdb/desk/tables/line/rows"
    line = firm.post(jane.client, lines, rowId="unique()", data={"ticket_id": ticket["$id"]}).json()
    project.server.delete(f"{TICKETS}/{ticket['$id']}", headers=firm.headers)

    assert shown["sqlEvents"] is True
    assert error_of(switched) == (400, "general_feature_unsupported")
    assert gone.status_code == 204
    assert mine.names() == [
        f"note.{note['$id']}.create",
        f"remark.{remark['$id']}.create",
        *(f"note.{again}.{each}" for each in ("create", "delete", "create")),
        f"note.{note['$id']}.delete",
        f"remark.{remark['$id']}.delete",
        f"ticket.{ticket['$id']}.create",
        f"line.{line['$id']}.create",
        f"ticket.{ticket['$id']}.delete",
        f"line.{line['$id']}.delete",
    ]
    assert theirs.names() == []
