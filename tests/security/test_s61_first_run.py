"""S61: the console's first user is one, registration does not open again, and a first start is made once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from freehold.app import bootstrap
from freehold.config import Settings
from freehold.db.migrate import migrate
from tests.platform import PASSWORD, Platform, error_of, running_platform, unique
from tests.postgres import Database, Server

SECRET = "0123456789abcdefABCDEF-a-secret-of-tests"


@pytest.fixture
def untouched(postgres: Server) -> Iterator[Platform]:
    """A platform whose console nobody has registered on."""
    with running_platform(postgres, "--dev") as running:
        yield running


def registration(email: str) -> dict[str, str]:
    return {"userId": "unique()", "email": email, "password": PASSWORD, "name": "x"}


def test_s61_of_many_who_register_at_once_exactly_one_becomes_the_first(untouched: Platform) -> None:
    def register(number: int) -> tuple[int, str]:
        answer = untouched.client("console").post(
            "/account", json=registration(f"{unique('u')}-{number}@example.com")
        )
        return answer.status_code, answer.json().get("type", "")

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(register, range(8)))

    assert answers == [(201, "")] + [(501, "user_console_count_exceeded")] * 7


def test_s61_registration_stays_closed_when_the_first_user_is_gone(untouched: Platform) -> None:
    untouched.register_root()

    async def forget() -> None:
        connection = await asyncpg.connect(untouched.database_url)
        await connection.execute("delete from freehold.users where project_id = 'console'")
        await connection.close()

    asyncio.run(forget())
    late = untouched.client("console").post("/account", json=registration("late@example.com"))
    assert error_of(late) == (501, "user_console_count_exceeded")


def test_s61_a_failed_registration_leaves_the_first_place_free(untouched: Platform) -> None:
    console = untouched.client("console")
    bad = console.post("/account", json=registration("nobody"))

    assert error_of(bad) == (400, "general_argument_invalid")
    assert console.post("/account", json=registration("root@example.com")).status_code == 201


def test_s61_only_those_on_the_list_follow_the_first(postgres: Server) -> None:
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS="Ann@example.com") as running:
        console = running.client("console")
        assert console.post("/account", json=registration("root@example.com")).status_code == 201

        eve = console.post("/account", json=registration("eve@example.com"))
        assert error_of(eve) == (401, "user_email_not_whitelisted")
        assert console.post("/account", json=registration("ann@EXAMPLE.com")).status_code == 201


def test_s61_nobody_registers_from_an_address_that_is_not_on_the_list(postgres: Server) -> None:
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_IPS="10.0.0.0/8") as running:
        console = running.client("console")
        root = console.post(
            "/account", json=registration("root@example.com"), headers={"X-Forwarded-For": "10.0.0.1"}
        )
        assert error_of(root) == (401, "user_ip_not_whitelisted")


def settings_for(database: Database, secret: str = SECRET) -> Settings:
    return Settings(database_url=database.url, secret=secret)


async def test_s61_starts_that_race_make_one_project_and_print_one_key(database: Database) -> None:
    await migrate(database.url)
    settings = settings_for(database)
    made = await asyncio.gather(*(bootstrap(settings) for _ in range(5)))
    later = await bootstrap(settings)

    assert {each.project for each in made} == {"default"}
    assert {each.key for each in made} == {later.key}
    assert later.key.startswith("standard_")


async def test_s61_a_default_project_that_was_deleted_does_not_come_back(database: Database) -> None:
    await migrate(database.url)
    settings = settings_for(database)
    await bootstrap(settings)
    connection = await asyncpg.connect(database.url)
    await connection.execute("delete from freehold.projects where id = 'default'")
    again = await bootstrap(settings)
    left = await connection.fetchval("select count(*) from freehold.projects")
    await connection.close()

    assert again == ("", "")
    assert left == 1


async def test_s61_the_key_is_not_in_the_database_as_text(database: Database) -> None:
    await migrate(database.url)
    made = await bootstrap(settings_for(database))
    other = await bootstrap(settings_for(database, secret="another" + "0123456789abcdefABCDEF0123"))
    connection = await asyncpg.connect(database.url)
    row = await connection.fetchrow("select secret_digest, secret_sealed from freehold.keys")
    await connection.close()

    secret = made.key.removeprefix("standard_").encode()
    assert row is not None
    assert secret not in row["secret_sealed"]
    assert secret not in row["secret_digest"]
    assert other.key == ""
