"""The keys that users' JWTs are signed with: what others verify them by, and how one key follows another."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import pytest

from tests.platform import Platform, Project, User, error_of
from tests.process.installation import run, until
from tests.services.second_factor import App, ok, run_sql
from tests.services.sockets import socket


def issuer_of(project: Project) -> str:
    return f"{project.platform.endpoint}/projects/{project.id}"


def key_set(project: Project, **headers: str) -> httpx.Response:
    return httpx.get(f"{issuer_of(project)}/.well-known/jwks.json", headers=headers, timeout=20)


def token_of(user: User) -> str:
    return str(ok(user.client.post("/account/jwts")).json()["jwt"])


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def kids_of(project: Project) -> list[str]:
    return [each["kid"] for each in key_set(project).json()["keys"]]


def verified(project: Project, token: str) -> dict[str, Any]:
    """The claims, as somebody else reads them who knows the project's issuer and nothing more."""
    issuer = issuer_of(project)
    key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    return dict(jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=project.id))


def status_of(project: Project, token: str) -> int:
    return project.guest.get("/account", headers={"X-Appwrite-JWT": token}).status_code


def rotate(project: Project, *options: str) -> list[dict[str, Any]]:
    """What `freehold signing-keys rotate` says of the project's keys, newest first."""
    secret = (project.platform.installation.data / "secret").read_text().strip()
    told = {"DATABASE_URL": project.platform.database_url, "FREEHOLD_SECRET": secret}
    done = run("signing-keys", "rotate", project.id, "--json", *options, told=told)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def let_pass(project: Project, column: str, kid: str) -> None:
    """Let the moment have come that a key waits for, in every process."""
    run_sql(
        project,
        f"""
        update freehold.signing_keys set {column} = now() - interval '1 s' where project_id = $1 and id = $2
        """,
        project.id,
        kid,
    )
    run_sql(project, "select pg_notify('freehold_changed', $1)", f"signing keys:{project.id}")


def test_whoever_knows_the_issuer_can_verify_a_jwt_and_read_who_it_is(project: Project, jane: User) -> None:
    project.server.put(f"/users/{jane.id}/labels", json={"labels": ["editor", "vip"]})
    project.server.patch(f"/users/{jane.id}/verification", json={"emailVerification": True})
    jane.client.post("/teams", json={"teamId": "acme", "name": "Acme", "roles": ["owner", "chief"]})
    session = jane.client.get("/account/sessions/current").json()

    claims = verified(project, token_of(jane))

    assert claims["exp"] - claims["iat"] == 900
    assert {name: value for name, value in claims.items() if name not in ("exp", "iat")} == {
        "iss": issuer_of(project),
        "aud": project.id,
        "sub": jane.id,
        "userId": jane.id,
        "sessionId": session["$id"],
        "email_verified": True,
        "phone_number_verified": False,
        "roles": ["editor", "vip"],
        "team": {"id": "acme", "roles": ["owner", "chief"]},
    }


def test_a_server_makes_them_for_users_with_and_without_a_session(project: Project, jane: User) -> None:
    by_server = verified(project, project.server.post(f"/users/{jane.id}/jwts").json()["jwt"])
    made = project.server.post("/users", json={"userId": "unique()", "name": "Bob"}).json()
    token = project.server.post(f"/users/{made['$id']}/jwts", json={"duration": 60}).json()["jwt"]
    sessionless = verified(project, token)

    assert by_server["sub"] == jane.id
    assert by_server["sessionId"]
    assert (sessionless["sub"], sessionless["sessionId"]) == (made["$id"], "")
    assert status_of(project, token) == 200


def test_a_jwt_ends_with_its_session_at_the_latest(project: Project, jane: User) -> None:
    run_sql(
        project,
        "update freehold.sessions set expires_at = now() + interval '90 s' where user_id = $1", jane.id,
    )  # fmt: skip
    project.server.put(f"/users/{jane.id}/labels", json={"labels": []})  # sessions are looked up anew

    claims = verified(project, token_of(jane))

    assert claims["exp"] - claims["iat"] <= 90


def test_in_several_teams_no_team_is_named_and_too_many_roles_are_none(project: Project, jane: User) -> None:
    for team in ("acme", "globex"):
        jane.client.post("/teams", json={"teamId": team, "name": team})
    project.server.put(f"/users/{jane.id}/labels", json={"labels": [f"label{n:030}" for n in range(1000)]})

    token = token_of(jane)
    claims = verified(project, token)

    assert "team" not in claims
    assert claims["roles"] == []
    assert status_of(project, token) == 200


def test_what_services_could_not_ask_about_is_not_for_them(project: Project, jane: User) -> None:
    secret = ok(jane.client.post("/account/mfa/authenticators/totp")).json()["secret"]
    ok(jane.client.put("/account/mfa/authenticators/totp", json={"otp": App(secret).code()}))
    ok(jane.client.patch("/account/mfa", json={"mfa": True}))
    project.sign_in(jane.email)  # half a session, and the newest
    half = project.server.post(f"/users/{jane.id}/jwts").json()["jwt"]
    bob = project.new_user("Bob")
    ok(project.server.patch(f"/users/{bob.id}/status", json={"status": False}))
    blocked = project.server.post(f"/users/{bob.id}/jwts").json()["jwt"]

    for token, expected in ((half, (401, "user_more_factors_required")), (blocked, (403, "user_blocked"))):
        with pytest.raises(jwt.InvalidAudienceError):
            verified(project, token)
        refused = project.guest.get("/account", headers={"X-Appwrite-JWT": token})
        assert error_of(refused) == expected
    whole = verified(project, token_of(jane))
    assert whole["aud"] == project.id


def test_the_key_set_is_for_everybody_from_everywhere_and_tells_no_secret(project: Project) -> None:
    for headers in (
        {},
        {"Origin": "https://anywhere.example.org"},
        {"Origin": "http://localhost:3000"},
        {"X-Appwrite-Project": "console", "X-Appwrite-Mode": "admin"},
        {
            "X-Appwrite-JWT": "x",
            "X-Appwrite-Key": "x",
            "X-Appwrite-Session": "x",
            "Cookie": "a_session_console=x",
        },
    ):
        answer = key_set(project, **headers)

        assert answer.status_code == 200, headers
        [key] = answer.json()["keys"]
        assert set(key) == {"kid", "kty", "crv", "x", "y", "alg", "use"}
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
        assert answer.headers.get_list("Cache-Control") == ["public, max-age=300"]
        assert answer.headers.get_list("Access-Control-Allow-Origin") == ["*"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    with_session = {"disabledServices": ["project"]}
    run_sql(
        project,
        "update freehold.projects set settings = settings || $2::jsonb where id = $1",
        project.id,
        json.dumps(with_session),
    )
    assert key_set(project).status_code == 200
    head = httpx.head(f"{issuer_of(project)}/.well-known/jwks.json")
    assert (head.status_code, head.content) == (200, b"")
    nowhere = httpx.get(f"{project.platform.endpoint}/projects/nowhere/.well-known/jwks.json")
    assert error_of(nowhere) == (404, "project_not_found")
    assert nowhere.headers["Cache-Control"] == "private, no-store"


def test_people_of_the_console_have_a_key_set_too(platform: Platform) -> None:
    token = platform.console.post("/account/jwts").json()["jwt"]
    issuer = f"{platform.endpoint}/projects/console"
    key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)

    assert jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience="console")["sub"]


def test_of_a_project_made_anew_with_the_same_id_nothing_holds_that_was_signed_before(
    platform: Platform, project: Project
) -> None:
    jane = project.new_user(user_id="jane")
    before = token_of(jane)
    verified(project, before)
    ok(platform.console.delete(f"/projects/{project.id}"))
    body = {"projectId": project.id, "name": "Anew", "teamId": "default"}
    until(lambda: platform.console.post("/projects", json=body).status_code == 201)

    assert kid_of(before) not in kids_of(project)
    assert status_of(project, before) == 401


def test_whoever_comes_first_makes_the_only_key(project: Project) -> None:
    users = [project.new_user() for _ in range(3)]
    with ThreadPoolExecutor(12) as threads:
        asked = [threads.submit(token_of, user) for user in users * 3] + [
            threads.submit(lambda: kids_of(project)[0]) for _ in range(6)
        ]
        answers = [each.result() for each in asked]

    kids = {kid_of(each) if "." in each else each for each in answers}
    assert len(kids) == 1
    [(count,)] = run_sql(
        project, "select count(*) from freehold.signing_keys where project_id = $1", project.id
    )
    assert count == 1
    assert {status_of(project, each) for each in answers if "." in each} == {200}


def test_a_new_key_is_served_before_it_signs_and_the_old_one_until_its_tokens_have_ended(
    project: Project, jane: User
) -> None:
    before = token_of(jane)
    old = kid_of(before)

    waiting, signing = rotate(project)
    again = rotate(project)
    new = waiting["key"]
    until(lambda: kids_of(project) == [new, old])
    assert (waiting["state"], signing["state"], signing["key"]) == ("waiting", "signing", old)
    assert [each["key"] for each in again] == [new, old]
    assert kid_of(token_of(jane)) == old

    let_pass(project, "signs_from", new)
    until(lambda: kid_of(token_of(jane)) == new)
    assert verified(project, before)["sub"] == verified(project, token_of(jane))["sub"] == jane.id
    assert (status_of(project, before), status_of(project, token_of(jane))) == (200, 200)

    let_pass(project, "ends_at", old)
    until(lambda: kids_of(project) == [new])
    until(lambda: status_of(project, before) == 401)
    assert status_of(project, token_of(jane)) == 200


def test_a_key_that_others_have_seen_is_revoked_with_all_that_it_signed(project: Project, jane: User) -> None:
    before = token_of(jane)
    rotate(project)
    with socket(project, jwt=before) as open_one:
        [only] = rotate(project, "--revoke")
        code, _ = open_one.close_code()

    assert only["state"] == "signing"
    assert code == 1008
    until(lambda: status_of(project, before) == 401)
    until(lambda: kids_of(project) == [only["key"]])
    after = token_of(jane)
    assert kid_of(after) == only["key"]
    assert status_of(project, after) == 200


def test_a_key_that_another_secret_sealed_verifies_and_signs_nothing(project: Project, jane: User) -> None:
    before = token_of(jane)
    run_sql(
        project,
        """
        update freehold.signing_keys set private_sealed = decode(repeat('00', 64), 'hex')
        where project_id = $1
        """,
        project.id,
    )
    run_sql(project, "select pg_notify('freehold_changed', $1)", f"signing keys:{project.id}")
    until(lambda: jane.client.post("/account/jwts").status_code == 500)

    refused = jane.client.post("/account/jwts")
    assert error_of(refused) == (500, "general_server_error")
    assert "freehold signing-keys rotate --revoke" in refused.json()["message"]
    assert status_of(project, before) == 200
    rotate(project, "--revoke")
    until(lambda: jane.client.post("/account/jwts").status_code == 201)


def test_the_command_line_says_what_it_needs(project: Project, jane: User) -> None:
    told = {"DATABASE_URL": project.platform.database_url, "COLUMNS": "200"}
    kid = kid_of(token_of(jane))
    listed = run("signing-keys", "list", project.id, "nowhere", told=told)
    unsaid = run("signing-keys", "rotate", told=told)
    secret = {"FREEHOLD_SECRET": os.urandom(32).hex()}
    unknown = run("signing-keys", "rotate", "nowhere", told={**told, **secret})

    [line] = [each for each in listed.stdout.splitlines() if project.id in each]
    assert [kid in line, "signing" in line, "nowhere" in listed.stdout] == [True, True, False]
    assert (unsaid.returncode, unknown.returncode) == (2, 2)
    assert "--all" in unsaid.stderr
    assert "There is no project nowhere." in unknown.stderr
    assert kids_of(project) == [kid]
