"""Tokens of identity providers, each in the layout of its vendor, on a service in each language."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from freehold.generator import TARGETS
from freehold.generator.identity import DEV, PRESETS
from freehold.generator.targets.common import emit
from tests.conformance.issuers import VENDORS, Issuer, issuing
from tests.conformance.running import Prepared, emitted, execute, prepared, serving
from tests.platform import Project, User, running_platform
from tests.postgres import Server
from tests.services.second_factor import ok
from tests.services.test_signing_keys import issuer_of, key_set, kid_of, let_pass, rotate, token_of

SCHEMA = Path(__file__).parent / "schemas" / "vendors.yaml"
LEGACY_SECRET = "super-secret-jwt-token-with-at-least-32-characters"

pytestmark = pytest.mark.xdist_group("vendors")  # each service is built once, by the first who asks


class Guarded(NamedTuple):
    """A service that trusts one vendor."""

    client: httpx.Client
    issuer: Issuer

    def read(self, token: str) -> httpx.Response:
        return read(self.client, token)

    def write(self, token: str) -> httpx.Response:
        return write(self.client, token)


def read(service: httpx.Client, token: str) -> httpx.Response:
    return service.get("/v1/notes", headers=bearer(token))


def write(service: httpx.Client, token: str) -> httpx.Response:
    return service.post("/v1/notes", headers=bearer(token), json={"text": "hello"})


@contextmanager
def guarding(made: Prepared, issuer: Issuer, **environ: str) -> Iterator[Guarded]:
    told = {"AUTH_PROVIDER": issuer.vendor.name, "AUTH_ISSUER": issuer.url, "AUTH_REFETCH_SECONDS": "1"}
    with (
        serving(made, **told, **issuer.vendor.settings, **environ) as started,
        httpx.Client(base_url=started.url, timeout=30) as client,
    ):
        yield Guarded(client, issuer)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def made(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Prepared]]:
    """Builds each language's service once, with the presets of all vendors, and a row for each tenant."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(emit, "presets_of", lambda *_: [*PRESETS.values(), DEV])

        @cache
        def build(target: str) -> Prepared:
            service = emitted(TARGETS[target], SCHEMA, tmp_path_factory.mktemp(target))
            built = stack.enter_context(prepared(TARGETS[target], service, postgres))
            for tenant in {vendor.tenant for vendor in VENDORS.values()}:
                execute(built.database, "insert into organization (id, name) values ($1, 'Acme')", tenant)
            return built

        yield build


@pytest.fixture(scope="module", params=itertools.product(TARGETS, VENDORS), ids="-".join)
def guarded(request: pytest.FixtureRequest, made: Callable[[str], Prepared]) -> Iterator[Guarded]:
    target, vendor = request.param
    with issuing(VENDORS[vendor]) as issuer, guarding(made(target), issuer) as trusting:
        yield trusting


def test_the_preset_finds_the_keys_where_the_vendor_says_they_are(guarded: Guarded):
    issuer = guarded.issuer
    place = issuer.url.rstrip("/") + "/.well-known/openid-configuration"
    discovered = guarded.client.get(place).json()

    assert discovered["issuer"] == issuer.url
    assert PRESETS[issuer.vendor.name].jwks_url.replace("{issuer}", issuer.url) == discovered["jwks_uri"]


def test_a_token_says_who_calls_in_which_tenant_and_what_it_may(guarded: Guarded):
    issuer = guarded.issuer
    made = guarded.write(issuer.token())
    read = guarded.read(issuer.token(issuer.claims("member")))
    refused = guarded.write(issuer.token(issuer.claims("member")))
    nobody = guarded.read(issuer.token(issuer.claims("stranger")))

    assert made.status_code == 201, made.text
    assert made.json()["created_by"] == issuer.vendor.user
    assert made.json()["id"] in [each["id"] for each in read.json()["data"]]
    assert (refused.status_code, nobody.status_code) == (403, 403)


def test_no_token_that_is_for_somebody_or_something_else_opens_anything(guarded: Guarded):
    issuer = guarded.issuer
    wrong = {
        "of another issuer": issuer.claims(iss="https://evil.example.com/"),
        "of the issuer but for a slash": issuer.claims(
            iss=issuer.url.rstrip("/") + "/" * (issuer.url[-1] != "/")
        ),
        "for another audience": issuer.claims(**{issuer.vendor.audience: "someone-else"}),
        "for no audience": issuer.claims(**{issuer.vendor.audience: None}),
        "expired": issuer.claims(exp=int(time.time()) - 60),
        "never expiring": issuer.claims(exp=None),
        "not yet good": issuer.claims(nbf=int(time.time()) + 600),
    }

    for name, claims in wrong.items():
        refused = guarded.read(issuer.token(claims))
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated"), name
        assert "WWW-Authenticate" in refused.headers, name
    for name, change in issuer.vendor.others.items():
        assert guarded.write(issuer.token(change(issuer.claims()))).status_code in (401, 403), name


def test_clocks_may_differ_by_some_seconds(guarded: Guarded):
    issuer, now = guarded.issuer, int(time.time())
    early = issuer.token(issuer.claims(nbf=now + 25, iat=now + 25))
    late = issuer.token(issuer.claims(exp=now - 1))

    assert guarded.read(early).status_code == 200
    assert guarded.read(late).status_code == 200


def test_a_signature_that_the_vendor_did_not_make_is_refused(guarded: Guarded):
    issuer = guarded.issuer
    claims = issuer.claims()
    forged = {
        "unsigned": jwt.encode(claims, "", algorithm="none", headers={"kid": "first"}),
        "by the public key as a secret": by_secret(claims, issuer.public_pem()),
        "by a legacy secret": by_secret(claims, LEGACY_SECRET.encode()),
        "by another key of the same name": issuer.token(claims, kid="first", key=issuer.new_key()),
        "by a key for something else": issuer.token(claims, kid="sealing", key=issuer.keys["first"]),
    }

    for name, token in forged.items():
        assert guarded.read(token).status_code == 401, name


def test_unknown_keys_are_asked_for_now_and_then_and_not_by_every_token(guarded: Guarded):
    issuer = guarded.issuer
    assert guarded.read(issuer.token()).status_code == 200
    stranger = issuer.new_key()
    before, began = issuer.fetched, time.monotonic()
    statuses = {
        guarded.read(issuer.token(kid=f"unknown-{number}", key=stranger)).status_code for number in range(12)
    }
    took_s = time.monotonic() - began

    assert statuses == {401}
    assert issuer.fetched - before <= took_s + 1  # AUTH_REFETCH_SECONDS=1


def test_a_new_key_is_taken_and_one_that_is_withdrawn_is_not(guarded: Guarded):
    issuer = guarded.issuer
    old = issuer.keys.copy()
    assert guarded.read(issuer.token()).status_code == 200
    issuer.keys = {"second": issuer.new_key()}
    until(lambda: guarded.read(issuer.token()).status_code == 200)
    withdrawn = issuer.token(kid="first", key=old["first"])

    assert guarded.read(withdrawn).status_code == 401
    issuer.keys = old
    until(lambda: guarded.read(issuer.token()).status_code == 200)


def test_the_keys_that_are_known_outlive_an_outage_of_the_vendor(guarded: Guarded):
    issuer = guarded.issuer
    assert guarded.read(issuer.token()).status_code == 200
    issuer.down = True
    try:
        unknown = guarded.read(issuer.token(kid="unknown", key=issuer.new_key()))
        known = guarded.read(issuer.token(issuer.claims("member")))
    finally:
        issuer.down = False

    assert unknown.status_code == 401
    assert known.status_code == 200


@pytest.mark.parametrize("target", TARGETS)
def test_a_service_that_never_had_the_keys_says_so_and_takes_them_when_they_are_there(
    target: str, made: Callable[[str], Prepared]
):
    namespaced = {"AUTH_ROLES_CLAIM": "https://acme.example.com/roles"}
    with issuing(VENDORS["auth0"]) as issuer:
        issuer.down = True
        with guarding(made(target), issuer, **namespaced) as guarded:
            claims = issuer.claims(permissions=[]) | {"https://acme.example.com/roles": ["admin"]}
            without = guarded.write(issuer.token(claims))
            issuer.down = False
            until(lambda: guarded.write(issuer.token(claims)).status_code == 201)

    assert (without.status_code, without.json()["code"]) == (503, "unavailable")


def test_a_running_freehold_says_who_calls_and_turns_its_keys_and_goes_away(
    postgres: Server, made: Callable[[str], Prepared]
):
    with ExitStack() as stack:
        platform = stack.enter_context(running_platform(postgres, "--dev", FREEHOLD_HOST="localhost"))
        platform.register_root()
        project, elsewhere = platform.new_project(), platform.new_project()
        services = [stack.enter_context(trusting(made(target), project)) for target in TARGETS]
        jane = member(project, "jane", "admin")
        bob = member(project, "bob", "member")
        stranger = member(elsewhere, "jane", "admin")

        for service in services:
            written = write(service, token_of(jane))
            assert written.status_code == 201, written.text
            assert written.json()["created_by"] == jane.id
            seen = read(service, token_of(bob))
            assert written.json()["id"] in [each["id"] for each in seen.json()["data"]]
            assert write(service, token_of(bob)).status_code == 403
        for name, token in for_nobody(project, jane, stranger).items():
            for service in services:
                assert read(service, token).status_code == 401, name
        for token in without_a_role_or_tenant(project):
            for service in services:
                assert write(service, token).status_code == 403

        old = [token_of(jane) for _ in services]
        new_key = rotate(project)[0]["key"]
        let_pass(project, "signs_from", new_key)
        until(lambda: kid_of(token_of(jane)) == new_key)
        for service, before in zip(services, old, strict=True):
            until(lambda service=service: write(service, token_of(jane)).status_code == 201)
            assert read(service, before).status_code == 200

        void = [token_of(jane) for _ in services]
        rotate(project, "--revoke")
        until(lambda: kid_of(token_of(jane)) != new_key)
        for service, token in zip(services, void, strict=True):
            until(lambda service=service: write(service, token_of(jane)).status_code == 201)
            assert read(service, token).status_code == 401

        later = [token_of(jane) for _ in services]
        platform.installation.stop()
        for service, token in zip(services, later, strict=True):
            assert write(service, token).status_code == 201


@contextmanager
def trusting(made: Prepared, project: Project) -> Iterator[httpx.Client]:
    """A service that trusts a project of a running Freehold, where the team `arsenal` is a tenant."""
    execute(made.database, "insert into organization (id, name) values ('arsenal', 'Arsenal')")
    told = {
        "AUTH_PROVIDER": "freehold",
        "AUTH_ISSUER": issuer_of(project),
        "AUTH_AUDIENCE": project.id,
        "AUTH_REFETCH_SECONDS": "1",
    }
    with serving(made, **told) as started, httpx.Client(base_url=started.url, timeout=30) as client:
        yield client


def member(project: Project, name: str, label: str, team: str = "arsenal", *roles: str) -> User:
    """A user of the project with a label, in a team, which is made if need be."""
    user = project.new_user(name, user_id=name)
    ok(project.server.put(f"/users/{user.id}/labels", json={"labels": [label] if label else []}))
    project.server.post("/teams", json={"teamId": team, "name": team})
    ok(project.server.post(f"/teams/{team}/memberships", json={"userId": user.id, "roles": roles or ("x",)}))
    return user


def for_nobody(project: Project, jane: User, stranger: User) -> dict[str, str]:
    """What no service of the project may take, though some of it was signed by the platform."""
    blocked = member(project, "eve", "admin")
    ok(project.server.patch(f"/users/{blocked.id}/status", json={"status": False}))
    right = token_of(jane)
    header, claims, _ = right.split(".")
    [public] = key_set(project).json()["keys"]
    key = ECAlgorithm.from_jwk(public)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    said = jwt.decode(right, options={"verify_signature": False})
    own = ec.generate_private_key(ec.SECP256R1())
    brought = {"kid": public["kid"], "jwk": ECAlgorithm.to_jwk(own.public_key(), as_dict=True)}
    return {
        "of another project": token_of(stranger),
        "of another project's key": f"{header}.{claims}.{token_of(stranger).rpartition('.')[2]}",
        "of who is blocked": project.server.post(f"/users/{blocked.id}/jwts").json()["jwt"],
        "unsigned": jwt.encode(said, "", algorithm="none", headers={"kid": public["kid"]}),
        "by the public key as a secret": by_secret(said, pem, public["kid"]),
        "with a key of its own": jwt.encode(said, own, algorithm="ES256", headers=brought),
        "an API key": project.server.post(
            "/project/keys/ephemeral", json={"scopes": ["users.read"], "duration": 600}
        ).json()["secret"].removeprefix("ephemeral_"),
    }  # fmt: skip


def without_a_role_or_tenant(project: Project) -> list[str]:
    """Whom the project lets in, and a service with tenants lets do nothing."""
    self_made = member(project, "mallory", "", "mallorys", "admin")
    unlabelled = member(project, "carol", "", "arsenal", "admin")
    of_two = member(project, "zoe", "admin")
    ok(project.server.post("/teams/mallorys/memberships", json={"userId": of_two.id, "roles": ["x"]}))
    return [token_of(each) for each in (self_made, unlabelled, of_two)]


def by_secret(claims: dict[str, Any], secret: bytes, kid: str = "first") -> str:
    """As the libraries that take any algorithm would have it: they make no such token of a public key."""
    parts = [json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"}), json.dumps(claims)]
    message = b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)
    signature = hmac.new(secret, message, hashlib.sha256).digest()
    return (message + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
