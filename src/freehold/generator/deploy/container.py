"""What an image and a workflow have to know of a language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PORT = 8000
METRICS_PORT = 9090
DATABASE_IMAGE = "postgres:17.6@sha256:00bc86618629af00d2937fdc5a5d63db3ff8450acf52f0636ec813c7f4902929"
USER = 10001
"""The user of the process: no name and no home, and never root."""

Words = tuple[str, ...]
"""A command as its words, which no shell reads."""


@dataclass(frozen=True)
class Action:
    """A step of GitHub that makes the language's tools available, pinned to a commit."""

    name: str
    commit: str
    version: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Container:
    """How the sources of a language become an image, and what runs in it."""

    build_image: str
    """With a tag, which says what it is, and a digest, which is what is fetched; so is `image`."""
    locks: Words
    """What says which packages are installed. Copied first, so that new sources install nothing anew."""
    install: Words
    """Lines of a shell, after the locks are there."""
    image: str
    """What the service runs in."""
    built: tuple[tuple[str, str], ...]
    """Paths of the build stage, and where they are in the image."""
    start: Words
    migrate: Words
    """The migration runner; `up`, `roles` or `seed` follow."""
    api_key: Words
    """Issues, lists and revokes API keys, in services that take them."""
    setup: Action
    built_for_keys: tuple[tuple[str, str], ...] = ()
    """The same of services that take API keys."""
    sources: Words = ()
    """What the build reads beside the locks."""
    build: Words = ()
    """Lines of a shell, after the sources are there."""
    files: Words = ()
    """What the image takes from the repository."""
    environment: Mapping[str, str] | None = None
    ignored: Words = ()
    """What is never sent to the image's build, beside what no language needs there."""
    tls: str = "require"
    """What PGSSLMODE has to be for a connection that is encrypted, and not checked against a CA."""
    memory_mb: int = 256
    """What one process is given."""
