"""Sessions of a live project as the credentials of generated services, in each language, on its database."""

from __future__ import annotations

import base64
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from appwrite.services.account import Account
from appwrite.services.teams import Teams

from freehold.generator import TARGETS
from tests.bridge.test_same_tables import SCHEMA, credentials, freehold
from tests.conformance.running import DEVELOPMENT, Prepared, do, emitted, execute, installed, serving
from tests.platform import Platform, Project, User, running_platform
from tests.postgres import Database, Server

pytestmark = pytest.mark.xdist_group("sessions")
PAGE = "https://app.example.com"
TAKEN = "auth: { provider: freehold, sessions: true, api_keys: true }"


class Live(NamedTuple):
    """A project whose schema is applied, and where its tables are."""

    project: Project
    schema: Path
    database: Database
    namespace: str

    def team(self, *members: User, role: str = "member") -> str:
        """A team, which is a tenant."""
        teams, found = Teams(self.project.sdk(key=self.project.key)), str(uuid.uuid4())
        teams.create(found, "Acme")
        for user in members:
            teams.create_membership(found, [role], user_id=user.id)
        return found

    def user(self) -> User:
        return self.project.new_user(user_id=str(uuid.uuid4()))


@pytest.fixture(scope="module")
def live(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running_platform(postgres, "--dev") as platform:
        platform.register_root()
        project = platform.new_project()
        schema = tmp_path_factory.mktemp("schema") / "freehold.yaml"
        shutil.copy(SCHEMA, schema)
        text = schema.read_text(encoding="utf-8")
        schema.write_text(text.replace("auth: { provider: freehold }", TAKEN), encoding="utf-8")
        told = credentials(project)
        applied = json.loads(freehold("apply", "--schema", str(schema.parent), "--yes", "--json", **told))
        yield Live(project, schema, database_of(platform), applied["namespace"])


def database_of(platform: Platform) -> Database:
    return Database(platform.database_url, platform.admin_url, platform.admin_url.rpartition("/")[2])


@pytest.fixture(scope="module", params=list(TARGETS))
def service(
    request: pytest.FixtureRequest, live: Live, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The service on the project's tables, as README.md says: roles, baseline, and then it serves."""
    target = TARGETS[request.param]
    folder = emitted(target, live.schema, tmp_path_factory.mktemp("service"))
    made = Prepared(target, folder, live.database, installed(target, folder))
    told = made.environment(DATABASE_SCHEMA=live.namespace, ADMIN_DATABASE_URL=live.database.admin_url)
    for command in target.commands.build:
        do(command, folder, made.cache, **told)
    migrate = target.commands.migrate[:-1]
    do((*migrate, "roles"), folder, made.cache, **told)
    owner = {"MIGRATE_DATABASE_URL": live.database.url, "MIGRATE_ROLE": ""}
    do((*migrate, "baseline"), folder, made.cache, **told | owner)
    place = {"DATABASE_SCHEMA": live.namespace, "SESSION_PROJECT": live.project.id}
    place["ALLOWED_ORIGINS"] = f"{PAGE}, http://localhost:3000"
    with (
        serving(made, **DEVELOPMENT, **place) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        yield client


def read(service: httpx.Client, *sessions: str, team: str = "", **headers: str) -> httpx.Response:
    told = [("X-Appwrite-Session", session) for session in sessions]
    told += [("X-Tenant-Id", team)] if team else []
    return service.get("/v1/projects", headers=[*told, *headers.items()])


def test_who_has_signed_in_to_the_project_is_in_its_team_and_gone_with_the_session(
    live: Live, service: httpx.Client
):
    jane = live.user()
    team = live.team(jane)
    body = {"name": "Roof"}
    made = service.post("/v1/projects", json=body, headers={"X-Appwrite-Session": jane.session})
    other = live.project.sign_in(jane.email)
    seen = read(service, other, team=team)
    Account(jane.sdk).delete_session("current")
    gone = read(service, jane.session)

    assert made.status_code == 201, made.text
    assert [each["name"] for each in seen.json()["data"]] == ["Roof"]
    assert (gone.status_code, gone.json()["code"]) == (401, "unauthenticated")
    assert read(service, other).status_code == 200  # the other one goes on
    own = f"/v1/projects/{made.json()['id']}"
    assert (
        service.delete(own, headers={"X-Appwrite-Session": other}).status_code == 403
    )  # a member deletes none


def test_teams_of_others_stay_closed_and_who_is_in_several_says_in_which(live: Live, service: httpx.Client):
    jane, bob = live.user(), live.user()
    ours, theirs = live.team(jane, bob), live.team(bob)
    stranger = live.user()

    assert read(service, jane.session).status_code == 200
    for team in (theirs, str(uuid.uuid4()), "x y", "' or true --"):
        refused = read(service, jane.session, team=team)
        assert (refused.status_code, refused.json()["code"]) == (403, "no_tenant"), team
    undecided = read(service, bob.session)
    assert (undecided.status_code, undecided.json()["code"]) == (403, "no_tenant")
    assert read(service, bob.session, team=ours).status_code == 200
    assert read(service, stranger.session).json()["code"] == "no_tenant"
    Teams(live.project.sdk(key=live.project.key)).delete(ours)
    assert read(service, jane.session).status_code == 403


def test_a_session_that_is_not_whole_or_not_theirs_opens_nothing(live: Live, service: httpx.Client):
    jane, bob = live.user(), live.user()
    live.team(jane, bob)
    decoded = json.loads(base64.b64decode(jane.session + "=="))
    elsewhere = live.project.platform.new_project().new_user(user_id=str(uuid.uuid4()))
    wrong = [
        "",
        "x",
        "e30=",
        encoded(decoded | {"id": bob.id}),
        encoded(decoded | {"secret": decoded["secret"][:-1]}),
        encoded(decoded | {"secret": decoded["secret"] + "\0"}),
        encoded({"id": [jane.id], "secret": 5}),
        elsewhere.session,
    ]

    for session in wrong:
        assert read(service, session).status_code == 401, session
    ambiguous = read(service, jane.session, Authorization="Bearer x")
    twice = read(service, jane.session, bob.session)
    assert {ambiguous.json()["code"], twice.json()["code"]} == {"ambiguous_credentials"}
    for change in ("enabled = false", "enabled = true, mfa = true, email_verified = true"):
        execute(live.database, f"update freehold.users set {change} where id = $1", bob.id)
        assert read(service, bob.session).status_code == 401, change
    execute(live.database, "update freehold.sessions set expires_at = now() where user_id = $1", jane.id)
    assert read(service, jane.session).status_code == 401


def held(project: Project, session: str, name: str = "a_session_{}") -> tuple[str, str]:
    """What a browser sends that holds the session as the platform has set it."""
    return "Cookie", f"theme=dark; {name.format(project.id)}={session}; a=b=c"


def test_a_browser_reads_with_the_cookie_and_changes_things_from_allowed_pages_only(
    live: Live, service: httpx.Client
):
    jane = live.user()
    live.team(jane)
    cookie = held(live.project, jane.session)
    body = {"name": "Garage"}
    pages = [
        "https://evil.example",
        "null",
        "",
        f"{PAGE}.evil.example",
        f"{PAGE}:8443",
        f"{PAGE}/",
        PAGE.upper(),
    ]
    sent = [[("Origin", page)] for page in pages] + [
        [],
        [("Origin", PAGE), ("Origin", "https://evil.example")],
    ]
    made = service.post("/v1/projects", json=body, headers=[cookie, ("Origin", PAGE)])
    own = f"/v1/projects/{made.json()['id']}"
    for origin in sent:
        for method, path in (("POST", "/v1/projects"), ("PATCH", own), ("DELETE", own)):
            content = {} if method == "DELETE" else {"json": body}
            refused = service.request(method, path, headers=[cookie, *origin], **content)
            assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin"), (method, origin)
            assert refused.headers["content-type"] == "application/problem+json"
    found = service.get("/v1/projects", headers=[cookie])

    assert made.status_code == 201, made.text
    assert [(each["name"], each["version"]) for each in found.json()["data"]] == [("Garage", 1)]
    legacy = held(live.project, jane.session, "a_session_{}_legacy")
    assert service.get("/v1/projects", headers=[legacy]).status_code == 200


def test_pages_of_allowed_origins_read_answers_and_others_are_told_nothing(live: Live, service: httpx.Client):
    jane = live.user()
    live.team(jane)
    cookie = held(live.project, jane.session)
    asks = [("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "if-match")]
    for page in (PAGE, "http://localhost:3000"):
        answers = [
            service.get("/v1/projects", headers=[cookie, ("Origin", page)]),
            service.get("/v1/projects", headers=[("Origin", page)]),
            service.get("/v1/nowhere", headers=[("Origin", page)]),
            service.options("/v1/projects/x", headers=[("Origin", page), *asks]),
        ]
        assert [each.status_code for each in answers] == [200, 401, 404, 204]
        for each in answers:
            assert each.headers["access-control-allow-origin"] == page
            assert each.headers["access-control-allow-credentials"] == "true"
            assert each.headers["vary"] == "Cookie, Origin"
        assert "PATCH" in answers[-1].headers["access-control-allow-methods"]
        assert "If-Match" in answers[-1].headers["access-control-allow-headers"]
        assert "ETag" in answers[0].headers["access-control-expose-headers"]
    for page in ("https://evil.example", "null"):
        answers = [
            service.get("/v1/projects", headers=[cookie, ("Origin", page)]),
            service.options("/v1/projects/x", headers=[("Origin", page), *asks]),
        ]
        assert answers[1].status_code == 405
        for each in answers:
            assert [name for name in each.headers if name.startswith("access-control")] == []
            assert each.headers["vary"] == "Cookie, Origin"


def test_a_cookie_that_is_forged_foreign_ended_or_beside_another_credential_opens_nothing(
    live: Live, service: httpx.Client
):
    jane, bob = live.user(), live.user()
    live.team(jane, bob)
    decoded = json.loads(base64.b64decode(jane.session + "=="))
    other = live.project.platform.new_project()
    elsewhere = other.new_user(user_id=str(uuid.uuid4()))
    cookie = held(live.project, jane.session)
    forged = [encoded(decoded | {"id": bob.id}), encoded(decoded | {"secret": "0" * 256}), "x", "%00", ""]
    cookies = [held(live.project, session) for session in (*forged, elsewhere.session)]
    beside = [
        cookie,
        ("Authorization", "Bearer x"),
        ("X-Appwrite-Session", jane.session),
        ("X-API-Key", "ak_dev_0123456789_" + "0" * 32),
    ]

    for each in (*cookies, held(other, elsewhere.session), held(other, jane.session)):
        refused = service.get("/v1/projects", headers=[each])
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated"), each
    for each in beside:
        both = service.get("/v1/projects", headers=[cookie, each])
        assert (both.status_code, both.json()["code"]) == (400, "ambiguous_credentials"), each
    assert service.get("/v1/projects", headers=[cookie]).status_code == 200
    execute(live.database, "update freehold.sessions set expires_at = now() where user_id = $1", jane.id)
    assert service.get("/v1/projects", headers=[cookie]).status_code == 401


def test_the_service_asks_about_one_session_and_reads_nothing_of_the_platform(
    live: Live, service: httpx.Client
):
    (held,) = execute(
        live.database,
        """
        select has_schema_privilege('app_api', 'freehold', 'usage') as schema,
               has_table_privilege('app_api', 'freehold.sessions', 'select') as sessions,
               has_table_privilege('app_api', 'freehold.users', 'select') as users,
               has_function_privilege(
                   'app_api', 'freehold_services.session(text, text, bytea, text)', 'execute'
               ) as session
        """,
    )

    assert service.get("/readyz").status_code == 200
    assert dict(held) == {"schema": False, "sessions": False, "users": False, "session": True}


def encoded(token: object) -> str:
    return base64.b64encode(json.dumps(token).encode()).decode()
