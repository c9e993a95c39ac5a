"""`freehold signing-keys`: what users' JWTs are signed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli.shared import AsJson, Data, refusals, settings_of_running, show

if TYPE_CHECKING:
    from freehold.web.signing import KeyState

commands = typer.Typer(help="What users' JWTs are signed with.", no_args_is_help=True)
Projects = Annotated[list[str] | None, typer.Argument(help="Ids of projects.")]


@commands.command("list")
def list_keys(projects: Projects = None, data: Data = None, as_json: AsJson = False) -> None:
    """Show the keys of projects, or of all: which is served and waits, which signs, and which has signed.

    Reads the database that DATABASE_URL names, or that `freehold up` runs in the data directory."""
    with refusals():
        from freehold.process import ask
        from freehold.web import signing

        found = ask(settings_of_running("signing-keys", data), lambda db: signing.states(db, projects or []))
        _show(found, as_json=as_json)


@commands.command()
def rotate(
    projects: Projects = None,
    every: Annotated[bool, typer.Option("--all", help="Of all projects.")] = False,
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="As when a key was seen by others: what the old ones signed is void."),
    ] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Have a new key follow the one that signs. The platform goes on meanwhile.

    The new key is served from now on and signs in ten minutes, so that everybody has it by then. The old one
    is served, and what it signed holds, until the last of its tokens has ended. With --revoke the new key
    signs at once, and nothing else holds any more: services notice within the hour at the latest."""
    with refusals():
        from freehold.config import Refusal, with_secret
        from freehold.process import ask
        from freehold.web import signing

        if bool(projects) == every:
            raise Refusal("Say which projects: their ids, or --all.")
        settings = with_secret(settings_of_running("signing-keys", data))
        found = ask(settings, lambda db: signing.rotate(db, settings, projects or [], revoke=revoke))
        _show(found, as_json=as_json)


def _show(found: list[KeyState], *, as_json: bool) -> None:
    show(
        ("project", "key", "state", "signs from", "ends"),
        [
            (
                each.project,
                each.key,
                each.state,
                f"{each.signs_from:%Y-%m-%d %H:%M:%S}",
                f"{each.ends_at:%Y-%m-%d %H:%M:%S}" if each.ends_at is not None else "",
            )
            for each in found
        ],
        found,
        as_json=as_json,
        none="No project has a key yet: its first JWT makes one.",
    )
