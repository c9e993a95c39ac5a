"""Users who act for others, as those who help them do."""

from __future__ import annotations

import re

import httpx
import pytest
from appwrite.services.users import Users

from freehold.services import endpoints
from freehold.web.endpoint import Endpoint
from tests.platform import PASSWORD, Project, User, error_of
from tests.services.second_factor import add_app
from tests.services.signing_in_at_vendors import Browser, set_up
from tests.services.vendors import Person

MAY_BE_DONE_FOR_OTHERS = {
    "updateName",
    "updatePrefs",
    # They are mailed or sent to the user, who alone can hand them in.
    "createEmailVerification",
    "createEmailVerificationOTP",
    "createPhoneVerification",
}
"""Changes of a user's account that who acts for it can make. All others are made in person."""

_ANYBODYS = ("sessions.write", "public")
"""Scopes of ways in and of what is proven by a secret, which concern nobody who is signed in."""


def of_the_user() -> list[Endpoint]:
    """The endpoints that change the account of whoever is signed in, but for those that servers call too."""
    return [
        each
        for each in endpoints()
        if each.service == "account" and each.method != "GET" and not set(each.scopes) & set(_ANYBODYS)
    ]


@pytest.fixture
def helper(project: Project) -> User:
    """A user who may act for others."""
    helper = project.new_user("Helper")
    Users(project.sdk(key=project.key)).update_impersonator(helper.id, True)
    return helper


def client_for(project: Project, helper: User, what: str, value: str) -> httpx.Client:
    header = {f"X-Appwrite-Impersonate-User-{what}": value}
    return project.platform.client(project.id, session=helper.session, **header)


def acting_for(project: Project, helper: User, what: str, value: str) -> dict[str, str]:
    answer: dict[str, str] = client_for(project, helper, what, value).get("/account").json()
    return answer


def test_who_may_act_for_others_is_answered_as_them(project: Project, helper: User, jane: User) -> None:
    for what, value in (("Id", jane.id), ("Email", jane.email)):
        account = acting_for(project, helper, what, value)
        assert (account["$id"], account["impersonatorUserId"]) == (jane.id, helper.id)

    assert jane.client.get("/account").json()["impersonatorUserId"] == ""
    assert helper.client.get("/account").json()["$id"] == helper.id
    assert acting_for(project, helper, "Id", "nobody")["type"] == "user_not_found"


def test_nobody_else_acts_for_others(project: Project, helper: User, jane: User, bob: User) -> None:
    header = {"X-Appwrite-Impersonate-User-Id": jane.id}
    platform = project.platform
    for client in (
        platform.client(project.id, **header),
        platform.client(project.id, key=project.key, **header),
        platform.client(project.id, session=bob.session, **header),
    ):
        assert error_of(client.get("/account")) == (401, "user_unauthorized")
    Users(project.sdk(key=project.key)).update_impersonator(helper.id, False)

    assert acting_for(project, helper, "Id", jane.id)["type"] == "user_unauthorized"


def test_who_acts_for_others_finds_them_but_sees_none_of_their_secrets(
    project: Project, helper: User, jane: User
) -> None:
    assert {each["$id"] for each in helper.client.get("/users").json()["users"]} == {helper.id, jane.id}
    assert error_of(jane.client.get("/users")) == (401, "general_unauthorized_scope")
    for path in ("recovery-codes", "challenges/c"):
        assert error_of(helper.client.get(f"/users/{jane.id}/mfa/{path}")) == (401, "user_unauthorized")
    assert error_of(helper.client.patch(f"/users/{jane.id}/name", json={"name": "x"}))[0] == 401


@pytest.mark.parametrize("endpoint", of_the_user(), ids=lambda each: f"{each.name}-{each.path}")
def test_what_a_user_signs_in_with_is_the_users_own(
    project: Project, helper: User, jane: User, endpoint: Endpoint
) -> None:
    client = client_for(project, helper, "Id", jane.id)
    body = {
        "name": "x", "prefs": {}, "email": "x@example.com", "phone": "+14155550100", "oldPassword": PASSWORD,
        "password": PASSWORD + "!", "mfa": True, "otp": "000000", "factor": "email", "challengeId": "c",
        "targetId": "unique()", "identifier": "x", "credential": {}, "url": "http://localhost/",
        "keyId": "unique()", "scopes": [],
    }  # fmt: skip
    path = re.sub(r"{type}", "totp", endpoint.path.removeprefix("/v1"))
    answer = client.request(endpoint.method, re.sub(r"{\w+}", "current", path), json=body)

    refused = (answer.status_code, answer.json().get("type")) == (401, "user_unauthorized")
    assert refused == (endpoint.name not in MAY_BE_DONE_FOR_OTHERS), answer.text
    assert endpoint.in_person == refused
    assert jane.client.get("/account").status_code == 200
    assert project.sign_in(jane.email)


def test_who_acts_for_a_user_gets_nothing_that_the_user_signs_in_with(
    project: Project, helper: User, jane: User
) -> None:
    add_app(jane.client)
    jane.client.post("/account/mfa/recovery-codes")
    client = client_for(project, helper, "Id", jane.id)

    for answer in (
        client.post("/account/jwts"),
        client.get("/account/mfa/recovery-codes"),
        client.post("/account/mfa/challenges", json={"factor": "totp"}),
        client.post("/account/sessions/id-token", json={"provider": "google", "idToken": "x"}),
        client.get("/account/sessions/oauth2/github"),
        client.get("/account/tokens/oauth2/github"),
    ):
        assert error_of(answer) == (401, "user_unauthorized")
        assert "in person" in answer.json()["message"]
    assert client.get("/account/mfa/factors").json()["totp"]
    assert jane.client.post("/account/jwts").status_code == 201


def test_who_acts_for_a_user_sees_no_tokens_of_its_vendors(project: Project, helper: User) -> None:
    set_up(project, "github")
    browser = Browser(project)
    browser.sign_in("github", Person(uid="4712", email="vic@vendor.example.com", name="Vic"))
    own = browser.account("/identities").json()["identities"][0]
    assert own["providerAccessToken"]
    client = client_for(project, helper, "Id", own["userId"])

    for answer in (client.get("/account/identities"), helper.client.get("/users/identities")):
        [seen] = answer.json()["identities"]
        assert seen["$id"] == own["$id"]
        assert not any(seen[f"provider{which}Token"] for which in ("Access", "Refresh", "Id"))
    assert not client.get("/account/sessions").json()["sessions"][0]["providerAccessToken"]
    assert browser.account("/sessions/current").json()["providerAccessToken"]
    [told] = project.server.get("/users/identities").json()["identities"]
    assert told["providerAccessToken"] == own["providerAccessToken"]
