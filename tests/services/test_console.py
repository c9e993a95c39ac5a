"""What the console and the command line ask first, and who gets in there at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from freehold.access import scopes
from freehold.app import bootstrap
from freehold.config import Settings
from freehold.db.migrate import migrate
from tests.platform import PASSWORD, Platform, error_of, running_platform, session_of, unique
from tests.postgres import Database, Server

SECRET = "0123456789abcdefABCDEF-a-secret-of-tests"


@pytest.fixture
def untouched(postgres: Server) -> Iterator[Platform]:
    """A platform whose console nobody has registered on."""
    with running_platform(postgres, "--dev") as running:
        yield running


def registration(email: str) -> dict[str, str]:
    return {"userId": "unique()", "email": email, "password": PASSWORD, "name": "x"}


def test_of_many_who_register_at_once_exactly_one_becomes_the_first(untouched: Platform) -> None:
    def register(number: int) -> tuple[int, str]:
        answer = untouched.client("console").post(
            "/account", json=registration(f"{unique('u')}-{number}@example.com")
        )
        return answer.status_code, answer.json().get("type", "")

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(register, range(8)))

    assert answers == [(201, "")] + [(501, "user_console_count_exceeded")] * 7


def test_registration_stays_closed_when_the_first_user_is_gone(untouched: Platform) -> None:
    untouched.register_root()

    async def forget() -> None:
        connection = await asyncpg.connect(untouched.database_url)
        await connection.execute("delete from freehold.users where project_id = 'console'")
        await connection.close()

    asyncio.run(forget())
    late = untouched.client("console").post("/account", json=registration("late@example.com"))
    assert error_of(late) == (501, "user_console_count_exceeded")


def test_a_failed_registration_leaves_the_first_place_free(untouched: Platform) -> None:
    console = untouched.client("console")
    bad = console.post("/account", json=registration("nobody"))

    assert error_of(bad) == (400, "general_argument_invalid")
    assert console.post("/account", json=registration("root@example.com")).status_code == 201


def test_only_those_on_the_list_follow_the_first(postgres: Server) -> None:
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS="Ann@example.com") as running:
        console = running.client("console")
        assert console.post("/account", json=registration("root@example.com")).status_code == 201

        eve = console.post("/account", json=registration("eve@example.com"))
        assert error_of(eve) == (401, "user_email_not_whitelisted")
        assert console.post("/account", json=registration("ann@EXAMPLE.com")).status_code == 201


def test_nobody_registers_from_an_address_that_is_not_on_the_list(postgres: Server) -> None:
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_IPS="10.0.0.0/8") as running:
        console = running.client("console")
        root = console.post(
            "/account", json=registration("root@example.com"), headers={"X-Forwarded-For": "10.0.0.1"}
        )
        assert error_of(root) == (401, "user_ip_not_whitelisted")


def test_the_variables_tell_the_truth(platform: Platform) -> None:
    variables = platform.console.get("/console/variables").json()

    assert variables["_APP_DB_ADAPTER"] == "postgresql"
    assert variables["supportForSchemas"] is True
    assert variables["_APP_VCS_ENABLED"] is False
    assert len(variables) == 29


def test_the_scopes_are_those_that_keys_may_hold(platform: Platform) -> None:
    listed = platform.console.get("/console/scopes/project").json()
    organization = platform.console.get("/console/scopes/organization").json()

    assert {each["$id"] for each in listed["scopes"]} == scopes.ALL_PROJECT
    assert listed["total"] == len(scopes.ALL_PROJECT)
    assert {each["$id"] for each in listed["scopes"] if each["deprecated"]} == scopes.DEPRECATED
    assert [each["$id"] for each in organization["scopes"]] == list(scopes.ORGANIZATION)


def test_the_console_has_no_admin_mode(platform: Platform) -> None:
    answer = platform.console.get("/account", headers={"X-Appwrite-Mode": "admin"})

    assert error_of(answer) == (400, "general_bad_request")


def test_a_console_user_is_nobody_in_a_project_without_admin_mode(platform: Platform) -> None:
    project = platform.new_project()
    cookie = {"Cookie": f"a_session_console={platform.root_session}"}

    assert error_of(project.guest.get("/users", headers=cookie)) == (401, "general_unauthorized_scope")
    assert project.guest.get("/users", headers={**cookie, "X-Appwrite-Mode": "admin"}).status_code == 200


def test_the_users_of_the_console_are_listed_to_nobody(platform: Platform) -> None:
    assert error_of(platform.console.get("/users")) == (401, "general_unauthorized_scope")


def test_signing_in_on_the_console_gives_a_cookie_of_its_own(platform: Platform) -> None:
    answer = platform.client("console").post(
        "/account/sessions/email", json={"email": "root@example.com", "password": PASSWORD}
    )

    assert session_of(answer) != platform.root_session
    assert answer.json()["secret"] == ""


def settings_for(database: Database, secret: str = SECRET) -> Settings:
    return Settings(database_url=database.url, secret=secret)


async def test_starts_that_race_make_one_project_and_print_one_key(database: Database) -> None:
    await migrate(database.url)
    settings = settings_for(database)
    made = await asyncio.gather(*(bootstrap(settings) for _ in range(5)))
    later = await bootstrap(settings)

    assert {each.project for each in made} == {"default"}
    assert {each.key for each in made} == {later.key}
    assert later.key.startswith("standard_")


async def test_a_default_project_that_was_deleted_does_not_come_back(database: Database) -> None:
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


async def test_the_key_is_not_in_the_database_as_text(database: Database) -> None:
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
