"""The secret of an installation: told, or made at its first start, and never one that can be guessed."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import replace

from freehold.config.refusals import ConfigError
from freehold.config.settings import PREFIX, Settings

LEAST_SECRET_CHARACTERS = 32


def with_secret(settings: Settings) -> Settings:
    """The settings with their secret: the one told, or this installation's own, made at its first start."""
    if settings.secret:
        return settings
    path = settings.data / "secret"
    if not path.exists():
        settings.data.mkdir(parents=True, exist_ok=True)
        draft = settings.data / f"secret.{os.getpid()}.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # fails when another process was first, whose secret then holds
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise ConfigError(
            [f"{path} can be read by others than its owner. Run `chmod 600 {path}`, then start again."]
        )
    secret = path.read_text().strip()
    if problems := problems_of_secret(secret, where=str(path)):
        raise ConfigError(problems)
    return replace(settings, secret=secret)


_WELL_KNOWN = re.compile(
    r"change.?me|your.?secret|secret.?key|insert.?key|example|password|passw0rd|default|qwerty|"
    r"0123456789abcdef0123456789abcdef|deadbeef|lorem|abcdefghijkl|123456789",
    re.IGNORECASE,
)


def problems_of_secret(secret: str, where: str = f"{PREFIX}SECRET") -> list[str]:
    """What makes a secret unfit, as a line that says how to mend it."""
    mend = "Make one with `openssl rand -hex 32`, or leave it out and one is made for you."
    if len(secret) < LEAST_SECRET_CHARACTERS:
        return [f"{where} is too short: a secret has at least {LEAST_SECRET_CHARACTERS} characters. {mend}"]
    if _WELL_KNOWN.search(secret) or len(set(secret)) < 10:
        return [f"{where} can be guessed: it is a well-known or a repeating text. {mend}"]
    return []
