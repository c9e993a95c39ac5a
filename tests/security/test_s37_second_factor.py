"""S36, S37: half a session opens nothing, and a second factor is not found by trying."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.platform import PASSWORD, ROOT, Platform, Project, error_of, session_of
from tests.services.second_factor import App, Guarded, answer, challenge, guarded, ok, run_sql

HALF = (401, "user_more_factors_required")


@pytest.fixture
def greta(project: Project) -> Guarded:
    return guarded(project)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/account", None),
        ("PATCH", "/account/mfa", {"mfa": False}),
        ("POST", "/account/mfa/authenticators/totp", None),
        ("PUT", "/account/mfa/authenticators/totp", {"otp": "000000"}),
        ("DELETE", "/account/mfa/authenticators/totp", None),
        ("POST", "/account/mfa/recovery-codes", None),
        ("GET", "/account/mfa/recovery-codes", None),
        ("PATCH", "/account/mfa/recovery-codes", None),
        ("PATCH", "/account/email", {"email": "mine@example.com", "password": PASSWORD}),
        ("PATCH", "/account/password", {"password": "another password", "oldPassword": PASSWORD}),
        ("POST", "/account/jwts", {}),
        ("GET", "/account/sessions", None),
        ("DELETE", "/account/sessions", None),
        ("POST", "/account/targets/push", {"targetId": "unique()", "identifier": "mine"}),
        ("GET", "/teams", None),
        ("GET", "/tablesdb/home/tables/notes/rows", None),
    ],
)
def test_s37_half_a_session_opens_nothing(
    project: Project, greta: Guarded, method: str, path: str, body: dict[str, object] | None
) -> None:
    half = greta.sign_in(project)

    assert error_of(half.request(method, path, json=body)) == HALF
    assert greta.user.client.get("/account").json()["mfa"]


def test_s37_half_a_session_opens_nothing_through_graphql_but_may_answer_there(
    project: Project, greta: Guarded
) -> None:
    half = greta.sign_in(project)
    refused = ok(half.post("/graphql", json={"query": "{ accountGet { _id } }"})).json()
    factors = ok(half.post("/graphql", json={"query": "{ accountListMFAFactors { totp } }"})).json()

    assert refused["errors"][0]["extensions"]["type"] == "user_more_factors_required"
    assert not (refused.get("data") or {}).get("accountGet")
    assert factors["data"]["accountListMFAFactors"]["totp"]


def test_s37_half_a_session_may_sign_out_and_sign_in_anew_and_no_more(
    project: Project, greta: Guarded
) -> None:
    half = greta.sign_in(project)
    [whole] = [
        each["$id"]
        for each in greta.user.client.get("/account/sessions").json()["sessions"]
        if each["current"]
    ]

    assert error_of(half.delete(f"/account/sessions/{whole}")) == HALF
    assert greta.user.client.get("/account").status_code == 200
    login = {"email": greta.user.email, "password": PASSWORD}
    assert greta.sign_in(project).post("/account/sessions/email", json=login).status_code == 201
    assert half.delete("/account/sessions/current").status_code == 204
    assert half.get("/account/mfa/factors").status_code == 401


def test_s37_a_jwt_is_no_way_around_the_second_factor(project: Project) -> None:
    jane = project.new_user("Jane")
    jwt = ok(jane.client.post("/account/jwts", json={})).json()["jwt"]
    with_jwt = project.platform.client(project.id, **{"X-Appwrite-JWT": jwt})
    assert with_jwt.get("/account").status_code == 200

    other = project.platform.client(project.id, session=project.sign_in(jane.email))
    secret = ok(other.post("/account/mfa/authenticators/totp")).json()["secret"]
    ok(other.put("/account/mfa/authenticators/totp", json={"otp": App(secret).code()}))
    ok(other.patch("/account/mfa", json={"mfa": True}))

    assert error_of(with_jwt.get("/account")) == HALF
    assert error_of(jane.client.get("/account")) == HALF
    assert other.get("/account").status_code == 200


def test_s37_an_admin_with_half_a_session_runs_no_project(platform: Platform, project: Project) -> None:
    login = {"email": ROOT, "password": PASSWORD}

    def root(is_guarded: bool) -> None:
        run_sql(
            project,
            """
            update freehold.users set mfa = $1, email_verified = $1
            where project_id = 'console' and email = $2
            """,
            is_guarded,
            ROOT,
        )

    root(True)
    try:
        half = session_of(platform.client("console").post("/account/sessions/email", json=login))
        admin = platform.client(project.id, mode="admin", console_session=half)

        assert error_of(admin.get("/users")) == HALF
        assert error_of(platform.client("console", session=half).get("/projects")) == HALF
    finally:
        root(False)


def test_s36_a_code_counts_once(project: Project, greta: Guarded) -> None:
    half = greta.sign_in(project)
    code = greta.app.code()
    ok(answer(half, challenge(half, "totp"), code))

    other = greta.sign_in(project)
    assert error_of(answer(other, challenge(other, "totp"), code)) == (401, "user_invalid_token")
    assert error_of(other.get("/account")) == HALF


def test_s36_a_code_of_the_past_or_the_future_counts_nothing(project: Project, greta: Guarded) -> None:
    half = greta.sign_in(project)
    asked = challenge(half, "totp")
    for seconds in (-90, 90):
        refused = answer(half, asked, greta.app.code_at(time.time() + seconds))
        assert error_of(refused) == (401, "user_invalid_token")
    assert error_of(half.get("/account")) == HALF


def test_s36_after_five_wrong_answers_the_right_one_is_too_late(project: Project, greta: Guarded) -> None:
    half = greta.sign_in(project)
    asked = challenge(half, "totp")
    for wrong in ("000000", "", "12345", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666"):
        assert error_of(answer(half, asked, wrong)) == (401, "user_invalid_token")

    assert error_of(answer(half, asked, greta.app.code())) == (401, "user_invalid_token")
    assert error_of(half.get("/account")) == HALF
    again = challenge(half, "totp")
    assert answer(half, again, greta.app.code()).status_code == 200


def test_s36_of_many_answers_at_once_one_counts(project: Project, greta: Guarded) -> None:
    codes = ok(greta.user.client.post("/account/mfa/recovery-codes")).json()["recoveryCodes"]
    halves = [greta.sign_in(project) for _ in range(4)]
    asked = [challenge(each, "recoverycode") for each in halves]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda at: answer(halves[at], asked[at], codes[0]).status_code, range(4)))

    assert sorted(statuses) == [200, 401, 401, 401]
    opened = [each.get("/account").status_code for each in halves]
    assert sorted(opened) == [200, 401, 401, 401]


def test_s36_a_challenge_is_answered_by_the_session_that_was_asked(project: Project, greta: Guarded) -> None:
    first, second = greta.sign_in(project), greta.sign_in(project)
    stranger = guarded(project)
    foreign = stranger.sign_in(project)
    asked = challenge(first, "totp")

    code = greta.app.code()
    assert error_of(answer(second, asked, code)) == (401, "user_invalid_token")
    assert error_of(answer(foreign, asked, code)) == (401, "user_invalid_token")
    assert answer(first, asked, code).status_code == 200
    assert error_of(second.get("/account")) == HALF


def test_s37_nothing_secret_of_a_second_factor_lies_open(project: Project) -> None:
    jane = project.new_user("Jane")
    secret = ok(jane.client.post("/account/mfa/authenticators/totp")).json()["secret"]
    codes = ok(jane.client.post("/account/mfa/recovery-codes")).json()["recoveryCodes"]
    ok(project.server.put(f"/users/{jane.id}/mfa/recovery-codes"))
    kept = "\n".join(
        str(row[0])
        for table in ("outbox", "authenticators", "recovery_codes", "mfa_challenges")
        for row in run_sql(
            project, f"select t::text from freehold.{table} t where project_id = $1", project.id
        )
    )

    assert f"users.{jane.id}.update.mfa" in kept
    for hidden in (secret, *codes):
        assert hidden not in kept
        assert hidden.encode().hex() not in kept
