"""Every change that an endpoint makes is in the log: who made it, from where, and what of.

Generated from the route table: a new endpoint is called as well, and fails as long as nobody knows how.
"""

from __future__ import annotations

import re
import time
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from freehold import audit
from freehold.schema import parse_schema
from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.clients.languages import As, plain
from tests.clients.methods import Scene
from tests.clients.test_methods import rows_of
from tests.platform import PASSWORD, Platform, Project, User, unique
from tests.process.installation import until
from tests.services.inbox import Inbox
from tests.services.second_factor import ok, run_sql
from tests.services.signing_in_at_vendors import Browser, set_up
from tests.services.test_advisor import hand_in
from tests.services.test_importing_users import FORMATS
from tests.services.test_oauth import somebody
from tests.services.test_schema_tables import SCHEMA
from tests.services.transfers import ended

SERVICES = (
    "project", "webhooks", "users", "teams", "projects", "organization", "tablesDB", "databases", "storage",
    "tokens", "presences", "advisor", "migrations",
)  # fmt: skip

APART = {
    "teams.updateMembershipStatus": "Takes a secret that was mailed: see who follows an invitation, below.",
    "projects.createSchedule": "What could be run is not there yet: test_schedules.py lets it be there.",
}

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

OF_TABLES: dict[str, Any] = {
    "enabled": True, "databaseId": "d", "tableId": "t", "collectionId": "t", "required": False, "size": 40,
    "elements": ["blue"], "relatedTableId": "u", "relatedCollectionId": "u", "type": "oneToMany",
    "rowId": "r", "documentId": "r", "data": {"integer": 1}, "value": 1, "onDelete": "cascade",
}  # fmt: skip
OF_SERVICES: dict[str, dict[str, Any]] = {
    "storage": {"bucketId": "b", "fileId": "f", "enabled": True},
    "presences": {"status": "online", "userId": None},
    "migrations": {
        "databaseId": "d",
        "collectionId": "t",
        "bucketId": "b",
        "fileId": "f",
        "filename": "rows",
    },
}

OF_ORGANIZATIONS = {"scopes": ["projects.read"], "url": "http://localhost/", "userId": None}


def body_of(endpoint: Endpoint, world: dict[str, str]) -> dict[str, Any]:
    """What the endpoint takes."""
    if endpoint.service in ("tablesDB", "databases"):
        return body_of_tables(endpoint, world)
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
    said |= OF_SERVICES.get(endpoint.service, {})
    if endpoint.service == "organization":
        said |= OF_ORGANIZATIONS
    if endpoint.service == "teams" and endpoint.name == "createMembership":
        said["userId"] = world["userId"]
        del said["email"]
    return said


def body_of_tables(endpoint: Endpoint, world: dict[str, str]) -> dict[str, Any]:
    """What an endpoint of databases takes."""
    said = OF_TABLES | {"key": key_of(endpoint), "name": "Anything"}
    if endpoint.name == "createIndex":
        said |= {"type": "key", "columns": ["integer"], "attributes": ["integer"]}
    if endpoint.name in ("upsertRows", "upsertDocuments"):
        rows = [{"$id": "r", "integer": 2}]
        said |= {"rows": rows, "documents": rows}
    if endpoint.name == "applySchema":
        schema = msgspec.to_builtins(parse_schema(SCHEMA))
        said |= {"schema": schema, "plan": world["plan"]}
    return said


def key_of(endpoint: Endpoint) -> str:
    """What a column or an index is called: a column like its type."""
    kind = re.search(r"/(?:columns|attributes)/(?:{key}/)?([a-z]+)", endpoint.path)
    if kind is not None:
        return kind[1]
    return "boolean" if endpoint.name in ("deleteColumn", "deleteAttribute") else "i"


def ordered(service: str) -> list[Endpoint]:
    """The endpoints of a service that change something: what makes and changes first, what deletes last."""
    found = [
        each
        for each in endpoints()
        if each.service == service
        and each.method != "GET"
        and each.emits
        and f"{service}.{each.name}" not in APART
    ]
    deleting = [each for each in found if each.method == "DELETE"]
    deleting.sort(key=lambda each: (each.name in LAST, -each.path.count("/")))
    return [each for each in found if each.method != "DELETE"] + deleting


def learn(endpoint: Endpoint, answer: httpx.Response, world: dict[str, str]) -> None:
    """Keep the id of what was made, by the name that its event gives it."""
    *_, what, action = endpoint.emits.split(".")
    if action == "create" and what.startswith("[") and answer.content:
        made = answer.json().get("$id")  # neither columns nor keys that are not kept have one
        if made:
            world[what[1:-1]] = made


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
    if endpoint.name in ("createRelationshipColumn", "createRelationshipAttribute"):
        ok(project.server.post("/tablesdb/d/tables", json={"tableId": "u", "name": "U"}))
    if endpoint.name == "applySchema":
        schema = msgspec.to_builtins(parse_schema(SCHEMA))
        world["databaseId"] = "desk"
        world["plan"] = ok(project.server.post("/tablesdb/desk/schema/plan", json={"schema": schema})).json()[
            "hash"
        ]
    elif endpoint.service == "tablesDB":
        world["databaseId"] = "d"
    if endpoint.name in ("deleteRow", "deleteRows", "deleteDocument", "deleteDocuments"):
        row = {"rowId": "r", "data": {}}
        ok(project.server.put("/tablesdb/d/tables/t/rows/r", json=row))
    if endpoint.name == "createCSVImport":
        ok(project.server.post("/tablesdb", json={"databaseId": "d", "name": "D"}))
        ok(project.server.post("/tablesdb/d/tables", json={"tableId": "t", "name": "T"}))
    if endpoint.service == "migrations" and endpoint.name == "retry":
        no_json = project.server.post("/migrations/json/imports", json=OF_SERVICES["migrations"])
        assert ended(project, no_json)["status"] == "failed"
        world["migrationId"] = no_json.json()["$id"]
    if endpoint.name in ("createFileToken", "createCSVImport"):
        ok(project.server.post("/storage/buckets", json={"bucketId": "b", "name": "B"}))
        ok(project.server.post("/storage/buckets/b/files", data={"fileId": "f"}, files={"file": b"x"}))
    if endpoint.name == "deleteReport":
        hand_in(project, world["reportId"], "one")
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
    if endpoint.service == "presences":
        return platform.client(project.id, session=world["session"]), f"user:{world['userId']}"
    root = platform.console.get("/account").json()["$id"]
    if endpoint.service in ("projects", "organization"):
        headers = {"X-Appwrite-Organization": world["teamId"]}
        return platform.client("console", session=platform.root_session, **headers), f"user:{root}"
    if endpoint.name == "createKey":  # keys that last are made by the project's owners
        return project.admin, f"admin:{root}"
    if endpoint.path.startswith("/v1/projects/"):
        return platform.console, f"admin:{root}"
    return project.server, f"key:{world['caller']}"


class Told(NamedTuple):
    """What the log tells of a call."""

    actor: str
    event: str
    ip: str
    resource: str


def entries(project: Project, request_ids: list[str]) -> dict[str, Told]:
    """What the log tells of these calls, once it tells of all of them."""
    deadline = time.monotonic() + 30
    while True:
        rows = run_sql(
            project,
            "select request_id, actor, event, ip, resource from freehold.audit where request_id = any($1)",
            request_ids,
        )
        if len({row["request_id"] for row in rows}) == len(request_ids) or time.monotonic() > deadline:
            return {row["request_id"]: Told(*(row[field] for field in Told._fields)) for row in rows}
        time.sleep(0.2)


def event_of(endpoint: Endpoint, named: dict[str, str]) -> re.Pattern[str]:
    """What the event of a call is called: with the ids that stood in its path, whatever else it has made."""
    words = []
    for word in endpoint.emits.split("."):
        if word.startswith("["):
            known = named.get(word[1:-1]) if word[1:-1] in endpoint.parameters else None
            words.append(re.escape(known) if known else "[^.]+(?:[.][^.]+)*")
        else:
            words.append(
                {"collections": "tables", "documents": "rows", "attributes": "columns"}.get(word, word)
            )
    return re.compile("[.]".join(words))


@pytest.mark.parametrize("service", SERVICES)
def test_every_change_is_in_the_log_with_who_made_it(platform: Platform, service: str) -> None:
    project = platform.new_project()
    [key] = project.admin.get("/project/keys").json()["keys"]
    team = platform.console.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    user = project.new_user("Somebody")
    world = {
        "caller": key["$id"], "projectId": project.id, "teamId": team, "userId": user.id, "type": "totp",
        "methodId": "phone", "protocolId": "graphql", "serviceId": "teams", "templateId": "verification",
        "locale": "en", "number": "+14155550123", "stageId": "ping", "session": user.session,
        "databaseId": "d", "tableId": "t", "collectionId": "t", "rowId": "r", "documentId": "r",
        "column": "integer", "attribute": "integer", "bucketId": "b", "fileId": "f", "presenceId": "desk",
        "reportId": "fast",
    }  # fmt: skip
    asked: dict[str, tuple[Endpoint, str, dict[str, str]]] = {}

    for endpoint in ordered(service):
        prepare(project, endpoint, world)
        client, actor = client_of(project, endpoint, world)
        named = world | ({"key": key_of(endpoint)} if service in ("tablesDB", "databases") else {})
        unknown = [name for name in endpoint.parameters if name not in named]
        assert not unknown, f"Say which {unknown} {endpoint.path} is called with."
        path = re.sub(r"{(\w+)}", lambda name: named[name[1]], endpoint.path.removeprefix("/v1"))  # noqa: B023
        body = body_of(endpoint, world)
        if endpoint.takes_files:
            answer = client.request(endpoint.method, path, data={"fileId": "f"}, files={"file": b"x"})
        else:
            answer = client.request(endpoint.method, path, json=body)
        assert answer.status_code < 300, f"{endpoint.method} {endpoint.path}: {answer.text}"
        asked[answer.headers["x-request-id"]] = (endpoint, actor, dict(named))
        learn(endpoint, answer, world)

    told = entries(project, list(asked))
    missing = [endpoint.path for request_id, (endpoint, *_) in asked.items() if request_id not in told]
    assert missing == []
    for request_id, (endpoint, actor, named) in asked.items():
        entry = told[request_id]
        assert (entry.actor, entry.ip) == (actor, "127.0.0.1"), endpoint.path
        assert event_of(endpoint, named).fullmatch(entry.event), (endpoint.path, entry.event)
        assert entry.resource == audit.subject(entry.event).resource != "", endpoint.path


def test_no_service_is_left_out() -> None:
    changing = {each.service for each in endpoints() if each.method not in ("GET", "HEAD") and each.emits}

    assert changing == {*SERVICES, "account"}


class Wire:
    """The methods of a service as plain HTTP has them, with what was asked; see tests/clients."""

    name = "wire"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        """Each request, and what it asked."""

    def methods(self, service: str) -> list[str]:
        return [each.name for each in endpoints() if each.service == service.lower()]

    def call(self, project: Project, who: As, service: str, method: str, said: dict[str, Any]) -> Any:
        [endpoint] = [each for each in endpoints() if (each.service, each.name) == (service.lower(), method)]
        path = re.sub(r"{(\w+)}", lambda name: said[name[1]], endpoint.path.removeprefix("/v1"))
        client = project.platform.client(project.id, key=who.key, session=who.session)
        answer = ok(client.request(endpoint.method, path, json=said))
        self.asked.append((answer.headers["x-request-id"], endpoint.name))
        return answer.json() if answer.content else None


WITHOUT_SDK = ("createKey", "updateKey", "deleteKey", "delete")
"""What no SDK has a method for: keys of accounts, which are the console's, and the end of one's own."""

FOR_STRANGERS = ("createRecovery", "createRecoveryOTP")
"""What somebody asks for who has yet to show whose account it is."""


def test_every_change_of_an_account_is_in_the_log_with_who_made_it(project: Project, inbox: Inbox) -> None:
    rows = rows_of("Account")
    changing = [each for each in ordered("account") if each.name not in WITHOUT_SDK]
    wire = Wire()

    for endpoint in changing:
        assert plain(endpoint.name) in rows, (
            f"Say in tests/clients/methods/account.py how to {endpoint.name}."
        )
        scene = Scene(project.platform.new_project(), inbox, wire, "Account", endpoint.name)
        rows[plain(endpoint.name)](scene)

    console, key = project.platform.console, {"name": "Mine", "scopes": ["account"]}
    made = ok(console.post("/account/keys", json=key))
    at = f"/account/keys/{made.json()['$id']}"
    ended = project.new_user().client.delete("/account")
    answers = (made, console.put(at, json=key), console.delete(at), ended)
    for name, answer in zip(WITHOUT_SDK, answers, strict=True):
        wire.asked.append((ok(answer).headers["x-request-id"], name))

    told = entries(project, [request_id for request_id, _ in wire.asked])
    declared = {each.name: each for each in ordered("account")}
    assert {name for _, name in wire.asked} == set(declared)
    assert [name for request_id, name in wire.asked if request_id not in told] == []
    for request_id, name in wire.asked:
        entry = told[request_id]
        user_id = entry.event.split(".")[1]
        actor = "guest" if name in FOR_STRANGERS else f"user:{user_id}"
        assert (entry.actor, entry.ip, entry.resource) == (actor, "127.0.0.1", f"users/{user_id}"), name
        assert event_of(declared[name], {}).fullmatch(entry.event), (name, entry.event)


def test_a_sign_in_by_a_vendor_is_in_the_log(project: Project) -> None:
    set_up(project, "github")
    browser = Browser(project)
    browser.sign_in("github", somebody())
    user_id = ok(browser.account()).json()["$id"]

    def told() -> list[Any]:
        return run_sql(
            project,
            "select event, actor, ip from freehold.audit where project_id = $1 order by position",
            project.id,
        )

    until(lambda: len([row for row in told() if row["event"].startswith("users.")]) == 3, 30)
    events = [(row["event"], row["actor"], row["ip"]) for row in told() if row["event"].startswith("users.")]
    assert {(actor, ip) for _, actor, ip in events} == {(f"user:{user_id}", "127.0.0.1")}
    assert {re.sub(r"[0-9a-f]{20}", "ID", event) for event, *_ in events} == {
        "users.ID.create", "users.ID.identities.ID.create", "users.ID.sessions.ID.create",
    }  # fmt: skip


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
    entry = entries(project, [request_id])[request_id]
    assert entry.actor == f"user:{link['userId']}"
    assert entry.event == f"teams.{team}.memberships.{link['membershipId']}.update.status"


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
