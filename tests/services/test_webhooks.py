"""Webhooks as they are set up; who delivers to them is another matter."""

from __future__ import annotations

import pytest
from appwrite.exception import AppwriteException
from appwrite.services.webhooks import Webhooks

from freehold.errors import InvalidParameter
from freehold.services.webhooks.addresses import check_url
from freehold.services.webhooks.grammar import is_event
from tests.platform import Project, error_of

URL = "https://example.com/hook"


def service(project: Project) -> Webhooks:
    return Webhooks(project.sdk(key=project.key))


def test_a_webhook_is_made_changed_found_and_deleted(project: Project) -> None:
    made = service(project).create("hook", URL, "Hook", ["users.*.create", "users.*.create"], tls=True)
    assert (made.url, made.events, made.tls, made.enabled) == (URL, ["users.*.create"], True, True)
    service(project).update("hook", "Renamed", f"{URL}/2", ["teams.*"], enabled=False)

    found = service(project).get("hook")
    assert (found.name, found.url, found.events, found.enabled) == ("Renamed", f"{URL}/2", ["teams.*"], False)
    assert [each.id for each in service(project).list().webhooks] == ["hook"]
    service(project).delete("hook")
    assert service(project).list().total == 0


def test_the_secret_is_told_once_and_the_password_never(project: Project) -> None:
    made = service(project).create(
        "hook", URL, "Hook", ["users.*"], auth_username="jane", auth_password="hush-hush"
    )
    given = service(project).update_secret("hook", "a secret of my own")
    renewed = service(project).update_secret("hook")

    assert len(made.secret) == 128
    assert given.secret == "a secret of my own"
    assert renewed.secret not in ("", made.secret, given.secret)
    for answer in (project.server.get("/webhooks/hook"), project.admin.get("/webhooks")):
        assert renewed.secret not in answer.text
        assert "hush-hush" not in answer.text
    assert (made.authusername, made.authpassword) == ("jane", "")


@pytest.mark.parametrize(
    "event",
    ["users", "users.*.explode", "users.*.update.hair", "kittens.*.create", "users..create",
     "users.*.create.email", "teams.*.prefs.*.update", "*", "", "users.*.update.email.more"],
)  # fmt: skip
def test_an_event_that_never_happens_is_refused(project: Project, event: str) -> None:
    with pytest.raises(AppwriteException) as error:
        service(project).create("hook", URL, "Hook", ["users.*.create", event])

    assert error.value.type == "general_argument_invalid"
    assert service(project).list().total == 0


@pytest.mark.parametrize(
    "event",
    ["users.*", "users.jane.sessions.*.create", "users.*.update.email", "teams.*.memberships.*.update.status",
     "databases.shop.tables.*.rows.*.upsert", "databases.*.collections.*.documents.*.create",
     "tablesdb.*.tables.*.columns.*.delete", "buckets.*.files.*", "reports.*.insights.*.update"],
)  # fmt: skip
def test_events_of_the_grammar_can_be_asked_for(event: str) -> None:
    assert is_event(event)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:9000/", "http://10.1.2.3/", "https://192.168.0.4/x",
     "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://[fd00::1]/", "http://db.internal/",
     "http://postgres/", "http://2130706433/", "http://127.1/", "http://0x7f000001/", "ftp://example.com/",
     "https://jane:hush@example.com/", "https://", "example.com", "https://exa mple.com/", "http://[::"],
)  # fmt: skip
def test_a_webhook_does_not_lead_into_the_inner_network(url: str) -> None:
    with pytest.raises(InvalidParameter):
        check_url(url, inner=False)


def test_a_webhook_leads_into_the_world_and_in_development_anywhere() -> None:
    check_url(URL, inner=False)
    check_url("http://203.0.114.7:8080/hook?x=1", inner=False)
    check_url("http://localhost:9000/", inner=True)


def test_older_sdks_have_their_paths_and_words(project: Project) -> None:
    console, at = project.platform.console, f"/projects/{project.id}/webhooks"
    old = {"X-Appwrite-Response-Format": "1.8.0"}
    body = {"name": "Old", "url": URL, "events": ["users.*"], "enabled": True, "security": True,
            "httpUser": "jane", "httpPass": "hush"}  # fmt: skip
    made = console.post(at, json=body, headers=old)
    assert made.status_code == 201, made.text
    signature = console.patch(f"{at}/{made.json()['$id']}/signature", headers=old).json()["signatureKey"]
    [listed] = console.get(at, headers=old).json()["webhooks"]

    assert len(signature) == 128
    assert (listed["security"], listed["httpUser"], listed["httpPass"]) == (True, "jane", "")
    assert listed["signatureKey"] == ""
    assert service(project).get(listed["$id"]).tls


def test_webhooks_are_for_servers_and_the_console(project: Project) -> None:
    jane = project.new_user()
    key = project.platform.client(project.id, key=project.key_with("webhooks.read"))

    assert error_of(jane.client.get("/webhooks")) == (401, "general_unauthorized_scope")
    assert key.get("/webhooks").status_code == 200
    assert error_of(key.delete("/webhooks/hook")) == (401, "general_unauthorized_scope")
