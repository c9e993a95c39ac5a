"""`freehold storage`: the contents of files."""

from __future__ import annotations

import typer

from freehold.cli.shared import Data, refusals, settings_of_running

commands = typer.Typer(help="The contents of files.", no_args_is_help=True)


@commands.command()
def rewrap(data: Data = None) -> None:
    """Seal the keys of all files with the first of FREEHOLD_STORAGE_KEYS: exit 1 if some cannot be opened.

    Afterwards the other keys are not needed any more. The files themselves are not read."""
    with refusals():
        from freehold.process import rewrap_files

        settings = settings_of_running("storage", data)
        if not rewrap_files(settings, say=typer.echo):
            raise typer.Exit(1)
