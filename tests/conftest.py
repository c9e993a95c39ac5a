"""What every test may ask for: a real PostgreSQL, and a fresh database on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import Database, Server, running_server


def pytest_configure(config: pytest.Config) -> None:
    """Let `async def` tests and fixtures simply be written (the anyio plugin runs them)."""
    config.option.anyio_mode = "auto"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One PostgreSQL for this test process."""
    with running_server() as server:
        yield server


@pytest.fixture
def database(postgres: Server) -> Iterator[Database]:
    """A fresh, empty database."""
    fresh = postgres.create_database()
    yield fresh
    postgres.drop_database(fresh)


@pytest.fixture
def database_url(database: Database) -> str:
    """A fresh, empty database, as the ordinary role that owns it."""
    return database.url


@pytest.fixture
def admin_url(database: Database) -> str:
    """The same database as `database_url`, as the superuser."""
    return database.admin_url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the reference contract stands, when that has been measured."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if any("tests/contract/test_coverage.py" in getattr(report, "nodeid", "") for report in reports):
        from tests.contract.coverage import numbers

        terminalreporter.write_line(f"Coverage of the reference contract: {numbers()}")
