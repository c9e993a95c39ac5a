"""Tenants from the memberships that a service keeps: what a token says of one is only a wish."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest

from freehold.generator import TARGETS
from tests.conformance.issuers import VENDORS, Issuer, issuing
from tests.conformance.running import DEVELOPMENT, SECRET, Prepared, do, emitted, execute, prepared, serving
from tests.postgres import Database, Server

SCHEMA = Path(__file__).parent / "schemas" / "memberships.yaml"

pytestmark = pytest.mark.xdist_group("memberships")


@pytest.fixture(scope="module", params=list(TARGETS))
def made(
    request: pytest.FixtureRequest, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    target = TARGETS[request.param]
    service = emitted(target, SCHEMA, tmp_path_factory.mktemp("memberships"))
    with prepared(target, service, postgres) as built:
        yield built


class Members(NamedTuple):
    """A service whose users are members of tenants, and the database to make them in."""

    client: httpx.Client
    issuer: Issuer
    database: Database

    def tenant(self) -> str:
        found = str(uuid.uuid4())
        execute(self.database, "insert into organization (id, name) values ($1, 'Acme')", uuid.UUID(found))
        return found

    def person(self, *tenants: str, role: str = "member") -> str:
        """A user, and a member of each of the tenants."""
        found = uuid.uuid4()
        execute(
            self.database, "insert into person (id, email) values ($1, $2)", found, f"{found}@example.com"
        )
        for tenant in tenants:
            self.join(str(found), tenant, role)
        return str(found)

    def join(self, person: str, tenant: str, role: str) -> None:
        execute(
            self.database,
            "insert into membership (id, tenant_id, person_id, role) values ($1, $2, $3, $4)",
            uuid.uuid4(),
            uuid.UUID(tenant),
            uuid.UUID(person),
            role,
        )

    def change(self, assignment: str, person: str) -> None:
        execute(self.database, f"update membership set {assignment} where person_id = $1", uuid.UUID(person))

    def send(
        self,
        method: str,
        path: str,
        person: str,
        *tenants: str,
        claims: dict[str, Any] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """With a token of the vendor, whose claims say that the user is an admin of whatever there is."""
        found = self.issuer.claims(sub=person, roles=["admin"], **(claims or {}))
        headers = [("Authorization", f"Bearer {self.issuer.token(found)}")]
        headers += [("X-Tenant-Id", tenant) for tenant in tenants]
        return self.client.request(method, path, headers=headers, **more)

    def names(self, person: str, *tenants: str, **claims: Any) -> set[str]:
        """The notes that are read."""
        answer = self.send("GET", "/v1/notes", person, *tenants, claims=claims)
        assert answer.status_code == 200, answer.text
        return {each["text"] for each in answer.json()["data"]}

    def write(self, person: str, text: str, *tenants: str) -> httpx.Response:
        return self.send("POST", "/v1/notes", person, *tenants, json={"text": text})


@pytest.fixture(scope="module")
def members(made: Prepared) -> Iterator[Members]:
    with (
        issuing(VENDORS["auth0"]) as issuer,
        serving(
            made,
            AUTH_PROVIDER="custom",
            AUTH_ISSUER=issuer.url,
            AUTH_JWKS_URL=issuer.url + issuer.vendor.key_set,
            AUTH_AUDIENCE="https://api.example.com",
        ) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        yield Members(client, issuer, made.database)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_who_belongs_to_one_tenant_is_in_it_and_who_belongs_to_more_says_in_which(members: Members):
    acme, globex, other = members.tenant(), members.tenant(), members.tenant()
    jane, bob = members.person(acme), members.person(acme, globex)
    assert members.write(jane, "of acme").status_code == 201
    assert members.write(bob, "of globex", globex).status_code == 201

    assert members.names(jane) == members.names(jane, acme) == members.names(bob, acme) == {"of acme"}
    assert members.names(bob, globex) == members.names(bob, tenant_id=globex) == {"of globex"}
    undecided = members.send("GET", "/v1/notes", bob)
    assert refused(undecided) == (403, "no_tenant")
    assert "X-Tenant-Id" in undecided.json()["detail"]
    for tenant in (globex, other, str(uuid.uuid4()), "acme", "' or true --"):
        assert refused(members.send("GET", "/v1/notes", jane, tenant)) == (403, "no_tenant"), tenant
    assert refused(members.send("GET", "/v1/notes", bob, acme, globex)) == (403, "no_tenant")


def test_what_a_token_says_of_tenant_and_roles_opens_nothing(members: Members):
    acme, globex = members.tenant(), members.tenant()
    jane, stranger = members.person(acme), members.person()
    for person in (jane, stranger, str(uuid.uuid4())):
        claimed = members.send("GET", "/v1/notes", person, claims={"tenant_id": globex})
        assert refused(claimed) == (403, "no_tenant")
    body = {"person_id": stranger, "role": "admin"}

    assert refused(members.send("POST", "/v1/memberships", jane, json=body)) == (403, "forbidden")
    assert members.send("GET", "/v1/people", stranger).status_code == 200  # what belongs to no tenant
    assert refused(members.send("GET", "/v1/people", stranger, acme)) == (403, "no_tenant")


def test_a_membership_holds_from_the_next_request_on_and_no_longer_than_it_is_there(members: Members):
    acme = members.tenant()
    jane, boss = members.person(), members.person(acme, role="admin")
    before = members.send("GET", "/v1/notes", jane)
    joined = members.send("POST", "/v1/memberships", boss, json={"person_id": jane, "role": "member"})
    as_member = members.write(jane, "hello")
    members.change("role = 'admin'", jane)
    as_admin = members.send("PATCH", f"/v1/memberships/{joined.json()['id']}", jane, json={"role": "member"})
    left = members.send("DELETE", f"/v1/memberships/{joined.json()['id']}", boss)

    assert before.status_code == 403
    assert (joined.status_code, as_member.status_code, as_admin.status_code) == (201, 201, 200)
    assert left.status_code == 204
    assert members.send("GET", "/v1/notes", jane).status_code == 403
    assert refused(members.write(jane, "again", acme)) == (403, "no_tenant")


def test_memberships_of_others_stay_hidden_from_who_looks_up_its_own(members: Members):
    """The policy of the table shows a user its own ones while they are looked up, and never otherwise."""
    acme, globex = members.tenant(), members.tenant()
    jane = members.person(acme, globex)
    members.person(acme, globex)
    seen = members.send("GET", "/v1/memberships", jane, acme, params={"count": "exact"})
    unasked = execute_as_api(members.database, "select count(*) from membership")
    own = execute_as_api(members.database, "select count(*) from membership", member=jane)
    changed = execute_as_api(
        members.database,
        "with c as (update membership set role = 'admin' returning 1) select count(*) from c",
        member=jane,
    )

    assert seen.json()["page"]["total"] == 2
    assert (unasked, own, changed) == (0, 2, 0)


def test_keys_and_tokens_of_development_are_bound_to_the_tenant_that_they_were_made_for(made: Prepared):
    acme, globex = uuid.uuid4(), uuid.uuid4()
    for tenant in (acme, globex):
        execute(made.database, "insert into organization (id, name) values ($1, 'Acme')", tenant)
    command = (
        *made.target.commands.api_key,
        "issue",
        "--name",
        "x",
        "--role",
        "member",
        "--tenant",
        str(acme),
    )
    key = do(command, made.folder, made.cache, **made.environment()).strip()
    now = int(time.time())
    claims = {"iss": "dev", "iat": now, "exp": now + 600, "roles": ["member"], "tenant_id": str(acme)}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    credentials = ({"X-API-Key": key}, {"Authorization": f"Bearer {token}"})
    with (
        serving(made, **DEVELOPMENT) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        for credential in credentials:
            own = client.get("/v1/notes", headers=credential)
            same = client.get("/v1/notes", headers=credential | {"X-Tenant-Id": str(acme)})
            other = client.get("/v1/notes", headers=credential | {"X-Tenant-Id": str(globex)})

            assert (own.status_code, same.status_code) == (200, 200)
            assert refused(other) == (403, "no_tenant")


def execute_as_api(database: Database, sql: str, *, member: str = "") -> int:
    """What the service's role is answered in a transaction that tells no tenant."""
    told = f"select set_config('role', 'app_api', true), set_config('app.member_id', '{member}', true)"
    (row,) = execute(database, sql, before=told)
    return int(row[0])
