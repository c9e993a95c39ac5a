"""What users of the console are told of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from io import BytesIO

import asyncpg
import httpx
import pytest
from PIL import Image

from tests.platform import PASSWORD, Platform, error_of, running_platform, session_of, unique
from tests.postgres import Server

ADA = "ada@example.com"


@pytest.fixture(scope="module")
def office(postgres: Server) -> Iterator[Platform]:
    """A platform on whose console Ada may register."""
    with running_platform(postgres, "--dev", FREEHOLD_CONSOLE_EMAILS=ADA) as running:
        running.register_root()
        registered = {"userId": "ada", "email": ADA, "password": PASSWORD}
        assert running.client("console").post("/account", json=registered).status_code == 201
        yield running


@pytest.fixture
def ada(office: Platform) -> Iterator[httpx.Client]:
    """Another user of the console. What she was told of before is gone."""
    login = {"email": ADA, "password": PASSWORD}
    session = session_of(office.client("console").post("/account/sessions/email", json=login))
    yield office.client("console", session=session)
    run_sql(office, "delete from freehold.notifications")


def run_sql(office: Platform, sql: str, *values: object) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(office.database_url)
        try:
            await connection.execute(sql, *values)
        finally:
            await connection.close()

    asyncio.run(run())


def tell_ada(office: Platform, title: str, kind: str = "alert", about: str | None = None) -> str:
    """Note something for Ada. Gives the notification's id."""
    notification_id = unique("note")
    run_sql(
        office,
        """insert into freehold.notifications
        (project_id, id, user_id, type, channel, title, about_project_id)
        values ('console', $1, 'ada', $2, 'console', $3, $4)""",
        notification_id,
        kind,
        title,
        about,
    )
    return notification_id


def titles(reader: httpx.Client, *queries: str) -> list[str]:
    listed = reader.get("/notifications", params={"queries[]": list(queries)})
    assert listed.status_code == 200, listed.text
    return [each["title"] for each in listed.json()["notifications"]]


def test_one_reads_what_one_is_told_of_and_nobody_elses(office: Platform, ada: httpx.Client) -> None:
    first = tell_ada(office, "Your project is big", about="shop")
    tell_ada(office, "Hello", "news")
    mark = ada.patch(f"/notifications/{first}", json={"read": True}).json()

    assert titles(ada) == ["Your project is big", "Hello"]
    assert titles(ada, '{"method":"equal","attribute":"read","values":[false]}') == ["Hello"]
    assert titles(ada, '{"method":"equal","attribute":"projectId","values":["shop"]}') == [
        "Your project is big"
    ]
    assert (mark["read"], mark["projectId"], mark["messageId"]) == (True, "shop", None)
    assert mark["firstSeen"] == mark["lastSeen"]
    assert mark["firstSeen"] is not None
    assert "Your project is big" not in titles(office.console)
    others = office.console.patch(f"/notifications/{first}", json={"read": False})
    assert error_of(others) == (404, "message_not_found")
    assert ada.get("/notifications").json()["notifications"][0]["read"] is True


def test_what_was_read_can_be_unread_and_stays_seen(office: Platform, ada: httpx.Client) -> None:
    note = tell_ada(office, "Hello")
    seen = ada.patch(f"/notifications/{note}", json={"read": True}).json()
    unread = ada.patch(f"/notifications/{note}", json={"read": False}).json()

    assert (unread["read"], unread["firstSeen"]) == (False, seen["firstSeen"])
    assert error_of(ada.patch(f"/notifications/{note}", json={})) == (400, "general_argument_invalid")


def test_users_of_projects_have_no_notifications(office: Platform, ada: httpx.Client) -> None:
    note = tell_ada(office, "Hello")
    project = office.new_project()
    for caller in (project.new_user().client, project.server, project.guest, office.client("console")):
        assert caller.get("/notifications").status_code == 401
        assert caller.patch(f"/notifications/{note}", json={"read": True}).status_code == 401

    assert ada.get("/notifications").json()["notifications"][0]["read"] is False


def test_the_logo_is_a_picture_for_everybody(platform: Platform) -> None:
    at = f"{platform.endpoint}/notifications/logos/appwrite"
    drawn = {}
    for theme in ("system", "light", "dark"):
        answer = httpx.get(at, params={"theme": theme, "jwt": "x.y.z"})
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"].startswith("public, max-age=")
        drawn[theme] = Image.open(BytesIO(answer.content)).convert("RGBA")
        assert drawn[theme].size == (256, 256)
    told = {theme: image.getpixel((128, 110)) for theme, image in drawn.items()}

    assert told["dark"] == (255, 255, 255, 255)
    assert len(set(told.values())) == 3
    assert drawn["light"].getpixel((0, 0)) == (0, 0, 0, 0)
    assert httpx.get(at).content == httpx.get(at, params={"theme": "system"}).content
    assert error_of(httpx.get(at, params={"theme": "pink"})) == (400, "general_argument_invalid")
    assert error_of(httpx.get(at, params={"jwt": "x" * 2049})) == (400, "general_argument_invalid")
