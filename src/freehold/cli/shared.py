"""What commands share: options, settings, how an answer is shown, and how a refusal is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from freehold.config import Settings

Data = Annotated[
    Path | None, typer.Option(help="The directory of everything that is kept.", show_default="data")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_of(process: str, **overrides: object) -> Settings:
    from freehold.config import load_settings

    settings = load_settings(overrides)
    settings = replace(settings, data=settings.data.resolve())
    from freehold.web import logs

    logs.configure(settings, process=process)
    return settings


def settings_of_running(process: str, data: Path | None) -> Settings:
    """The settings, with the address of the database that `freehold up` runs if none is told."""
    settings = settings_of(process, data=data)
    if settings.database_url:
        return settings
    from freehold.db.embedded import dsn_of_running

    return replace(settings, database_url=dsn_of_running(settings.data / "postgresql"))


def show(
    head: tuple[str, ...], rows: Sequence[tuple[object, ...]], found: object, *, as_json: bool, none: str
) -> None:
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(found).decode())
        return
    if not rows:
        typer.echo(none)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(str(each)) for each in row))
    Console().print(table)


@contextmanager
def refusals() -> Iterator[None]:
    """Say why we do not go on, in a line or two on stderr, rather than with a traceback."""
    from freehold.config import Refusal

    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except Refusal as refusal:
        for line in str(refusal).splitlines():
            typer.echo(f"freehold: {line}", err=True)
        sys.exit(2)
