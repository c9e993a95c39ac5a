"""Keys of a console user's account: what they do without a session, and what they have no part in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.platform import PASSWORD, Platform, Project, User, error_of, running_platform, session_of
from tests.postgres import Server
from tests.services.inbox import running_inbox
from tests.services.second_factor import run_sql

EVERYTHING = ["account", "teams.read", "teams.write"]


@pytest.fixture
def ends(platform: Platform) -> Iterator[None]:
    """Leaves the console's user without keys."""
    yield
    for key in platform.console.get("/account/keys").json()["keys"]:
        platform.console.delete(f"/account/keys/{key['$id']}")


def make(platform: Platform, scopes: list[str], **said: str) -> str:
    """The text of a new key of the console's first user."""
    made = platform.console.post("/account/keys", json={"name": "CI", "scopes": scopes, **said})
    assert made.status_code == 201, made.text
    secret = str(made.json()["secret"])
    assert secret.startswith("account_")
    return secret


def holding(platform: Platform, key: str, **headers: str) -> httpx.Client:
    return platform.client("console", key=key, **headers)


@pytest.mark.usefixtures("ends")
def test_a_key_acts_for_the_account_within_its_scopes(platform: Platform) -> None:
    root = platform.console.get("/account").json()
    key = make(platform, ["account"])
    client = holding(platform, key)

    assert client.get("/account").json()["$id"] == root["$id"]
    assert client.patch("/account/prefs", json={"prefs": {"theme": "dark"}}).json()["prefs"] == {
        "theme": "dark"
    }
    assert holding(platform, key, **{"X-Appwrite-User": root["$id"]}).get("/account").status_code == 200
    assert error_of(client.get("/teams")) == (401, "general_unauthorized_scope")
    assert error_of(client.get("/projects"))[0] == 401
    teams = holding(platform, make(platform, ["teams.read", "teams.write"]))
    assert teams.get("/teams/default").status_code == 200
    assert teams.post("/teams", json={"teamId": "unique()", "name": "By key"}).status_code == 201
    assert error_of(teams.get("/account")) == (401, "general_unauthorized_scope")
    [noted] = [each for each in platform.console.get("/account/keys").json()["keys"] if each["secret"] == key]
    assert noted["accessedAt"]


@pytest.mark.usefixtures("ends")
def test_a_key_counts_nowhere_else_and_for_nobody_else(
    platform: Platform, project: Project, jane: User
) -> None:
    key = make(platform, EVERYTHING)

    for stray in (
        platform.client(project.id, key=key),
        holding(platform, key, **{"X-Appwrite-User": "somebody"}),
        holding(platform, key + "0"),
        platform.client(project.id, key=key, mode="admin"),
    ):
        assert error_of(stray.get("/account")) == (401, "general_unauthorized_scope")
    refused = jane.client.post("/account/keys", json={"name": "Mine", "scopes": ["account"]})
    assert error_of(refused) == (401, "general_access_forbidden")
    unknown = platform.console.post("/account/keys", json={"name": "CI", "scopes": ["projects.write"]})
    assert error_of(unknown) == (400, "general_argument_invalid")


@pytest.mark.usefixtures("ends")
def test_a_key_is_changed_expires_and_is_deleted_and_that_holds_at_once(platform: Platform) -> None:
    key = make(platform, ["account"], keyId="ci")
    client = holding(platform, key)
    assert client.get("/account").status_code == 200

    changed = platform.console.put("/account/keys/ci", json={"name": "CI", "scopes": ["teams.read"]})
    assert changed.json()["scopes"] == ["teams.read"]
    assert client.get("/account").status_code == 401
    past = {"name": "CI", "scopes": ["account"], "expire": "2020-01-01T00:00:00.000+00:00"}
    platform.console.put("/account/keys/ci", json=past)
    assert error_of(client.get("/account")) == (401, "project_key_expired")
    platform.console.put("/account/keys/ci", json={"name": "CI", "scopes": ["account"]})
    assert client.get("/account").status_code == 200
    assert platform.console.get("/account/keys/ci").json()["secret"] == key
    assert platform.console.delete("/account/keys/ci").status_code == 204
    assert client.get("/account").status_code == 401
    assert error_of(platform.console.get("/account/keys/ci")) == (404, "key_not_found")


def made_in_person() -> list[Endpoint]:
    return [each for each in endpoints() if each.in_person and each.service in ("account", "organization")]


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("endpoint", made_in_person(), ids=lambda each: f"{each.service}-{each.name}")
def test_s45_a_key_cannot_get_more_than_it_is(platform: Platform, endpoint: Endpoint) -> None:
    client = holding(platform, make(platform, EVERYTHING), **{"X-Appwrite-Organization": "default"})
    path = re.sub(r"{\w+}", "x", endpoint.path.removeprefix("/v1"))
    answer = client.request(
        endpoint.method, path, json=None if endpoint.method == "GET" else {"name": "x", "scopes": []}
    )

    assert error_of(answer) in ((401, "user_unauthorized"), (401, "general_unauthorized_scope"))
    assert platform.console.get("/account").status_code == 200


@pytest.mark.usefixtures("ends")
def test_the_database_has_no_key_to_read_and_the_log_tells_of_it(
    platform: Platform, project: Project
) -> None:
    key = make(platform, ["account"], keyId="kept")
    [kept] = run_sql(
        project, "select to_jsonb(k)::text as kept from freehold.account_keys k where id = 'kept'"
    )
    assert key.removeprefix("account_")[:20] not in kept["kept"]
    told = run_sql(
        project, "select payload::text as payload from freehold.outbox where event like '%keys.kept.create'"
    )
    assert key.removeprefix("account_")[:20] not in str(told)

    deadline = time.monotonic() + 30
    while "key.create" not in {log["event"] for log in platform.console.get("/account/logs").json()["logs"]}:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.usefixtures("ends")
def test_the_log_tells_what_a_key_did_from_what_its_user_did(platform: Platform) -> None:
    root = platform.console.get("/account").json()
    client = holding(platform, make(platform, ["account"], keyId="ci"))
    assert client.patch("/account/prefs", json={"prefs": {"by": "key"}}).status_code == 200
    assert platform.console.patch("/account/prefs", json={"prefs": {"by": "hand"}}).status_code == 200
    deadline = time.monotonic() + 30
    told: list[dict[str, str]] = []
    while {each["userType"] for each in told} != {"user", "keyAccount"}:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        logs = platform.console.get("/account/logs").json()["logs"]
        told = [each for each in logs if each["event"] == "user.update.prefs"][:2]

    by_hand, by_key = sorted(told, key=lambda each: each["userType"], reverse=True)
    assert (by_key["userId"], by_key["userName"]) == (root["$id"], f"{root['name'] or root['$id']} by key ci")
    assert (by_hand["userId"], by_hand["userName"]) == (root["$id"], root["name"])
    assert (by_key["mode"], by_hand["mode"]) == ("default", "default")


@pytest.mark.usefixtures("ends")
def test_the_key_of_a_blocked_user_opens_nothing(platform: Platform, project: Project) -> None:
    key = make(platform, EVERYTHING)
    root = platform.console.get("/account").json()["$id"]
    run_sql(
        project, "update freehold.users set enabled = false where project_id = 'console' and id = $1", root
    )
    try:
        run_sql(project, "select pg_notify('freehold_changed', $1)", f"user:console:{root}")
        deadline = time.monotonic() + 30
        while holding(platform, key).get("/account").status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert error_of(holding(platform, key).get("/account")) == (403, "user_blocked")
    finally:
        run_sql(
            project, "update freehold.users set enabled = true where project_id = 'console' and id = $1", root
        )
        run_sql(project, "select pg_notify('freehold_changed', $1)", f"user:console:{root}")


def test_s28_a_key_that_a_squatter_has_made_is_void_once_the_address_is_proven(postgres: Server) -> None:
    """Whoever registers with another's address on the console keeps no way into the account."""
    email = "victim@example.com"
    with (
        running_inbox() as inbox,
        running_platform(postgres, "--dev", **inbox.settings, FREEHOLD_CONSOLE_EMAILS=email) as office,
    ):
        office.register_root()
        guest = office.client("console")
        registered = {"userId": "squatter", "email": email, "password": PASSWORD}
        assert guest.post("/account", json=registered).status_code == 201
        login = guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
        squatter = office.client("console", session=session_of(login))
        made = squatter.post("/account/keys", json={"name": "CI", "scopes": ["account"]})
        assert made.status_code == 201, made.text
        with_key = office.client("console", key=made.json()["secret"])
        before = with_key.get("/account").status_code

        sent = guest.post("/account/tokens/email", json={"userId": "unique()", "email": email})
        proof = {"userId": sent.json()["userId"], "secret": inbox.mail_to(email).code}
        victim = guest.post("/account/sessions/token", json=proof)
        keys = office.client("console", session=session_of(victim)).get("/account/keys").json()
        deadline = time.monotonic() + 30
        while with_key.get("/account").status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.05)

        assert before == 200
        assert keys["total"] == 0
        assert error_of(with_key.get("/account"))[0] == 401
