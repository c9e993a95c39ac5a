"""Settings: where they come from, what is refused, and that their page says what the code says."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from freehold.config import (
    ConfigError,
    Settings,
    load_settings,
    render_reference,
    with_secret,
)

GOOD_SECRET = "5f1c9a7be24d08c36a91f0d4b87e2c5a"


def load(tmp_path: Path, environment: dict[str, str] | None = None, **overrides: object) -> Settings:
    return load_settings(overrides, environment=environment or {}, directory=tmp_path)


def refused(tmp_path: Path, environment: dict[str, str]) -> str:
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, environment)
    return str(refusal.value)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "freehold.toml").write_text('port = 1111\nhost = "::1"\nworkers = 3\n')
    settings = load(
        tmp_path,
        {"FREEHOLD_PORT": "2222", "PORT": "4444", "FREEHOLD_WORKERS": "2"},
        port=3333,
    )

    assert (settings.port, settings.workers, settings.host) == (3333, 2, "::1")
    assert load(tmp_path, {"PORT": "4444"}).port == 4444
    assert load(tmp_path, {"PORT": "4444", "FREEHOLD_PORT": "2222"}).port == 2222


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (
            "PORT",
            "eighty",
            "PORT is 'eighty', but it has to be a whole number from 0 to 65535",
        ),
        ("FREEHOLD_PORT", "70000", "from 0 to 65535"),
        ("FREEHOLD_DEV", "maybe", "true or false"),
        ("FREEHOLD_BODY_LIMIT", "12 parsecs", "a size such as 12MB"),
        ("FREEHOLD_STATEMENT_TIMEOUT_S", "nan", "a number from 0.1 to 3600"),
        ("FREEHOLD_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("FREEHOLD_TRUSTED_PROXIES", "10.0.0.0/99", "addresses or networks"),
        ("FREEHOLD_PUBLIC_ENDPOINT", "https://api.example.com", "ends in /v1"),
        ("FREEHOLD_LOG_LEVLE", "info", "Did you mean FREEHOLD_LOG_LEVEL?"),
        ("FREEHOLD_CONFIG", "/nowhere/freehold.toml", "which is not there"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_it_has_to_be(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    assert words in refused(tmp_path, {variable: value})


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "freehold.toml").write_text("prot = 1\n")
    problems = refused(tmp_path, {"PORT": "x", "FREEHOLD_DEV": "y"})

    assert len(problems.splitlines()) == 3
    assert "Did you mean 'port'?" in problems


def test_a_refusal_never_shows_a_secret(tmp_path: Path) -> None:
    problems = refused(
        tmp_path,
        {"DATABASE_URL": "mysql://root:hunter2@db/x", "FREEHOLD_SECRET": "hunter2"},
    )

    assert "DATABASE_URL" in problems
    assert "FREEHOLD_SECRET" in problems
    assert "hunter2" not in problems


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        {"DATABASE_URL": "postgresql://u:hunter2@db/x", "FREEHOLD_SECRET": GOOD_SECRET},
    )

    assert settings.database_url == "postgresql://u:hunter2@db/x"
    assert "hunter2" not in repr(settings)
    assert GOOD_SECRET not in repr(settings)


@pytest.mark.parametrize(
    "secret",
    ["short", "your-secret-key" * 3, "a" * 64, "changeme-changeme-changeme-changeme"],
)
def test_a_secret_that_can_be_guessed_is_refused(tmp_path: Path, secret: str) -> None:
    assert "openssl rand" in refused(tmp_path, {"FREEHOLD_SECRET": secret})


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = load(tmp_path, data=tmp_path / "data")
    first, second = with_secret(settings), with_secret(settings)

    assert len(first.secret) == 64
    assert first.secret == second.secret
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o777 == 0o600

    (tmp_path / "data" / "secret").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        with_secret(settings)


def test_a_process_that_we_start_gets_the_same_settings(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        {
            "FREEHOLD_TRUSTED_PROXIES": "10.0.0.0/8,::1",
            "FREEHOLD_BODY_LIMIT": "1MB",
            "FREEHOLD_SECRET": GOOD_SECRET,
        },
        dev=True,
        data=Path("elsewhere"),
        access_log=0.25,
    )

    assert load(tmp_path, settings.environment()) == settings
    assert replace(settings, dev=False) != settings


@pytest.mark.parametrize(
    ("told", "endpoint"),
    [
        ({}, "http://127.0.0.1:8080/v1"),
        ({"FREEHOLD_HOST": "0.0.0.0", "PORT": "80"}, "http://127.0.0.1:80/v1"),
        ({"FREEHOLD_HOST": "::"}, "http://[::1]:8080/v1"),
        ({"FREEHOLD_HOST": "fd00::1"}, "http://[fd00::1]:8080/v1"),
        ({"FREEHOLD_PUBLIC_ENDPOINT": "https://api.example.com/v1/"}, "https://api.example.com/v1"),
    ],
    ids=str,
)
def test_the_endpoint_is_the_public_one_or_made_of_host_and_port(
    tmp_path: Path, told: dict[str, str], endpoint: str
) -> None:
    assert load_settings(environment=told, directory=tmp_path).endpoint == endpoint


def test_the_page_of_settings_is_current_and_every_setting_has_a_sentence() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"

    assert page.read_text() == render_reference(), "Run `python -m freehold.config > docs/settings.md`."
    assert all(one.metadata["says"].endswith(".") for one in fields(Settings))
