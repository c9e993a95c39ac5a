"""A live project, as `freehold plan` and `freehold apply` reach it over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
import typer
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from freehold.config import Refusal
from freehold.schema import Decisions, SchemaError, buckets, lock_of, read_lock, write_lock
from freehold.schema.buckets import BucketStep
from freehold.schema.model import Schema
from freehold.schema.sketch import Note, told
from freehold.schema.sources import BUCKETS, Source, read_source

TIMEOUT_S = 700
PAGE_WIDTH = 160
"""Of a plan that goes to a file or a pipe."""

_is_endpoint = re.compile(r"https?://[^/\s]+(/[^\s]*)?/v1").fullmatch


class LiveError(Refusal):
    """The project could not be asked, or it refused."""


class NotThere(LiveError):
    """The project has no such thing."""


class Project(NamedTuple):
    """Where a live project is, and the key that opens it."""

    endpoint: str
    project: str
    key: str

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call the project. Raises LiveError."""
        return await self._call("POST", path, body)

    async def applied(self, database_id: str) -> Schema | None:
        """The schema that a database was last made from; None when there is none. Raises LiveError."""
        try:
            answer = await self._call("GET", f"/tablesdb/{database_id}/schema", None)
        except NotThere:
            return None
        return msgspec.convert(answer["schema"], Schema | None)

    async def buckets(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Those of the buckets that there are. Raises LiveError."""
        found = {}
        for each in ids:
            with suppress(NotThere):
                found[each] = await self._call("GET", buckets.path(each), None)
        return found

    async def make(self, step: BucketStep) -> None:
        """Carry out what was planned for a bucket. Raises LiveError."""
        try:
            await self._call(step.method, step.path, step.body)
        except LiveError as error:
            raise LiveError(
                f"The tables are as the schema says, but not the buckets. {step.summary}: {error}"
            ) from error

    async def _call(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        headers = {
            "X-Appwrite-Project": self.project,
            "X-Appwrite-Key": self.key,
            "Content-Type": "application/json",
        }
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method, self.endpoint + path, data=msgspec.json.encode(body), headers=headers
                ) as response,
            ):
                answer: dict[str, Any] = msgspec.json.decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise LiveError(f"{self.endpoint} did not answer as a Freehold does: {error}") from error
        if response.status == 401:
            raise LiveError(
                f"{answer['message']} See that the key is one of the project {self.project}, has not expired,"
                " and has the scopes databases.write and, for buckets, buckets.read and buckets.write."
            )
        if response.status == 404 and answer.get("type") in (
            "database_not_found",
            "storage_bucket_not_found",
        ):
            raise NotThere(answer["message"])
        if response.status >= 400:
            raise LiveError(answer.get("message", f"{self.endpoint} answered {response.status}."))
        return answer


class Planned(NamedTuple):
    """A schema file, and what the project answers that applying it would do."""

    schema: Schema
    into: str
    """The id of the database."""
    answer: dict[str, Any]
    notes: tuple[Note, ...]
    buckets: tuple[BucketStep, ...] = ()

    @property
    def hash(self) -> str:
        """Names the whole plan: the project's own hash of the tables, and with it what is done to buckets."""
        if not self.buckets:
            return str(self.answer["hash"])
        told = self.answer["hash"].encode() + msgspec.json.encode(self.buckets)
        return hashlib.sha256(told).hexdigest()

    def told(self) -> dict[str, Any]:
        """The plan as JSON tells it."""
        return self.answer | {"hash": self.hash, "buckets": [each.summary for each in self.buckets]}


def plan(
    project: Project,
    schema_file: Path,
    database_id: str | None,
    *,
    decisions: Decisions | None = None,
    as_json: bool,
) -> None:
    """Show what applying the schema would do."""
    planned = prepare(project, schema_file, database_id, decisions=decisions, keep_ids=True)
    _tell(planned.notes)
    if as_json:
        _print_json(planned.told())
    else:
        _show(planned)


def apply(
    project: Project,
    schema_file: Path,
    database_id: str | None,
    *,
    expected: str | None,
    approve: Sequence[str],
    yes: bool,
    decisions: Decisions | None = None,
    as_json: bool,
) -> None:
    """Apply the schema: the plan that was named, or one that is shown and agreed to now."""
    planned = prepare(project, schema_file, database_id, decisions=decisions, keep_ids=True)
    _tell(planned.notes)
    answer = planned.answer
    if expected is None:
        if not as_json:
            _show(planned)
        if not answer["steps"] and not answer["createsDatabase"] and not planned.buckets:
            _keep_lock(schema_file, planned.schema)
            if as_json:
                _print_json(planned.told())
            return
        if not yes and not _agreed():
            raise LiveError(
                "Nothing was applied. Say --yes, or name the plan with --plan, to apply without a question."
            )
        expected = planned.hash
    done = perform(project, schema_file, planned, expected=expected, approve=approve)
    if as_json:
        _print_json(done | {"buckets": [each.summary for each in planned.buckets]})
    else:
        typer.echo(
            f"Applied {len(done['steps'])} steps to the database {planned.into} ({done['namespace']} in"
            " PostgreSQL)."
        )
        for each in planned.buckets:
            typer.echo(f"{each.summary}: done.")


def prepare(
    project: Project,
    schema_file: Path,
    database_id: str | None,
    *,
    decisions: Decisions | None = None,
    keep_ids: bool,
) -> Planned:
    """Ask the project what applying the schema would do. With `keep_ids` a missing lock is written."""
    schema, notes = _read(project, schema_file, database_id, decisions, keep_ids=keep_ids)
    into = database_id or schema.service
    answer = asyncio.run(project.post(f"/tablesdb/{into}/schema/plan", {"schema": schema}))
    named = schema.platform.get(BUCKETS, {})
    there = asyncio.run(project.buckets(named))
    left = tuple(each for each in notes if each.where != f"platform.{BUCKETS}")
    return Planned(schema, into, answer, left, tuple(buckets.steps(named, there)))


def perform(
    project: Project, schema_file: Path, planned: Planned, *, expected: str, approve: Sequence[str]
) -> dict[str, Any]:
    """Apply the plan of the hash, or be refused by the project. The schema's ids are kept beside it.

    Buckets come after the tables: each is made again by the next `apply`, if something fails on the way."""
    if planned.buckets and expected != planned.hash:
        raise LiveError(
            "The plan is not what it was: buckets have changed since, here or there. Plan again, and read it."
        )
    tables = planned.answer["hash"] if planned.buckets else expected
    body = {"schema": planned.schema, "plan": tables, "approve": list(approve)}
    done = asyncio.run(project.post(f"/tablesdb/{planned.into}/schema/apply", body))
    _keep_lock(schema_file, planned.schema)
    for each in planned.buckets:
        asyncio.run(project.make(each))
    return done


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Apply this?")


def _read(
    project: Project,
    schema_file: Path,
    database_id: str | None,
    decisions: Decisions | None,
    *,
    keep_ids: bool,
) -> Source:
    """Read the schema. Without a lock beside it the ids are the live project's, so that no table is lost."""
    if not _is_endpoint(project.endpoint):
        raise LiveError(
            f"The endpoint is {project.endpoint!r}, but it has to be a URL that ends in /v1, such as"
            " http://127.0.0.1:8080/v1."
        )
    folder = _folder(schema_file)
    try:
        source = read_source(schema_file, decisions=decisions)
        if read_lock(folder) is None:
            applied = asyncio.run(project.applied(database_id or source.schema.service))
            if applied is not None:
                if keep_ids:
                    write_lock(folder, lock_of(applied))
                source = read_source(schema_file, decisions=decisions, lock=lock_of(applied))
    except SchemaError as error:
        raise LiveError(str(error)) from error
    return source


def _tell(notes: Sequence[Note]) -> None:
    for line in told(notes):
        typer.echo(line, err=True)


def _keep_lock(schema_file: Path, schema: Schema) -> None:
    folder = _folder(schema_file)
    try:
        write_lock(folder, lock_of(schema, read_lock(folder)))
    except OSError as error:
        raise LiveError(
            f"The database is as the schema says, but {folder} cannot keep the lock, without which a later"
            f" rename is a loss: {error.strerror}. Make the folder writable, and apply again."
        ) from error


def _folder(schema_file: Path) -> Path:
    return schema_file if schema_file.is_dir() else schema_file.parent


def _print_json(answer: dict[str, Any]) -> None:
    sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")


def _show(plan: Planned) -> None:
    planned = plan.answer
    console = Console(width=None if sys.stdout.isatty() else PAGE_WIDTH)
    if not planned["steps"] and not plan.buckets:
        console.print("The database is as the schema says. There is nothing to do.")
        return
    if planned["steps"]:
        _show_steps(console, planned)
    for each in plan.buckets:
        console.print(each.summary, markup=False)
    console.print(f"Plan {plan.hash}")
    if planned["losses"]:
        console.print(
            f"It can lose data of {', '.join(planned['losses'])}. Approve each with --approve TABLE."
        )


def _show_steps(console: Console, planned: dict[str, Any]) -> None:
    table = Table(show_header=True, box=None, padding=(0, 2, 0, 0))
    for heading in ("Step", "Lock", "Rewrites", "Loses"):
        table.add_column(heading, overflow="fold")
    for step in planned["steps"]:
        table.add_row(
            step["summary"],
            step["lock"] or "none",
            "yes" if step["rewrites"] else "no",
            step["loses"] or "nothing",
        )
    console.print(table)
    console.print()
    highlighter = Syntax("", "sql", theme="ansi_dark", background_color="default")
    for step in planned["steps"]:
        # The terminal may break its lines, but we must not: a line break within quotes is other SQL.
        console.print(highlighter.highlight(step["sql"] + ";"), soft_wrap=True, end="")
    console.print()
