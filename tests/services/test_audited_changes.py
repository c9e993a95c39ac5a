"""Every change that an endpoint makes of a project, its users, its teams or an organization is in the log.

Generated from the route table: a new endpoint is called as well, and fails as long as nobody knows how.
"""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest

from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.platform import PASSWORD, Platform, Project, User, unique
from tests.process.installation import until
from tests.services.inbox import Inbox
from tests.services.second_factor import run_sql
from tests.services.test_importing_users import FORMATS

SERVICES = ("project", "webhooks", "users", "teams", "projects", "organization")

WITH_A_SECRET = {"updateMembershipStatus"}
"""What takes a secret that was mailed, and so is asked apart."""

LAST = ("delete", "deleteProject")
"""What leaves nothing to be changed."""

ANYTHING: dict[str, Any] = {
    "name": "Anything", "enabled": False, "status": True, "labels": ["blue"], "prefs": {"theme": "dark"},
    "roles": ["owner"], "total": 3, "duration": 3600, "min": 8, "maxAge": 90, "scopes": [], "denyList": [],
    "userId": "unique()", "targetId": "unique()", "platformId": "unique()", "variableId": "unique()",
    "rpId": "example.com", "userName": True, "totp": True, "sessions": False,
    "users": False, "hostname": "shop.example.com", "bundleIdentifier": "com.example", "key": "KEY",
    "applicationId": "com.example", "packageIdentifierName": "com.example", "packageName": "com.example",
    "value": "x", "templateId": "verification", "locale": "en", "subject": "Hello", "message": "Hello",
    "host": "mail.example.com", "otp": "246810", "numbers": [{"phone": "+14155550123", "otp": "246810"}],
    "events": ["users.*.create"],
    "url": "https://example.com/", "provider": "github", "service": "teams", "api": "graphql", "mfa": False,
    "emailVerification": True, "phoneVerification": True, "impersonator": False, "providerType": "push",
    "expire": "2099-01-01T00:00:00.000+00:00", "password": PASSWORD,
}  # fmt: skip
"""A value for whatever a body may ask for; what it does not ask for is ignored."""

OTHERWISE: dict[str, dict[str, Any]] = {
    "updatePasswordStrengthPolicy": {"number": True},
    "updateMembershipPrivacyPolicy": {"userId": True},
    "updateMFAFactorsPolicy": {"email": True},
    "createToken": {"expire": 900},
}
"""What a word stands for in the bodies of some."""

OF_ORGANIZATIONS = {"scopes": ["projects.read"], "url": "http://localhost/", "userId": None}


def body_of(endpoint: Endpoint, world: dict[str, str]) -> dict[str, Any]:
    """What the endpoint takes."""
    fresh = {
        "email": f"{unique('someone')}@example.com",
        "number": world["number"],
        "identifier": unique("token"),
        "teamId": "unique()" if endpoint.service == "teams" else world["teamId"],
    }
    said = ANYTHING | fresh
    imported = endpoint.path.removeprefix("/v1/users/")
    if imported in FORMATS or imported == "sha":
        said |= FORMATS[imported if imported in FORMATS else "sha256"][1]
    said |= OTHERWISE.get(endpoint.name, {})
    if endpoint.service == "organization":
        said |= OF_ORGANIZATIONS
    if endpoint.service == "teams" and endpoint.name == "createMembership":
        said["userId"] = world["userId"]
        del said["email"]
    return said


def ordered(service: str) -> list[Endpoint]:
    """The endpoints of a service that change something: what makes and changes first, what deletes last."""
    found = [
        each
        for each in endpoints()
        if each.service == service and each.method != "GET" and each.emits and each.name not in WITH_A_SECRET
    ]
    deleting = [each for each in found if each.method == "DELETE"]
    deleting.sort(key=lambda each: (each.name in LAST, -each.path.count("/")))
    return [each for each in found if each.method != "DELETE"] + deleting


def learn(endpoint: Endpoint, answer: httpx.Response, world: dict[str, str]) -> None:
    """Keep the id of what was made, by the name that its event gives it."""
    *_, what, action = endpoint.emits.split(".")
    if action == "create" and what.startswith("[") and answer.content:
        made = answer.json().get("$id")  # a key that is not kept has none
        world[what[1:-1]] = made or world[what[1:-1]]


def prepare(project: Project, endpoint: Endpoint, world: dict[str, str]) -> None:
    """What is not there yet: what a user alone makes, a vendor tells of, or another endpoint has deleted."""
    if endpoint.name.startswith("deleteEmailTemplate"):
        assert project.admin.patch("/project/templates/email", json=ANYTHING).status_code == 200
    if endpoint.name == "replayDelivery":
        [delivery] = run_sql(
            project,
            """insert into freehold.webhook_deliveries
            (project_id, webhook_id, event, resource, actor, state, happened_at)
            values ($1, $2, 'teams.t.create', 'teams/t', 'key:k', 'dead', now()) returning key::text""",
            project.id,
            world["webhookId"],
        )
        world["deliveryId"] = delivery["key"]
    if endpoint.service != "users" or "userId" not in world:
        return
    world["identityId"] = world["passkeyId"] = user_id = world["userId"]
    for table, columns, values in (
        ("identities", "id, provider, provider_uid", "$2, 'github', $2"),
        (
            "passkeys",
            "id, rp_id, credential_id, public_key, sign_count",
            "$2, 'example.com', convert_to($2, 'UTF8'), 'k', 0",
        ),
        ("authenticators", "type, secret_sealed, verified", "'totp', 's', true"),
    ):
        run_sql(
            project,
            f"""insert into freehold.{table} (project_id, user_id, {columns})
                select $1, $2, {values} where not exists
                    (select from freehold.{table} where project_id = $1 and user_id = $2)""",
            project.id,
            user_id,
        )


def client_of(project: Project, endpoint: Endpoint, world: dict[str, str]) -> tuple[httpx.Client, str]:
    """Who calls, and how the log names it."""
    platform = project.platform
    root = platform.console.get("/account").json()["$id"]
    if endpoint.service in ("projects", "organization"):
        headers = {"X-Appwrite-Organization": world["teamId"]}
        return platform.client("console", session=platform.root_session, **headers), f"user:{root}"
    if endpoint.name == "createKey":  # keys that last are made by the project's owners
        return project.admin, f"admin:{root}"
    if endpoint.path.startswith("/v1/projects/"):
        return platform.console, f"admin:{root}"
    return project.server, f"key:{world['caller']}"


def entries(project: Project, request_ids: list[str]) -> dict[str, tuple[str, str, str]]:
    """What the log tells of these calls, once it tells of all of them: actor, event, project."""
    deadline = time.monotonic() + 30
    while True:
        rows = run_sql(
            project,
            "select request_id, actor, event, actor_name, ip from freehold.audit where request_id = any($1)",
            request_ids,
        )
        if len({row["request_id"] for row in rows}) == len(request_ids) or time.monotonic() > deadline:
            return {row["request_id"]: (row["actor"], row["event"], row["ip"]) for row in rows}
        time.sleep(0.2)


@pytest.mark.parametrize("service", SERVICES)
def test_every_change_is_in_the_log_with_who_made_it(platform: Platform, service: str) -> None:
    project = platform.new_project()
    [key] = project.admin.get("/project/keys").json()["keys"]
    team = platform.console.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    user = project.new_user("Somebody").id
    world = {
        "caller": key["$id"], "projectId": project.id, "teamId": team, "userId": user, "type": "totp",
        "methodId": "phone", "protocolId": "graphql", "serviceId": "teams", "templateId": "verification",
        "locale": "en", "number": "+14155550123",
    }  # fmt: skip
    asked: dict[str, tuple[Endpoint, str]] = {}

    for endpoint in ordered(service):
        prepare(project, endpoint, world)
        client, actor = client_of(project, endpoint, world)
        unknown = [name for name in endpoint.parameters if name not in world]
        assert not unknown, f"Say which {unknown} {endpoint.path} is called with."
        path = re.sub(r"{(\w+)}", lambda name: world[name[1]], endpoint.path.removeprefix("/v1"))
        answer = client.request(endpoint.method, path, json=body_of(endpoint, world))
        assert answer.status_code < 300, f"{endpoint.method} {endpoint.path}: {answer.text}"
        learn(endpoint, answer, world)
        asked[answer.headers["x-request-id"]] = (endpoint, actor)

    told = entries(project, list(asked))
    missing = [endpoint.path for request_id, (endpoint, _) in asked.items() if request_id not in told]
    assert missing == []
    for request_id, (endpoint, expected) in asked.items():
        actor, event, ip = told[request_id]
        assert (actor, ip) == (expected, "127.0.0.1"), endpoint.path
        pattern = re.sub(r"\\\[\w+\\\]", "[^.]+(?:[.][^.]+)*", re.escape(endpoint.emits))
        assert re.fullmatch(pattern, event), (endpoint.path, event)


def test_who_follows_an_invitation_is_in_the_log(project: Project, inbox: Inbox) -> None:
    owner = project.new_user("Owner")
    team = owner.client.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    email = f"{unique('friend')}@example.com"
    invited = {"roles": ["player"], "email": email, "url": "http://localhost:3000/"}
    assert owner.client.post(f"/teams/{team}/memberships", json=invited).status_code == 201
    link = inbox.mail_to(email).parameters
    path = f"/teams/{team}/memberships/{link['membershipId']}/status"
    joined = project.guest.patch(path, json={"userId": link["userId"], "secret": link["secret"]})
    assert joined.status_code == 200, joined.text

    request_id = joined.headers["x-request-id"]
    actor, event, _ = entries(project, [request_id])[request_id]
    assert actor == f"user:{link['userId']}"
    assert event == f"teams.{team}.memberships.{link['membershipId']}.update.status"


WITHOUT_AN_EVENT = {
    "account.createJWT users.createJWT": "Gives a token for a session that there is; nothing is kept of it.",
    "account.returnFromProviderWithForm": "Records the session or the identity that comes of it by itself.",
    "account.createMagicURLToken account.createEmailToken account.createPhoneToken"
    " account.createPasskeyToken": "Nothing of an account changes before the session that is handed in.",
    "account.createPasskey": "Asks the device; what is made of its answer has an event.",
    "tablesDB.createQuery databases.createQuery": "Reads.",
    "tablesDB.createTransaction tablesDB.createOperations tablesDB.deleteTransaction"
    " databases.createTransaction databases.createOperations databases.deleteTransaction":
        "What is staged changes no row.",
    "tablesDB.updateTransaction databases.updateTransaction": "The rows that a commit changes have theirs.",
    "tablesDB.planSchema": "Plans.",
    "project.createSMTPTest": "Sends a mail.",
    "notifications.update": "What somebody has read is theirs.",
    "graphql.query graphql.mutation": "Calls others, which have theirs.",
}  # fmt: skip


def test_every_endpoint_that_may_change_something_has_an_event_or_a_reason_for_none() -> None:
    silent = {
        f"{each.service}.{each.name}"
        for each in endpoints()
        if each.method not in ("GET", "HEAD") and not each.emits
    }

    assert silent == {name for names in WITHOUT_AN_EVENT for name in names.split()}


def test_a_commit_is_in_the_log_of_each_row_that_it_changes(project: Project, jane: User) -> None:
    server = project.server
    server.post("/tablesdb", json={"databaseId": "d", "name": "D"})
    table = {"tableId": "t", "name": "T", "permissions": ['create("users")', 'update("users")']}
    assert server.post("/tablesdb/d/tables", json=table).status_code == 201
    transaction = jane.client.post("/tablesdb/transactions", json={}).json()["$id"]
    operations = [
        {"action": "create", "databaseId": "d", "tableId": "t", "rowId": each, "data": {}} for each in "ab"
    ]
    staged = jane.client.post(
        f"/tablesdb/transactions/{transaction}/operations", json={"operations": operations}
    )
    committed = jane.client.patch(f"/tablesdb/transactions/{transaction}", json={"commit": True})
    assert (staged.status_code, committed.status_code) == (201, 200)

    def told(row_id: str) -> list[tuple[str, str]]:
        logs = server.get(f"/tablesdb/d/tables/t/rows/{row_id}/logs").json()["logs"]
        return [(each["event"], each["userId"]) for each in logs]

    until(lambda: told("a") and told("b"), 30)
    assert told("a") == told("b") == [("row.create", jane.id)]
