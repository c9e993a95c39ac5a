"""S26: a JWT is ours, of this kind, for this project and this session, and of now; or it is nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from freehold import secrets
from tests.platform import Platform, Project, User, error_of, running_platform
from tests.postgres import Server
from tests.services.second_factor import run_sql

SECRET = os.urandom(32).hex()
INVALID = (401, "user_jwt_invalid")


class Signer(NamedTuple):
    """What signs the JWTs of a project. Nobody else has it, so this forges better than anybody could."""

    kid: str
    private: ec.EllipticCurvePrivateKey

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        """Signed whatever it says, as libraries would not."""
        told = {"alg": "ES256", "typ": "JWT", "kid": self.kid, **header}
        message = f"{part(told)}.{part(claims)}"
        return f"{message}.{text(ECAlgorithm(ECAlgorithm.SHA256).sign(message.encode(), self.private))}"

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self) -> dict[str, Any]:
        return dict(ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True))


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    """A platform whose secret the test knows."""
    with running_platform(postgres, "--dev", FREEHOLD_SECRET=SECRET) as running:
        running.register_root()
        yield running


@pytest.fixture
def claims(jane: User) -> dict[str, Any]:
    made = jane.client.post("/account/jwts").json()["jwt"]
    return dict(jwt.decode(made, options={"verify_signature": False}))


@pytest.fixture
def signer(project: Project, claims: dict[str, Any]) -> Signer:
    """That of the project, which has made a JWT already."""
    return signer_of(project)


def signer_of(project: Project) -> Signer:
    [(kid, sealed)] = run_sql(
        project, "select id, private_sealed from freehold.signing_keys where project_id = $1", project.id
    )
    opened = secrets.unseal(secrets.derive(SECRET, "signing keys"), sealed)
    assert opened is not None
    private = ECAlgorithm.from_jwk(opened)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return Signer(kid, private)


def part(value: dict[str, Any]) -> str:
    return text(json.dumps(value).encode())


def text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def answer_to(project: Project, token: str) -> tuple[int, str]:
    answer = project.guest.get("/account", headers={"X-Appwrite-JWT": token})
    return (200, "") if answer.status_code == 200 else error_of(answer)


def test_s26_one_that_is_right_passes(project: Project, claims: dict[str, Any], signer: Signer) -> None:
    assert answer_to(project, signer.token(claims)) == (200, "")


def test_s26_an_unsigned_one_is_refused(project: Project, claims: dict[str, Any], signer: Signer) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header = {"alg": algorithm, "typ": "JWT", "kid": signer.kid}
        assert answer_to(project, f"{part(header)}.{part(claims)}.") == INVALID


def test_s26_another_signature_is_refused(project: Project, claims: dict[str, Any], signer: Signer) -> None:
    right = signer.token(claims)
    stranger = Signer(signer.kid, ec.generate_private_key(ec.SECP256R1()))
    for token in (
        stranger.token(claims),
        right[:-2] + "xx",
        right.rpartition(".")[0] + ".",
        jwt.encode(claims, SECRET, algorithm="HS256", headers={"kid": signer.kid}),
        jwt.encode(claims, secrets.derive(SECRET, "ephemeral keys"), algorithm="HS256"),
        jwt.encode(claims, secrets.derive(SECRET, "jwt"), algorithm="HS256"),
        "a.b.c",
        "...",
        "",
    ):
        expected = INVALID if token else (401, "general_unauthorized_scope")
        assert answer_to(project, token) == expected


def test_s26_the_public_key_is_no_secret_to_sign_with(
    project: Project, claims: dict[str, Any], signer: Signer
) -> None:
    key = signer.jwk()
    spelled = [signer.public_pem(), json.dumps(key).encode(), base64.urlsafe_b64decode(key["x"] + "==")]
    for secret in spelled:
        for algorithm, digest in (
            ("HS256", hashlib.sha256),
            ("HS384", hashlib.sha384),
            ("ES256", hashlib.sha256),
        ):
            message = f"{part({'alg': algorithm, 'typ': 'JWT', 'kid': signer.kid})}.{part(claims)}"
            forged = f"{message}.{text(hmac.new(secret, message.encode(), digest).digest())}"
            assert answer_to(project, forged) == INVALID, algorithm


def test_s26_the_header_brings_no_key_and_names_none_but_ours(
    platform: Platform, project: Project, claims: dict[str, Any], signer: Signer
) -> None:
    own = Signer("mine", ec.generate_private_key(ec.SECP256R1()))
    elsewhere = platform.new_project()
    elsewhere.new_user().client.post("/account/jwts")
    foreign = signer_of(elsewhere)

    assert answer_to(project, foreign.token(claims)) == INVALID
    assert answer_to(project, foreign.token(claims, kid=signer.kid)) == INVALID
    for brought in (
        {"jwk": own.jwk()},
        {"jwk": own.jwk(), "kid": signer.kid},
        {"jku": "http://127.0.0.1:1/jwks.json"},
        {"x5u": "http://127.0.0.1:1/key.pem"},
        {"x5c": [base64.b64encode(own.public_pem()).decode()]},
    ):
        assert answer_to(project, own.token(claims, **brought)) == INVALID, brought
    for kid in ("../../../../dev/null", "' union select 'x", "", None, 5, ["x"], {"x": 1}, "\0"):
        assert answer_to(project, own.token(claims, kid=kid)) == INVALID, kid
        assert answer_to(project, signer.token(claims, kid=kid)) == INVALID, kid
    for demand in (
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"alg": "ES384"},
        {"alg": None},
    ):
        assert answer_to(project, signer.token(claims, **demand)) == INVALID, demand


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"aud": "console"},
        {"aud": None},
        {"aud": ["console"]},
        {"userId": "somebody"},
        {"userId": {"$ne": ""}},
        {"sessionId": "another"},
        {"sessionId": ""},
        {"sessionId": None},
        {"sessionId": ["x"]},
    ],
    ids=str,
)
def test_s26_other_claims_are_refused(
    project: Project, claims: dict[str, Any], signer: Signer, change: dict[str, Any]
) -> None:
    changed = {name: value for name, value in {**claims, **change}.items() if value is not None}

    assert answer_to(project, signer.token(changed)) == INVALID


def test_s26_one_of_another_project_is_refused(
    platform: Platform, project: Project, claims: dict[str, Any], signer: Signer
) -> None:
    other = platform.new_project()
    there = other.new_user()
    there.client.post("/account/jwts")
    meant = {**claims, "aud": other.id, "iss": claims["iss"].replace(project.id, other.id)}

    assert answer_to(other, signer.token(claims)) == INVALID
    assert answer_to(other, signer.token(meant)) == INVALID
    assert answer_to(project, signer.token({**claims, "aud": other.id})) == INVALID


def test_s26_one_that_ends_ends_though_it_was_good_a_moment_ago(
    project: Project, claims: dict[str, Any], signer: Signer
) -> None:
    brief = signer.token({**claims, "exp": int(time.time()) + 2})
    while answer_to(project, brief) == (200, ""):
        time.sleep(0.1)

    assert answer_to(project, brief) == INVALID
    assert answer_to(project, signer.token(claims)) == (200, "")


def test_s26_the_jwt_of_a_key_is_none_of_a_user_and_the_other_way_round(
    project: Project, claims: dict[str, Any], signer: Signer
) -> None:
    body = {"scopes": ["users.read"], "duration": 60}
    key = project.server.post("/project/keys/ephemeral", json=body).json()["secret"]
    read = jwt.decode(key.removeprefix("ephemeral_"), options={"verify_signature": False})

    assert project.platform.client(project.id, key=key).get("/users").status_code == 200
    assert answer_to(project, key.removeprefix("ephemeral_")) == INVALID
    for forged in (signer.token(claims), signer.token({**claims, **read}), signer.token(read)):
        as_key = project.platform.client(project.id, key=f"ephemeral_{forged}").get("/users")
        assert error_of(as_key) == (401, "general_unauthorized_scope")
