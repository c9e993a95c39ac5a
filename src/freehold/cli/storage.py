"""`freehold storage`: the contents of files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from freehold.cli.shared import AsJson, Data, refusals, settings_of_running

if TYPE_CHECKING:
    from freehold.services.storage import Moving

_TOLD_EVERY_S = 1.0

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


@commands.command()
def move(
    to: Annotated[Literal["disk", "s3"], typer.Option(help="Where files are to lie.")],
    data: Data = None,
    at_once: Annotated[int, typer.Option(min=1, max=32, help="How many are copied at a time.")] = 4,
    as_json: AsJson = False,
) -> None:
    """Move the contents of all files to a bucket, or back to the disk: exit 1 if some had to stay.

    The platform goes on meanwhile: start it anew before, with the settings that name the bucket and say where
    new files go. Each file is copied, read back and compared, and only then removed. What was killed goes on
    when it is started again."""
    with refusals():
        from freehold.process import ask
        from freehold.services import storage

        settings = settings_of_running("storage", data)
        tell = _Told(as_json=as_json)
        moved = ask(
            settings, lambda db: storage.move(db, settings, to, at_once=at_once, report=tell.now_and_then)
        )
        tell.at_the_end(moved)
        if moved.failed:
            raise typer.Exit(1)


class _Told:
    """Tells how far files are moved: on standard output in JSON, a line each, or to people on the other."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._last = time.monotonic()

    def now_and_then(self, moving: Moving) -> None:
        if time.monotonic() - self._last < _TOLD_EVERY_S:
            return
        self._last = time.monotonic()
        if self._as_json:
            self._tell_json(moving)
        else:
            typer.echo(f"{moving.moved} of {moving.found} files, {_size(moving.moved_bytes)}", err=True)

    def at_the_end(self, moving: Moving) -> None:
        if self._as_json:
            self._tell_json(moving)
            return
        for each in moving.failed:
            typer.echo(f"{each.place} stays where it is: {each.reason}.", err=True)
        typer.echo(
            f"Moved {moving.moved} of {moving.found} files to {moving.to}, {_size(moving.moved_bytes)}."
        )
        if moving.unowned:
            typer.echo(f"{moving.unowned} belong to no file any more; they are swept away by themselves.")

    def _tell_json(self, moving: Moving) -> None:
        import msgspec

        typer.echo(msgspec.json.encode(moving).decode())


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
