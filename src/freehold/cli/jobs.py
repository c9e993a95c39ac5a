"""`freehold jobs`: what waits to be done after requests, and what was given up."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from freehold.cli.shared import AsJson, Data, refusals, settings_of_running, show

commands = typer.Typer(help="What is done after requests: mails, webhooks, imports.", no_args_is_help=True)
JobKind = Annotated[str, typer.Option("--kind", help="Only jobs of this kind, such as mail.send.")]


@commands.command("list")
def list_jobs(data: Data = None, as_json: AsJson = False) -> None:
    """Show how many jobs of each kind wait, run, and were given up, and how late they are.

    Reads the database that DATABASE_URL names, or that `freehold up` runs in the data directory."""
    with refusals():
        from freehold import job_queue
        from freehold.process import ask

        found = ask(settings_of_running("jobs", data), job_queue.waiting)
        show(
            ("kind", "waiting", "due", "running", "dead", "late"),
            [
                (each.kind, each.waiting, each.due, each.running, each.dead, f"{each.late_s:.1f} s")
                for each in found
            ],
            found,
            as_json=as_json,
            none="No jobs.",
        )


@commands.command("dead")
def list_dead_jobs(kind: JobKind = "", data: Data = None, as_json: AsJson = False) -> None:
    """Show the jobs that were given up, and why."""
    with refusals():
        from freehold import job_queue
        from freehold.process import ask

        found = ask(settings_of_running("jobs", data), lambda db: job_queue.dead(db, kind))
        show(
            ("id", "kind", "project", "attempts", "given up", "error"),
            [
                (
                    each.id,
                    each.kind,
                    each.project,
                    each.attempts,
                    f"{each.given_up:%Y-%m-%d %H:%M}",
                    each.error,
                )
                for each in found
            ],
            found,
            as_json=as_json,
            none="No job was given up.",
        )


@commands.command("retry")
def retry_jobs(
    ids: Annotated[list[int] | None, typer.Argument(help="Ids, as `freehold jobs dead` shows them.")] = None,
    kind: JobKind = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let jobs that were given up be tried again, by their ids or all of a kind. Exit 1 for none."""
    with refusals():
        from freehold import job_queue
        from freehold.config import Refusal
        from freehold.process import ask

        if not ids and not kind:
            raise Refusal("Say which jobs: ids, as `freehold jobs dead` shows them, or --kind.")
        again = ask(settings_of_running("jobs", data), lambda db: job_queue.retry(db, ids or [], kind))
        if as_json:
            typer.echo(json.dumps(again))
        else:
            typer.echo(f"{len(again)} will be tried again." if again else "No such job was given up.")
        if not again:
            raise typer.Exit(1)
