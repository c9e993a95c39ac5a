"""Sessions of another login on the database of a service, by their cookies; a gateway that says who calls."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx
import pytest

from freehold.generator import TARGETS
from tests.conformance.running import (
    DEVELOPMENT,
    Prepared,
    do,
    emitted,
    environment,
    execute,
    prepared,
    serving,
    words,
)
from tests.postgres import Server

SCHEMAS = Path(__file__).parent / "schemas"
PAGE = "https://app.example.com"
SIGNED_WITH = "what-the-login-signs-cookies-with-0123456789"
SHARED = "what-only-the-gateway-and-the-service-know"
COOKIE = "better-auth.session_token"
LOGIN = (
    "session: { table: login.session, token_column: token, user: userId, expires: expiresAt,"
    f" cookie: {COOKIE} }}, gateway: true, api_keys: true"
)

pytestmark = pytest.mark.xdist_group("logins")


def schema_of_login(folder: Path, login: str = LOGIN) -> Path:
    """The schema of memberships, for who has signed in to a login beside it."""
    text = (SCHEMAS / "memberships.yaml").read_text(encoding="utf-8")
    assert "api_keys: true" in text
    path = folder / "logins.yaml"
    path.write_text(text.replace("api_keys: true", login), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=list(TARGETS))
def made(
    request: pytest.FixtureRequest, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    """The service, and a login's table, which the service may read as its README says."""
    target, folder = TARGETS[request.param], tmp_path_factory.mktemp("logins")
    service = emitted(target, schema_of_login(folder), folder)
    with prepared(target, service, postgres) as built:
        execute(built.database, "create schema login")
        execute(
            built.database,
            """
            create table login.session (
                id text primary key default gen_random_uuid()::text, token text not null unique,
                "userId" text not null, "expiresAt" timestamptz not null, secret text default 'for the login'
            )
            """,
        )
        readme = (service / "README.md").read_text(encoding="utf-8")
        grants = re.findall(r"^grant [^;]+;$", readme, re.MULTILINE)
        assert len(grants) == 2
        for grant in grants:
            execute(built.database, grant)
        yield built


class Login(NamedTuple):
    """A service, whose callers sign in elsewhere on its database."""

    client: httpx.Client
    made: Prepared

    def member(self) -> str:
        """A user who is a member of a tenant of their own."""
        person, tenant = uuid.uuid4(), uuid.uuid4()
        database = self.made.database
        execute(database, "insert into organization (id, name) values ($1, 'Acme')", tenant)
        execute(database, "insert into person (id, email) values ($1, $2)", person, f"{person}@example.com")
        execute(
            database,
            "insert into membership (id, tenant_id, person_id, role) values ($1, $2, $3, 'member')",
            uuid.uuid4(),
            tenant,
            person,
        )
        return str(person)

    def session(self, user: str, *, token: str = "", expires: str = "1 day") -> str:
        """A new session of theirs: its token. `token` is what the table has where that is something else."""
        found = uuid.uuid4().hex
        execute(
            self.made.database,
            f"""
            insert into login.session (token, "userId", "expiresAt")
            values ($1, $2, now() + interval '{expires}')
            """,
            token or found,
            user,
        )
        return found

    def read(self, *cookies: str, **headers: str) -> httpx.Response:
        sent = [("Cookie", f"theme=dark; {COOKIE}={cookie}") for cookie in cookies]
        return self.client.get("/v1/notes", headers=[*sent, *headers.items()])

    def write(self, *headers: tuple[str, str]) -> httpx.Response:
        return self.client.post("/v1/notes", json={"text": "hello"}, headers=list(headers))


@pytest.fixture(scope="module")
def login(made: Prepared) -> Iterator[Login]:
    told = {"SESSION_SECRET": SIGNED_WITH, "TRUSTED_PROXY_SECRET": SHARED, "ALLOWED_ORIGINS": PAGE}
    with (
        serving(made, **DEVELOPMENT, **told) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        yield Login(client, made)


def signed(token: str, secret: str = SIGNED_WITH) -> str:
    """The cookie as better-auth writes it."""
    signature = base64.b64encode(hmac.digest(secret.encode(), token.encode(), "sha256")).decode()
    return quote(f"{token}.{signature}", safe="")


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_has_signed_in_comes_with_the_cookie_until_the_session_ends(login: Login):
    jane = login.member()
    token = login.session(jane)
    ended = login.session(jane, expires="-1 second")
    stranger = login.session(str(uuid.uuid4()))
    cookie = ("Cookie", f"{COOKIE}={signed(token)}")
    made = login.write(cookie, ("Origin", PAGE))
    seen = login.read(signed(token))

    assert made.status_code == 201, made.text
    assert [each["text"] for each in seen.json()["data"]] == ["hello"]
    assert seen.headers["vary"] == "Cookie, Origin"
    assert refused(login.read(signed(ended))) == (401, "unauthenticated")
    assert refused(login.read(signed(stranger))) == (403, "no_tenant")
    for page in ("https://evil.example", "null", f"{PAGE}.evil.example"):
        assert refused(login.write(cookie, ("Origin", page))) == (403, "bad_origin"), page
    assert refused(login.write(cookie)) == (403, "bad_origin")
    execute(login.made.database, "delete from login.session where token = $1", token)
    assert refused(login.read(signed(token))) == (401, "unauthenticated")


def test_a_cookie_that_the_login_did_not_sign_is_not_looked_up(login: Login):
    token, other = login.session(login.member()), login.session(login.member())
    own = signed(token)
    wrong = [
        token,
        quote(f"{token}.", safe=""),
        signed(token, "another secret, that is not the login's own"),
        signed(other).replace(other, token),
        own[:-9],
        own + "0",
        f"{own}.{own}",
        ".",
        "%zz",
        "%00",
        "",
        signed("' or true --"),
        signed(""),
        signed("x" * 600),
    ]

    for cookie in wrong:
        assert refused(login.read(cookie)) == (401, "unauthenticated"), cookie
    assert login.read(own).status_code == 200


def test_two_credentials_in_one_request_are_refused(login: Login):
    own = signed(login.session(login.member()))
    others = {
        "Authorization": "Bearer x",
        "X-API-Key": "ak_dev_0123456789_" + "0" * 32,
        "X-Auth-Request-User": "x",
    }

    for name, value in others.items():
        beside = login.read(own, **{name: value}, **({"X-Proxy-Secret": SHARED} if "User" in name else {}))
        assert refused(beside) == (400, "ambiguous_credentials"), name
    assert refused(login.read(own, own)) == (400, "ambiguous_credentials")
    without = {"Authorization": "Bearer x", "X-API-Key": others["X-API-Key"]}
    assert refused(login.read(**without)) == (400, "ambiguous_credentials")


def test_the_service_reads_no_more_of_the_login_than_it_asks_for(login: Login):
    (held,) = execute(
        login.made.database,
        """
        select has_column_privilege('app_api', 'login.session', 'token', 'select') as token,
               has_column_privilege('app_api', 'login.session', 'secret', 'select') as secret,
               has_any_column_privilege('app_api', 'login.session', 'insert, update') as change
        """,
    )

    assert dict(held) == {"token": True, "secret": False, "change": False}


def test_a_column_of_hashes_is_asked_for_the_hash(made: Prepared, tmp_path: Path):
    """And without a secret the cookie is the token, so that a stolen table opens nothing."""
    schema = schema_of_login(tmp_path, LOGIN.replace("userId", "userId, hash: sha256"))
    service = emitted(made.target, schema, tmp_path)
    for command in made.target.commands.build:
        do(command, service, made.cache, **environment(made.target))
    again = made._replace(folder=service)
    with (
        serving(again, **DEVELOPMENT) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        login = Login(client, again)
        token = uuid.uuid4().hex
        digest = hashlib.sha256(token.encode()).hexdigest()
        login.session(login.member(), token=digest)

        assert login.read(token).status_code == 200
        assert refused(login.read(digest)) == (401, "unauthenticated")
        assert refused(login.write(("Cookie", f"{COOKIE}={token}"), ("Origin", PAGE))) == (403, "bad_origin")
        told = {"X-Auth-Request-User": "x", "X-Proxy-Secret": SHARED}
        assert refused(login.read(**told)) == (401, "unauthenticated")  # there is no secret


@pytest.fixture(scope="module", params=list(TARGETS))
def behind(
    request: pytest.FixtureRequest, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    target = TARGETS[request.param]
    service = emitted(target, SCHEMAS / "gateway.yaml", tmp_path_factory.mktemp("gateway"))
    with prepared(target, service, postgres) as built:
        yield built


def test_a_gateway_says_who_calls_and_nobody_else_does(behind: Prepared):
    acme, globex = str(uuid.uuid4()), str(uuid.uuid4())
    for tenant in (acme, globex):
        execute(behind.database, "insert into organization (id, name) values ($1, 'Acme')", uuid.UUID(tenant))
    with (
        serving(behind, **DEVELOPMENT, TRUSTED_PROXY_SECRET=SHARED, ALLOWED_ORIGINS=PAGE) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        jane = {
            "X-Auth-Request-User": "jane",
            "X-Auth-Request-Tenant": acme,
            "X-Auth-Request-Groups": "admin",
        }
        vouched = jane | {"X-Proxy-Secret": SHARED}
        made = client.post("/v1/notes", json={"text": "hello"}, headers=vouched)
        seen = client.get("/v1/notes", headers=vouched)
        apart = client.get("/v1/notes", headers=vouched | {"X-Auth-Request-Tenant": globex})

        assert made.status_code == 201, made.text
        assert ([each["text"] for each in seen.json()["data"]], apart.json()["data"]) == (["hello"], [])

        # Roles that there are none of, and being a service, are not for a gateway to give.
        groups = vouched | {"X-Auth-Request-Groups": "service, member other"}
        assert client.get("/v1/notes", headers=groups).status_code == 200
        for path, field in (("/v1/organizations", "name"), ("/v1/news", "text"), ("/v1/notes", "text")):
            assert refused(client.post(path, json={field: "x"}, headers=groups)) == (403, "forbidden"), path
        nowhere = vouched | {"X-Auth-Request-Tenant": "acme"}
        assert refused(client.get("/v1/notes", headers=nowhere)) == (403, "no_tenant")

        # Without the secret nothing that is said of a caller counts, be it read by everybody.
        secrets = ("", SHARED[:-1], SHARED + "x", SHARED.upper())
        for secret in secrets:
            for said in (jane, {"X-Auth-Request-Groups": "admin"}, {}):
                answer = client.get("/v1/news", headers={**said, "X-Proxy-Secret": secret})
                assert refused(answer) == (401, "unauthenticated"), (secret, said)
        for said in (jane, {"X-Auth-Request-Tenant": acme}):
            assert refused(client.get("/v1/news", headers=said)) == (401, "unauthenticated"), said
        twice = [*vouched.items(), ("X-Auth-Request-User", "bob")]
        assert refused(client.get("/v1/news", headers=twice)) == (401, "unauthenticated")
        also = [*vouched.items(), ("X-Proxy-Secret", SHARED)]
        assert refused(client.get("/v1/news", headers=also)) == (401, "unauthenticated")
        nobody = {"X-Proxy-Secret": SHARED, "X-Auth-Request-Groups": "admin"}
        assert refused(client.get("/v1/news", headers=nobody)) == (401, "unauthenticated")
        beside = vouched | {"Authorization": "Bearer x"}
        assert refused(client.get("/v1/news", headers=beside)) == (400, "ambiguous_credentials")

        # A gateway lets somebody through who has not signed in, and passes on where a page is from.
        assert client.get("/v1/news", headers={"X-Proxy-Secret": SHARED}).status_code == 200
        for page, status in ((PAGE, 201), ("https://evil.example", 403), ("null", 403)):
            sent = client.post("/v1/notes", json={"text": "x"}, headers=vouched | {"Origin": page})
            assert sent.status_code == status, page


UNSAFE = {
    "TRUSTED_PROXY_SECRET": ["short", "x" * 31],
    "SESSION_SECRET": ["short"],
    "ALLOWED_ORIGINS": ["*", f"{PAGE}/", "http://app.example.com", "null", "https://*.example.com"],
}


def test_unsafe_settings_are_refused_by_name_before_anything_is_served(login: Login):
    told = login.made.environment(
        ENVIRONMENT="production",
        AUTH_PROVIDER="custom",
        AUTH_ISSUER="https://id.example.com/",
        AUTH_JWKS_URL="https://id.example.com/jwks",
        AUTH_AUDIENCE="api",
        PORT="0",
    )
    for name, values in UNSAFE.items():
        for value in values:
            started = subprocess.run(
                words(login.made.target.commands.start, login.made.cache),
                cwd=login.made.folder,
                env=told | {name: value},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            output = started.stdout + started.stderr
            assert started.returncode != 0, (name, value)
            assert f"{name} should" in output, output
            assert "x" * 31 not in output
