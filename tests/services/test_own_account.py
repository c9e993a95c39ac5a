"""What users do with their own account: becoming one, changing what they sign in with, leaving."""

from __future__ import annotations

import time

import httpx
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.teams import Teams

from tests.platform import PASSWORD, Platform, Project, User, error_of, session_of, unique

OTHER = "another horse battery"


def browser(project: Project) -> httpx.Client:
    """A client that keeps cookies, as a browser does."""
    return project.platform.client(project.id)


def test_a_guest_becomes_an_anonymous_user(project: Project) -> None:
    session = Account(project.sdk(key=project.key)).create_anonymous_session()
    me = Account(project.sdk(session=session.secret)).get()

    assert (session.provider, session.factors, session.userid) == ("anonymous", ["anonymous"], me.id)
    assert (me.email, me.phone, me.name) == ("", "", "")


def test_who_is_signed_in_does_not_become_anonymous(jane: User) -> None:
    assert error_of(jane.client.post("/account/sessions/anonymous")) == (401, "user_session_already_exists")


def test_nobody_is_anonymous_on_the_console(platform: Platform) -> None:
    refused = platform.client("console").post("/account/sessions/anonymous")

    assert error_of(refused) == (401, "user_anonymous_console_prohibited")


def test_anonymous_sessions_can_be_switched_off(project: Project) -> None:
    project.admin.patch("/project/auth-methods/anonymous", json={"enabled": False})

    refused = project.guest.post("/account/sessions/anonymous")
    assert error_of(refused) == (501, "user_auth_method_unsupported")
    assert project.server.get("/users").json()["total"] == 0


def test_an_anonymous_user_becomes_one_with_an_address_and_keeps_its_id(project: Project) -> None:
    session = Account(project.sdk(key=project.key)).create_anonymous_session()
    mine = Account(project.sdk(session=session.secret))
    email = f"{unique('upgraded')}@example.com"

    became = mine.update_email(email, PASSWORD)
    again = Account(project.sdk(session=project.sign_in(email))).get()

    assert (became.email, became.emailverification, became.passwordupdate != "") == (email, False, True)
    assert again.id == session.userid


def test_s33_becoming_a_user_leaves_a_planted_session_behind(project: Project) -> None:
    victim = browser(project)
    planted = session_of(victim.post("/account/sessions/anonymous"))
    upgraded = victim.patch(
        "/account/email", json={"email": f"{unique('v')}@example.com", "password": PASSWORD}
    )

    assert session_of(upgraded) != planted
    assert victim.get("/account").status_code == 200
    assert project.platform.client(project.id, session=planted).get("/account").status_code == 401


def test_a_new_address_needs_the_password_and_is_not_proven(project: Project, jane: User) -> None:
    email = f"{unique('new')}@Example.com"

    wrong = jane.client.patch("/account/email", json={"email": email, "password": OTHER})
    assert error_of(wrong) == (401, "user_invalid_credentials")

    changed = Account(jane.sdk).update_email(email, PASSWORD)
    assert (changed.email, changed.emailverification) == (email.lower(), False)
    assert project.sign_in(email)


def test_the_address_of_another_is_refused_without_saying_whose_it_is(
    project: Project, jane: User, bob: User
) -> None:
    refused = jane.client.patch("/account/email", json={"email": bob.email.upper(), "password": PASSWORD})

    assert error_of(refused) == (400, "general_bad_request")
    assert Account(jane.sdk).get().email == jane.email


def test_a_phone_number_is_changed_with_the_password_and_belongs_to_one_user(jane: User, bob: User) -> None:
    number = f"+1415{time.time_ns() % 10**7:07d}"

    with pytest.raises(AppwriteException) as wrong:
        Account(jane.sdk).update_phone(number, OTHER)
    changed = Account(jane.sdk).update_phone(number, PASSWORD)
    with pytest.raises(AppwriteException) as taken:
        Account(bob.sdk).update_phone(number, PASSWORD)

    assert wrong.value.type == "user_invalid_credentials"
    assert (changed.phone, changed.phoneverification) == (number, False)
    assert (taken.value.code, taken.value.type) == (409, "user_phone_already_exists")


def test_s34_a_new_password_needs_the_old_one_and_ends_the_other_sessions(
    project: Project, jane: User
) -> None:
    elsewhere = project.sign_in(jane.email)
    jwt = project.platform.client(project.id, session=elsewhere).post("/account/jwts").json()["jwt"]

    for old in ({}, {"oldPassword": OTHER}):
        refused = jane.client.patch("/account/password", json={"password": OTHER, **old})
        assert error_of(refused) == (401, "user_invalid_credentials")
    changed = Account(jane.sdk).update_password(OTHER, PASSWORD)

    assert changed.id == jane.id
    assert project.sign_in(jane.email, OTHER)
    with pytest.raises(AppwriteException):
        project.sign_in(jane.email, PASSWORD)
    assert jane.client.get("/account").status_code == 200
    assert project.platform.client(project.id, session=elsewhere).get("/account").status_code == 401
    as_jwt = project.platform.client(project.id, **{"X-Appwrite-JWT": jwt})
    assert error_of(as_jwt.get("/account")) == (401, "user_jwt_invalid")


def test_who_has_no_password_sets_one_without_an_old_one(project: Project) -> None:
    session = Account(project.sdk(key=project.key)).create_anonymous_session()
    account = Account(project.sdk(session=session.secret))

    account.update_password(PASSWORD)
    with pytest.raises(AppwriteException) as refused:
        account.update_password(OTHER)
    assert refused.value.type == "user_invalid_credentials"
    assert account.update_password(OTHER, PASSWORD).id == session.userid


def test_s34_who_blocks_itself_is_out_at_once(project: Project, jane: User) -> None:
    elsewhere = project.platform.client(project.id, session=project.sign_in(jane.email))
    assert elsewhere.get("/account").status_code == 200
    blocked = Account(jane.sdk).update_status()

    assert not blocked.status
    assert error_of(jane.client.get("/account")) == (403, "user_blocked")
    assert error_of(elsewhere.get("/account")) == (403, "user_blocked")
    again = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": PASSWORD})
    assert error_of(again) == (403, "user_blocked")


def test_s34_who_deletes_its_account_leaves_nothing_to_sign_in_with(project: Project, jane: User) -> None:
    team = Teams(jane.sdk).create("unique()", "Jane's")
    elsewhere = project.platform.client(project.id, session=project.sign_in(jane.email))
    jwt = jane.client.post("/account/jwts").json()["jwt"]
    left = jane.client.delete("/account")

    assert left.status_code == 204
    assert all("=;" in cookie for cookie in left.headers.get_list("set-cookie"))
    assert jane.client.get("/account").status_code == 401
    assert elsewhere.get("/account").status_code == 401
    as_jwt = project.platform.client(project.id, **{"X-Appwrite-JWT": jwt})
    assert as_jwt.get("/account").status_code == 401
    assert error_of(project.server.get(f"/users/{jane.id}")) == (404, "user_not_found")
    assert project.server.get(f"/teams/{team.id}/memberships").json()["total"] == 0
    again = project.guest.post("/account/sessions/email", json={"email": jane.email, "password": PASSWORD})
    assert error_of(again) == (401, "user_invalid_credentials")


def test_the_only_owner_of_an_organization_stays(platform: Platform) -> None:
    refused = platform.console.delete("/account")

    assert error_of(refused) == (400, "user_deletion_prohibited")
    assert platform.console.get("/account").status_code == 200


def test_users_see_what_they_did_and_nothing_of_others(project: Project, jane: User, bob: User) -> None:
    Account(jane.sdk).update_name("Janet")
    Account(bob.sdk).update_name("Robert")
    project.server.put(f"/users/{jane.id}/labels", json={"labels": ["vip"]})

    deadline = time.monotonic() + 30
    logs: list[dict[str, str]] = []
    while not any(each["event"] == "user.update.name" for each in logs) and time.monotonic() < deadline:
        logs = jane.client.get("/account/logs").json()["logs"]
        time.sleep(0.05)
    assert {each["event"] for each in logs} <= {"user.update.name", "session.create"}
    assert {each["userId"] for each in logs if each["event"] == "user.update.name"} == {jane.id}


def test_users_see_the_teams_that_they_belong_to(jane: User, bob: User) -> None:
    team = Teams(jane.sdk).create("unique()", "Jane's")
    mine = Account(jane.sdk).list_memberships()

    assert (mine.total, mine.memberships[0].teamid, mine.memberships[0].roles) == (1, team.id, ["owner"])
    assert mine.memberships[0].userid == jane.id
    assert Account(bob.sdk).list_memberships().total == 0


@pytest.mark.parametrize("kind", ["token", "magic-url", "phone"])
def test_a_token_that_is_none_signs_nobody_in(project: Project, jane: User, kind: str) -> None:
    method = "POST" if kind == "token" else "PUT"
    for user_id in (jane.id, "nobody"):
        refused = project.guest.request(
            method, f"/account/sessions/{kind}", json={"userId": user_id, "secret": "123456"}
        )
        assert error_of(refused) == (401, "user_invalid_token")
        assert "set-cookie" not in refused.headers
