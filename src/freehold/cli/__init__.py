"""The command line. Each command imports what it needs when it is run, so that `--help` is quick."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold import __version__
from freehold.cli import audit, jobs, signing_keys, storage
from freehold.cli.shared import AsJson, Data, refusals, settings_of

if TYPE_CHECKING:
    from freehold.config import Settings
    from freehold.schema import Decisions

cli = typer.Typer(
    name="freehold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print the values of local variables, secrets included
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"freehold {__version__}")
        raise typer.Exit


@cli.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """A backend platform on PostgreSQL, and a generator of backend services that you own."""


cli.add_typer(audit.commands, name="audit")
cli.add_typer(jobs.commands, name="jobs")
cli.add_typer(signing_keys.commands, name="signing-keys")
cli.add_typer(storage.commands, name="storage")

Port = Annotated[int | None, typer.Option(help="The port; 0 takes a free one.", show_default="8080")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
Workers = Annotated[
    int | None, typer.Option(help="Processes that answer requests.", show_default="one a core")
]
Dev = Annotated[
    bool | None,
    typer.Option(
        "--dev", help="For development only: no rate limits, any Host, mock providers.", show_default=False
    ),
]
Internal = Annotated[int | None, typer.Option(hidden=True)]


@cli.command()
def up(
    port: Port = None,
    host: Host = None,
    data: Data = None,
    workers: Workers = None,
    dev: Dev = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Start everything: PostgreSQL (unless DATABASE_URL names one), the API, the job worker."""
    with refusals():
        settings = settings_of("up", port=port, host=host, data=data, workers=workers, dev=dev)
        from freehold.up import up as start

        start(settings, as_json=as_json)


@cli.command()
def serve(
    port: Port = None, host: Host = None, data: Data = None, dev: Dev = None, fd: Internal = None,
    control: Internal = None,
) -> None:  # fmt: skip
    """Answer requests with one process, on a database that `freehold migrate` has prepared."""
    with refusals():
        settings = settings_of("api", port=port, host=host, data=data, dev=dev)
        if control is None:
            _need_database(settings)
        from freehold.process import serve as run

        run(settings, listener=fd, control=control)


@cli.command()
def worker(data: Data = None, control: Internal = None) -> None:
    """Run jobs with one process, on a database that `freehold migrate` has prepared."""
    with refusals():
        settings = settings_of("worker", data=data)
        if control is None:
            _need_database(settings)
        from freehold.process import work as run

        run(settings, control=control)


@cli.command()
def migrate(
    data: Data = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is missing; exit 1 if anything is.")
    ] = False,
) -> None:
    """Bring the platform's own tables up to date."""
    with refusals():
        settings = settings_of("migrate", data=data)
        _need_database(settings)
        from freehold.process import migrate as run

        if not run(settings, check=check, say=typer.echo):
            raise typer.Exit(1)


Schema = Annotated[
    Path, typer.Option(help="The schema file, or the folder it lies in. An .apsorc is read as it is.")
]
Approve = Annotated[
    list[str] | None, typer.Option(help="A table that may lose data. Can be said several times.")
]
Rename = Annotated[
    list[str] | None,
    typer.Option(help="What was renamed, as `project.budget=amount`. Can be said several times."),
]
Drop = Annotated[
    list[str] | None, typer.Option(help="What is gone, as `project.budget`. Can be said several times.")
]
Database = Annotated[
    str | None, typer.Option(help="The database's id.", show_default="the schema's service name")
]
Endpoint = Annotated[
    str, typer.Option(envvar="FREEHOLD_ENDPOINT", help="Of the live project, ending in /v1.")
]
ProjectId = Annotated[str, typer.Option(envvar="FREEHOLD_PROJECT", help="The live project's id.")]
Key = Annotated[
    str,
    typer.Option(
        envvar="FREEHOLD_KEY",
        help="An API key with the scope databases.write, and for buckets buckets.write.",
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if anything would change.")]
Diff = Annotated[bool, typer.Option("--diff", help="As --check, and show the change of every file.")]
TakeYours = Annotated[list[str] | None, typer.Option(help="A file in conflict that stays as it is.")]
TakeGenerated = Annotated[list[str] | None, typer.Option(help="A file that is emitted anew.")]


@cli.command()
def plan(
    endpoint: Endpoint,
    project: ProjectId,
    key: Key,
    schema: Schema = Path("freehold.yaml"),
    database: Database = None,
    rename: Rename = None,
    drop: Drop = None,
    as_json: AsJson = False,
) -> None:
    """Show what applying a schema file to a live project would do: SQL, locks, rewrites, losses."""
    with refusals():
        from freehold import live

        live.plan(
            live.Project(endpoint, project, key),
            schema,
            database,
            decisions=_decisions(rename, drop),
            as_json=as_json,
        )


@cli.command()
def apply(
    endpoint: Endpoint,
    project: ProjectId,
    key: Key,
    schema: Schema = Path("freehold.yaml"),
    database: Database = None,
    plan_hash: Annotated[
        str | None, typer.Option("--plan", help="Apply exactly this plan, or refuse.")
    ] = None,
    approve: Approve = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    rename: Rename = None,
    drop: Drop = None,
    as_json: AsJson = False,
) -> None:
    """Make a schema file the tables of a live project."""
    with refusals():
        from freehold import live

        live.apply(
            live.Project(endpoint, project, key),
            schema,
            database,
            expected=plan_hash,
            approve=approve or (),
            yes=yes,
            decisions=_decisions(rename, drop),
            as_json=as_json,
        )


@cli.command()
def generate(
    out: Annotated[Path, typer.Option(help="The folder of the service.")],
    lang: Annotated[
        str | None,
        typer.Option(help="python, typescript or go.", show_default="what is there, or python"),
    ] = None,
    schema: Schema = Path("freehold.yaml"),
    check: Check = False,
    diff: Diff = False,
    as_json: AsJson = False,
    take_yours: TakeYours = None,
    take_generated: TakeGenerated = None,
    approve: Approve = None,
    rename: Rename = None,
    drop: Drop = None,
) -> None:
    """Write a service that you own from a schema file, or bring one up to date. Your edits are merged."""
    with refusals():
        from freehold.generator import command

        code = command.generate(
            lang,
            out,
            schema,
            check=check,
            diff=diff,
            as_json=as_json,
            take_yours=take_yours or (),
            take_generated=take_generated or (),
            approve=approve or (),
            decisions=_decisions(rename, drop),
        )
        raise typer.Exit(code)


@cli.command()
def upgrade(
    out: Annotated[Path, typer.Option(help="The folder of the service.")] = Path(),
    check: Check = False,
    diff: Diff = False,
    as_json: AsJson = False,
    take_yours: TakeYours = None,
    take_generated: TakeGenerated = None,
) -> None:
    """Bring to a service what this version of the generator emits. Your edits are merged."""
    with refusals():
        from freehold.generator import command

        code = command.upgrade(
            out,
            check=check,
            diff=diff,
            as_json=as_json,
            take_yours=take_yours or (),
            take_generated=take_generated or (),
        )
        raise typer.Exit(code)


@cli.command()
def diff(out: Annotated[Path, typer.Option(help="The folder of the service.")] = Path()) -> None:
    """Show what you changed in the files that the generator emitted; exit with 1 if anything."""
    with refusals():
        from freehold.generator import command

        raise typer.Exit(command.diff(out))


@cli.command("import")
def import_(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            help="postgresql://..., https://.../v1, a dump (.sql), appwrite.config.json, .prisma, .apsorc.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file that is written.")] = Path("freehold.yaml"),
    namespace: Annotated[str, typer.Option(help="Of a database or a dump: its schema.")] = "public",
    service: Annotated[
        str | None, typer.Option(help="The service's name.", show_default="as the source is called")
    ] = None,
    project: Annotated[
        str | None, typer.Option(envvar="FREEHOLD_PROJECT", help="Of an endpoint: the project's id.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(envvar="FREEHOLD_KEY", help="Of an endpoint: a key that may read databases.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Of a project: the one database that is meant.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a schema file from what is said elsewhere, and tell what it leaves to be decided."""
    with refusals():
        from freehold.importing import command

        request = command.Request(
            source,
            out,
            namespace=namespace,
            service=service,
            force=force,
            project=project,
            key=key,
            database=database,
        )
        typer.echo(command.run(request, as_json=as_json))


@cli.command()
def mcp(
    root: Annotated[Path, typer.Option(help="The project's folder: nothing out of it is reached.")] = Path(),
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Carry out plans, with the token that showing one gives.")
    ] = False,
) -> None:
    """Give a coding agent these commands as tools (Model Context Protocol) on standard input and output."""
    with refusals():
        from importlib.util import find_spec

        from freehold.config import Refusal

        if find_spec("mcp") is None:
            raise Refusal("The package mcp is not installed. Install freehold[mcp].")
        from freehold.mcp.server import serve as run

        run(root, allow_writes=allow_writes)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from freehold.services import endpoints
    from freehold.web import openapi as document

    sys.stdout.buffer.write(document.encode(endpoints()))


@cli.command()
def json_schema() -> None:
    """Print the JSON Schema of freehold.yaml, for editors and linters."""
    from freehold.schema.json_schema import json_schema as document

    typer.echo(json.dumps(document(), indent=2, ensure_ascii=False))


def main() -> None:
    """Run the command line."""
    cli()


def _decisions(rename: list[str] | None, drop: list[str] | None) -> Decisions:
    from freehold.schema import Decisions

    return Decisions.told(rename or (), drop or ())


def _need_database(settings: Settings) -> None:
    from freehold.config import ConfigError

    if not settings.database_url:
        raise ConfigError(
            [
                "DATABASE_URL is not set, and this command starts no database of its own. Set it to a"
                " PostgreSQL"
                " such as postgresql://user:password@host:5432/database, or use `freehold up`."
            ]
        )
