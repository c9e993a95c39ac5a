"""S26: a JWT is ours, of this kind, for this project and this session, and of now; or it is nothing."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from freehold import secrets
from tests.platform import Platform, Project, User, error_of, running_platform
from tests.postgres import Server

SECRET = os.urandom(32).hex()


@pytest.fixture(scope="module")
def platform(postgres: Server) -> Iterator[Platform]:
    """A platform whose secret the test knows, so that it can forge better than anybody else."""
    with running_platform(postgres, "--dev", FREEHOLD_SECRET=SECRET) as running:
        running.register_root()
        yield running


@pytest.fixture
def claims(project: Project, jane: User) -> dict[str, Any]:
    session = jane.client.get("/account/sessions/current").json()
    return {
        "userId": jane.id,
        "sessionId": session["$id"],
        "projectId": project.id,
        "exp": int(time.time()) + 60,
    }


def signed(claims: dict[str, Any], **said: Any) -> str:
    return jwt.encode(claims, secrets.derive(SECRET, "jwt"), algorithm="HS256", **said)


def answer_to(project: Project, token: str) -> tuple[int, str]:
    answer = project.guest.get("/account", headers={"X-Appwrite-JWT": token})
    return (200, "") if answer.status_code == 200 else error_of(answer)


def test_s26_one_that_is_right_passes(project: Project, claims: dict[str, Any]) -> None:
    assert answer_to(project, signed(claims)) == (200, "")


def test_s26_an_unsigned_one_is_refused(project: Project, claims: dict[str, Any]) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    for algorithm in ("none", "None", "NONE", ""):
        token = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}."
        assert answer_to(project, token) == (401, "user_jwt_invalid")


def test_s26_another_signature_is_refused(project: Project, claims: dict[str, Any]) -> None:
    key = secrets.derive(SECRET, "jwt")
    for token in (
        jwt.encode(claims, b"x" * 32, algorithm="HS256"),
        jwt.encode(claims, SECRET, algorithm="HS256"),
        jwt.encode(claims, secrets.derive(SECRET, "api keys"), algorithm="HS256"),
        jwt.encode(claims, key * 2, algorithm="HS512"),
        signed(claims)[:-2] + "xx",
        signed(claims, headers={"kid": "../../dev/null"})[:-4],
        "a.b.c",
        "...",
        "",
    ):
        expected = (401, "user_jwt_invalid") if token else (401, "general_unauthorized_scope")
        assert answer_to(project, token) == expected


def test_s26_a_key_id_in_the_header_chooses_nothing(project: Project, claims: dict[str, Any]) -> None:
    for kid in ("../../../../dev/null", "' union select 'x", "http://127.0.0.1/key"):
        forged = jwt.encode(claims, b"\0" * 32, algorithm="HS256", headers={"kid": kid})
        assert answer_to(project, forged) == (401, "user_jwt_invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"projectId": "console"},
        {"projectId": None},
        {"userId": "somebody"},
        {"userId": {"$ne": ""}},
        {"sessionId": "another"},
        {"sessionId": None},
        {"sessionId": ["x"]},
    ],
    ids=str,
)
def test_s26_other_claims_are_refused(
    project: Project, claims: dict[str, Any], change: dict[str, Any]
) -> None:
    # PyJWT would not sign some of these; the server must not depend on the signer's taste.
    changed = {name: value for name, value in {**claims, **change}.items() if value is not None}
    header, payload = (
        base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=")
        for each in ({"alg": "HS256"}, changed)
    )
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(f"{header}.{payload}".encode(), secrets.derive(SECRET, "jwt"))
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    assert answer_to(project, token) == (401, "user_jwt_invalid")


def test_s26_one_of_another_project_is_refused(
    platform: Platform, project: Project, claims: dict[str, Any]
) -> None:
    other = platform.new_project()

    assert answer_to(other, signed(claims)) == (401, "user_jwt_invalid")


def test_s26_the_jwt_of_a_key_is_none_of_a_user_and_the_other_way_round(
    project: Project, claims: dict[str, Any]
) -> None:
    body = {"scopes": ["users.read"], "duration": 60}
    key = project.server.post("/project/keys/ephemeral", json=body).json()["secret"]

    assert answer_to(project, key.removeprefix("ephemeral_")) == (401, "user_jwt_invalid")
    for forged in (signed(claims), signed({**claims, "scopes": ["users.read"]})):
        as_key = project.platform.client(project.id, key=f"ephemeral_{forged}").get("/users")
        assert error_of(as_key) == (401, "general_unauthorized_scope")
