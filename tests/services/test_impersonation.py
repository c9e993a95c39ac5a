"""Users who act for others, as those who help them do."""

from __future__ import annotations

import pytest
from appwrite.services.users import Users

from tests.platform import Project, User, error_of


@pytest.fixture
def helper(project: Project) -> User:
    """A user who may act for others."""
    helper = project.new_user("Helper")
    Users(project.sdk(key=project.key)).update_impersonator(helper.id, True)
    return helper


def acting_for(project: Project, helper: User, what: str, value: str) -> dict[str, str]:
    header = {f"X-Appwrite-Impersonate-User-{what}": value}
    client = project.platform.client(project.id, session=helper.session, **header)
    answer: dict[str, str] = client.get("/account").json()
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
