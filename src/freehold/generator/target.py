"""What the generator knows about a language: what it emits, and how that is formatted, set up and started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from freehold.generator.deploy import Container
from freehold.generator.migrations import History
from freehold.generator.plan import ServicePlan
from freehold.schema.model import Schema

Format = Callable[[str, str], str]
"""Path and text to the text as the repository's own formatter leaves it."""

Parser = Callable[[str], object]
"""Raises SyntaxError or ValueError when the text is no file of its kind."""

Command = tuple[str, ...]
"""Words, in which `{python}` is the interpreter that runs Freehold, and `{cache}` a folder that services with
the same lock files share."""


@dataclass(frozen=True)
class Commands:
    """How a service is run: commands in its folder, with the environment that `.env.example` documents."""

    locks: tuple[str, ...]
    """The files that say what is installed."""
    setup: tuple[Command, ...]
    """Install what the locks name, into the cache."""
    build: tuple[Command, ...]
    """Make of this service's sources what is started; empty where nothing is."""
    migrate: Command
    start: Command
    api_key: Command
    """Issues, lists and revokes API keys, in services that take them."""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """One language that a service can be written in."""

    name: str
    """What `--lang` takes."""
    title: str
    emit: Callable[[Schema, ServicePlan, History], dict[str, str]]
    """Path to text of every file."""
    formatter: Callable[[Path], Format]
    """The formatter of the repository in a folder, with the configuration that it has there."""
    parsers: Mapping[str, Parser]
    """Suffix of a source file to what tells whether a merged one is still whole."""
    commands: Commands
    container: Container
    once: tuple[str, ...] = ()
    """Patterns of files that are written once and are their owner's from then on."""


class FormatterMissing(RuntimeError):
    """The formatter of a language cannot be run."""
