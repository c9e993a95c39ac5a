"""`freehold audit`: whether the log of who changed what is as it was written."""

from __future__ import annotations

import typer

from freehold.cli.shared import Data, refusals, settings_of_running

commands = typer.Typer(help="The log of who changed what.", no_args_is_help=True)


@commands.command()
def verify(data: Data = None) -> None:
    """Say whether the log is as it was written: exit 1 and where, if it is not.

    Reads the database that DATABASE_URL names, or that `freehold up` runs in the data directory."""
    with refusals():
        from freehold.process import verify_audit

        settings = settings_of_running("audit", data)

        if not verify_audit(settings, say=typer.echo):
            raise typer.Exit(1)
