"""S41: every route, called by those whom it is not for, with what is somebody else's.

`callers.py` beside this file says what is expected of each route.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from freehold.access import scopes
from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.platform import PASSWORD, Platform, Project, User
from tests.security.callers import OF_ROUTES, WITHOUT_A_PROJECT, Verdicts, verdicts_of
from tests.services.second_factor import run_sql
from tests.services.signing_in_at_vendors import Browser, set_up
from tests.services.test_advisor import hand_in
from tests.services.vendors import Person

SECRET = "zebrafish"
"""Stands in everything that Alice has written."""

ROUTES = [each for each in endpoints() if each.service not in WITHOUT_A_PROJECT]
NAMES = [f"{each.service}.{each.name} {each.method} {each.path}" for each in ROUTES]

BODIES: dict[str, dict[str, Any]] = {
    "presences.upsert": {"status": "stolen"},
    "presences.update": {"status": "stolen"},
    "notifications.update": {"read": True},
    "createRow": {"rowId": "unique()", "data": {"text": "x"}},
    "createDocument": {"documentId": "unique()", "data": {"text": "x"}},
    "upsertRows": {"rows": [{"$id": "alices", "text": "x"}]},
    "upsertDocuments": {"documents": [{"$id": "alices", "text": "x"}]},
    "updateRows": {"data": {"text": "x"}},
    "updateDocuments": {"data": {"text": "x"}},
    "updateRow": {"data": {"text": "x"}},
    "updateDocument": {"data": {"text": "x"}},
    "upsertRow": {"data": {"text": "x"}},
    "upsertDocument": {"data": {"text": "x"}},
    "createQuery": {"queries": []},
    "createOperations": {"operations": []},
    "updateTransaction": {"commit": True},
    "teams.create": {"teamId": "unique()", "name": "Mine"},
    "teams.updateName": {"name": "Mine"},
    "teams.updatePrefs": {"prefs": {"mine": True}},
    "teams.createMembership": {"roles": ["owner"], "email": "x@example.com", "url": "http://localhost/"},
    "teams.updateMembership": {"roles": ["owner"]},
    "account.updateName": {"name": "Me"},
    "account.updateRecovery": {"userId": "nobody", "secret": "123456", "password": PASSWORD},
    "account.updateRecoveryOTP": {"userId": "nobody", "secret": "123456", "password": PASSWORD},
    "account.updateEmailVerification": {"userId": "nobody", "secret": "123456"},
    "account.updateEmailVerificationOTP": {"userId": "nobody", "secret": "123456"},
    "account.updatePhoneVerification": {"userId": "nobody", "secret": "123456"},
    "account.createSession": {"userId": "nobody", "secret": "123456"},
    "account.updateMagicURLSession": {"userId": "nobody", "secret": "123456"},
    "account.updatePhoneSession": {"userId": "nobody", "secret": "123456"},
    "account.updatePrefs": {"prefs": {"mine": True}},
    "updateFile": {"name": "mine"},
    "organization.update": {"name": "Mine"},
    "organization.createMembership": {"roles": ["owner"], "email": "x@example.com"},
    "organization.updateMembership": {"roles": ["owner"]},
    "account.createKey": {"name": "Mine", "scopes": ["account"]},
    "account.updateKey": {"name": "Mine", "scopes": ["account"]},
    "organization.createKey": {"name": "Mine", "scopes": ["projects.read"]},
    "organization.updateKey": {"name": "Mine", "scopes": ["projects.read"]},
    "updateMembershipStatus": {"userId": "nobody", "secret": "wrong"},
    "updateMFA": {"mfa": False},
    "updateMFAAuthenticator": {"otp": "000000"},
    "createMFAChallenge": {"factor": "totp"},
    "updateMFAChallenge": {"challengeId": "alices", "otp": "000000"},
    "updatePasskey": {"name": "mine"},
    "updatePasskeyVerification": {"credential": {}},
    "updatePasskeyToken": {"challengeId": "alices", "credential": {}},
    "createPushTarget": {"targetId": "unique()", "identifier": "mine"},
    "updatePushTarget": {"identifier": "mine"},
    "createTarget": {"targetId": "unique()", "providerType": "push", "identifier": "mine"},
    "updateTarget": {"identifier": "mine"},
    "account.createIdTokenSession": {"provider": "google", "idToken": "x"},
}
"""Bodies that the route would take from somebody who may, by operation or `service.operation`."""

QUERY_STRINGS = {"console.getResource": {"value": "example.com", "type": "rules"}}
"""What a GET asks for that it could not be asked without."""

ENDS = ("account.updateStatus", "account.delete")
"""What ends the caller's own account, and so is asked by somebody who has just come."""


class World(NamedTuple):
    """A project, Alice with what is hers, and those who are to get none of it."""

    project: Project
    alice: User
    ids: dict[str, str]
    callers: dict[str, httpx.Client]
    users: dict[str, User]
    helpers: dict[tuple[str, ...], httpx.Client]
    """Clients with a key that has every scope but these."""


def must(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code < 300, answer.text
    return dict(answer.json()) if answer.content else {}


def make_table(project: Project, permissions: list[str]) -> None:
    """A table with a row whose permissions are these, and none of its own."""
    columns = [
        {"key": key, "type": kind, "required": False} for key, kind in (("text", "text"), ("n", "integer"))
    ]
    table = {"tableId": "notes", "name": SECRET, "rowSecurity": True, "columns": columns}
    row = {"rowId": "alices", "data": {"text": SECRET, "n": 1}, "permissions": permissions}
    home = "/tablesdb/home/tables"
    must(project.server.post("/tablesdb", json={"databaseId": "home", "name": SECRET}))
    must(project.server.post(home, json=table))
    must(project.server.post(f"{home}/notes/indexes", json={"key": "n", "type": "key", "columns": ["n"]}))
    must(project.server.post(f"{home}/notes/rows", json=row))


def make_file(project: Project, permissions: list[str]) -> None:
    """A bucket with a file whose permissions are these, and none of its own."""
    bucket = {"bucketId": "private", "name": SECRET, "fileSecurity": True}
    form = {f"permissions[{at}]": each for at, each in enumerate(permissions)}
    file = {"file": (f"{SECRET}.txt", SECRET.encode())}
    must(project.server.post("/storage/buckets", json=bucket))
    made = project.server.post(
        "/storage/buckets/private/files", data={"fileId": "alices", **form}, files=file
    )
    must(made)


def identity_of(project: Project, user: User) -> str:
    """Who the user is at a vendor that the project is registered with."""
    set_up(project, "github")
    set_up(project, "google", nativeEnabled=True)
    browser = Browser(project)
    browser.http.cookies.set(f"a_session_{project.id}", user.session)
    browser.sign_in("github", Person(uid="4711", email="alice@vendor.example.com", name=SECRET))
    [identity] = must(user.client.get("/account/identities"))["identities"]
    return str(identity["$id"])


@pytest.fixture(scope="module")
def world(platform: Platform) -> Iterator[World]:
    project, other = platform.new_project(), platform.new_project()
    alice, bob, mary = (project.new_user(each) for each in ("Alice", "Bob", "Mary"))
    must(alice.client.patch("/account/prefs", json={"prefs": {"mine": SECRET}}))
    team = must(alice.client.post("/teams", json={"teamId": "alices", "name": SECRET}))
    must(alice.client.put("/teams/alices/prefs", json={"prefs": {"ours": SECRET}}))
    must(project.server.post("/teams/alices/memberships", json={"userId": mary.id, "roles": ["reader"]}))
    memberships = must(alice.client.get("/teams/alices/memberships"))["memberships"]
    [hers] = [each["$id"] for each in memberships if each["userId"] == alice.id]

    server = project.server
    hers_alone = [f'{verb}("user:{alice.id}")' for verb in ("read", "update", "delete")]
    make_table(project, hers_alone)
    make_file(project, hers_alone)
    transaction = must(alice.client.post("/tablesdb/transactions", json={}))["$id"]
    key = must(project.admin.post("/project/keys", json={"keyId": "unique()", "name": SECRET, "scopes": []}))
    web = {"platformId": "unique()", "name": SECRET, "hostname": "alice.example.com"}
    platform_id = must(project.admin.post("/project/platforms/web", json=web))["$id"]
    target = {"targetId": "alices", "identifier": SECRET}
    must(alice.client.post("/account/targets/push", json=target))
    must(alice.client.post("/account/mfa/recovery-codes"))
    challenge = must(alice.client.post("/account/mfa/challenges", json={"factor": "recoverycode"}))
    variable = {"variableId": "unique()", "key": "SECRET", "value": SECRET}
    hook = {
        "webhookId": "unique()",
        "name": SECRET,
        "events": ["functions.*.create"],
        "url": "https://example.com",
    }
    presence = {"status": "online", "metadata": {"where": SECRET}}
    must(alice.client.put("/presences/alices", json=presence))
    phone = {"number": "+15005550006", "otp": "246810"}
    hand_in(project, "fast", "one")
    must(project.admin.post("/project/mock-phones", json=phone))
    webhook = must(server.post("/webhooks", json=hook))["$id"]
    [delivery] = run_sql(
        project,
        """insert into freehold.webhook_deliveries
        (project_id, webhook_id, event, resource, actor, state, happened_at)
        values ($1, $2, 'functions.f.create', 'functions/f', 'key:k', 'dead', now()) returning key::text""",
        project.id,
        webhook,
    )
    run_sql(
        project,
        """insert into freehold.schedules
        (project_id, id, resource_type, resource_id, schedule, data, active, region)
        values ($1, 'alices', 'function', 'f', '', jsonb_build_object('said', $2::text), true, 'x')""",
        project.id,
        SECRET,
    )
    ids = {
        "variableId": must(server.post("/project/variables", json=variable))["$id"],
        "webhookId": webhook,
        "deliveryId": delivery["key"],
        "policyId": "session-limit",
        "scheduleId": "alices",
        "stageId": "ping",
        "projectId": project.id,
        "userId": alice.id,
        "sessionId": must(alice.client.get("/account/sessions"))["sessions"][0]["$id"],
        "teamId": team["$id"],
        "membershipId": hers,
        "databaseId": "home",
        "tableId": "notes",
        "collectionId": "notes",
        "rowId": "alices",
        "documentId": "alices",
        "key": "n",
        "column": "n",
        "attribute": "n",
        "bucketId": "private",
        "fileId": "alices",
        "transactionId": transaction,
        "migrationId": "nothing",
        "keyId": key["$id"],
        "platformId": platform_id,
        "targetId": "alices",
        "challengeId": challenge["$id"],
        "type": "totp",
        "passkeyId": "alices",
        "methodId": "email-password",
        "protocolId": "rest",
        "serviceId": "tablesdb",
        "provider": "github",
        "code": "de",
        "identityId": identity_of(project, alice),
        "tokenId": must(server.post("/tokens/buckets/private/files/alices", json={}))["$id"],
        "templateId": "verification",
        "locale": "en",
        "number": phone["number"],
        "reportId": "fast",
        "insightId": "one",
        "notificationId": "nothing",
        "presenceId": "alices",
    }
    callers = {
        "guest": project.guest,
        "bob": bob.client,
        "mary": mary.client,
        "stranger": platform.client(project.id, key=other.key),
    }
    helpers = {
        lacking: platform.client(project.id, key=project.key_with(*(scopes.ALL_PROJECT - set(lacking))))
        for lacking in {each.scopes for each in ROUTES}
    }
    world = World(project, alice, ids, callers, {"bob": bob, "mary": mary}, helpers)
    yield world
    assert must(alice.client.get("/account"))["$id"] == alice.id


_TABLES = (
    "users", "sessions", "teams", "memberships", "keys", "platforms", "databases", "tables", "columns",
    "indexes", "buckets", "files", "transactions", "targets", "authenticators", "recovery_codes",
    "variables", "webhooks", "webhook_deliveries", "file_tokens",
    "identities", "oauth_providers", "reports", "schedules", "insights", "presences",
)  # fmt: skip

_OF_USERS = ("users", "sessions", "transactions", "targets", "authenticators", "recovery_codes")


def hers(world: World) -> dict[str, list[str]]:
    """All that the project keeps of Alice, and what keys and owners have set up."""

    async def read() -> dict[str, list[str]]:
        connection = await asyncpg.connect(world.project.platform.database_url)
        try:
            found = {}
            for table in _TABLES:
                rows = await connection.fetch(
                    f"""select to_jsonb(each) - 'accessed_at' - 'updated_at' as kept
                        from freehold.{table} each where project_id = $1""",
                    world.project.id,
                )
                found[table] = sorted(row["kept"] for row in rows if _is_hers(world, table, row["kept"]))
            project = await connection.fetchval(
                "select settings::text || labels::text || name from freehold.projects where id = $1",
                world.project.id,
            )
            return {**found, "project": [project]}
        finally:
            await connection.close()

    kept = asyncio.run(read())
    row = world.project.server.get("/tablesdb/home/tables/notes/rows")
    return {**kept, "rows": [row.text]}


def _is_hers(world: World, table: str, kept: str) -> bool:
    if table in _OF_USERS:
        return world.alice.id in kept
    if table in ("teams", "memberships"):
        return '"alices"' in kept
    return True


def ask(world: World, client: httpx.Client, endpoint: Endpoint) -> httpx.Response:
    unknown = [name for name in endpoint.parameters if name not in world.ids]
    assert not unknown, f"Say in test_s41_idor.py which {unknown} of Alice's {endpoint.path} is called with."
    path = re.sub(r"{(\w+)}", lambda name: world.ids[name[1]], endpoint.path).removeprefix("/v1")
    if endpoint.method == "GET":
        return client.get(path, params=QUERY_STRINGS.get(f"{endpoint.service}.{endpoint.name}"))
    body = BODIES.get(f"{endpoint.service}.{endpoint.name}") or BODIES.get(endpoint.name)
    if body is None and endpoint.name == "createEmailPasswordSession":
        body = {"email": world.alice.email, "password": "not " + PASSWORD}
    if body is None and endpoint.takes_files:
        return client.request(endpoint.method, path, data={"fileId": "unique()"}, files={"file": b"x"})
    return client.request(endpoint.method, path, json=body or {})


@pytest.mark.parametrize("endpoint", ROUTES, ids=NAMES)
def test_s41_what_is_alices_stays_hers(world: World, endpoint: Endpoint) -> None:
    verdicts = verdicts_of(endpoint.service, endpoint.name)
    assert verdicts is not None, (
        f"Say in tests/security/callers.py who may call {endpoint.service}.{endpoint.name}."
    )
    before = hers(world)

    for caller, verdict in zip(Verdicts._fields, verdicts, strict=True):
        client = world.helpers[endpoint.scopes] if caller == "helper" else world.callers[caller]
        if f"{endpoint.service}.{endpoint.name}" in ENDS and caller in world.users:
            client = world.project.new_user(caller.title()).client
        client.cookies.clear()  # of sessions that routes before have opened
        answer = ask(world, client, endpoint)
        client.cookies.clear()  # of a session that the call may have opened
        told = f"{caller}: {answer.status_code} {answer.text[:300]}"
        if verdict == "no":
            assert answer.status_code in (401, 403, 404), told
        else:
            assert answer.status_code not in (401, 403), told
            assert answer.status_code < 500, told
        if verdict != "all":
            assert SECRET not in answer.text, told
    assert hers(world) == before
    for caller, user in world.users.items():
        if world.callers[caller].get("/account").status_code == 401:  # who has signed out everywhere
            session = world.project.sign_in(user.email)
            world.callers[caller] = world.project.platform.client(world.project.id, session=session)


def test_s41_the_table_names_no_route_that_is_gone() -> None:
    known = {f"{each.service}.{each.name}" for each in endpoints()}
    assert set(OF_ROUTES) <= known, sorted(set(OF_ROUTES) - known)
