"""Where the values of settings come from: the command line, the environment, and freehold.toml."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from freehold.config.kinds import Kind
from freehold.config.refusals import ConfigError
from freehold.config.secret import problems_of_secret
from freehold.config.settings import PREFIX, Settings, variable_name, written

FILE_NAME = "freehold.toml"


def load_settings(
    overrides: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Settings:
    """Read the settings: overrides (the command line) win over the environment, that over freehold.toml.

    Raises ConfigError with everything that is wrong at once.
    """
    environment = os.environ if environment is None else environment
    problems: list[str] = []
    values: dict[str, Any] = {}
    file = Path(environment.get(f"{PREFIX}CONFIG") or (directory or Path.cwd()) / FILE_NAME)
    in_file = _read_file(file, named=f"{PREFIX}CONFIG" in environment, problems=problems)
    _refuse_misspelt(in_file, environment, file, problems)
    for one in fields(Settings):
        for where, text in _places(one, overrides or {}, environment, in_file, file):
            kind: Kind = one.metadata["kind"]
            try:
                values[one.name] = kind.read(text)
            except ValueError:
                problems.append(
                    f"{where} {_shown_value(one, text)}, but it has to be {kind.says}. {one.metadata['says']}"
                )
            break
    if values.get("secret"):
        problems += problems_of_secret(values["secret"])
    if values.get("storage") == "s3" and not values.get("s3_bucket"):
        problems.append("FREEHOLD_STORAGE is s3, but no bucket is named. Set FREEHOLD_S3_BUCKET.")
    if problems:
        raise ConfigError(problems)
    return Settings(**values)


def _read_file(file: Path, *, named: bool, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            problems.append(
                f"{PREFIX}CONFIG names {file}, which is not there. Correct the path, or unset it."
            )
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{file} cannot be read: {error}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{file} is not TOML: {error}")
    return {}


def _refuse_misspelt(
    in_file: Mapping[str, Any],
    environment: Mapping[str, str],
    file: Path,
    problems: list[str],
) -> None:
    """Refuse unknown keys of the file, and variables that look like a setting misspelt."""
    known = [one.name for one in fields(Settings)]
    for key in in_file:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.6)
            hint = f"Did you mean {near[0]!r}?" if near else "docs/settings.md lists those that there are."
            problems.append(f"{file}: there is no setting {key!r}. {hint}")
    for variable in environment:
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name in (*known, "config"):
            continue
        if near := difflib.get_close_matches(name, known, 1, 0.85):
            problems.append(f"{variable}: there is no such setting. Did you mean {PREFIX}{near[0].upper()}?")


def _places(
    one: Field[Any],
    overrides: Mapping[str, object],
    environment: Mapping[str, str],
    in_file: Mapping[str, Any],
    file: Path,
) -> list[tuple[str, str]]:
    """Where a setting is told, the place that wins first. An empty variable tells nothing."""
    places: list[tuple[str, str]] = []
    if overrides.get(one.name) is not None:
        places.append((f"--{one.name.replace('_', '-')} is", written(overrides[one.name])))
    for variable in (variable_name(one), *one.metadata["names"]):
        if environment.get(variable):
            places.append((f"{variable} is", environment[variable]))
    if one.name in in_file:
        places.append((f"{file}: {one.name} is", written(in_file[one.name])))
    return places


def _shown_value(one: Field[Any], text: str) -> str:
    return "a value that is not shown here" if one.metadata["secret"] else repr(text[:80])
