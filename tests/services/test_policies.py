"""A project's policies: each is said by the official SDK, and told again."""

from __future__ import annotations

from typing import Any

import pytest
from appwrite.enums.project_policy_id import ProjectPolicyId as Id
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.project import Project as ProjectService

from tests.platform import PASSWORD, Project, error_of, unique


def service(project: Project) -> ProjectService:
    return ProjectService(project.sdk(key=project.key))


def told(project: Project, policy: Id) -> dict[str, Any]:
    found: dict[str, Any] = project.server.get(f"/project/policies/{policy.value}").json()
    assert found.pop("$id") == policy.value
    return found


def test_all_policies_are_listed_with_their_defaults(project: Project) -> None:
    listed = service(project).list_policies()

    assert listed.total == len(Id)
    assert {each.id for each in listed.policies} == {each.value for each in Id}
    assert told(project, Id.SESSION_LIMIT) == {"total": 10}
    assert told(project, Id.PASSWORD_STRENGTH)["min"] == 8


def test_a_page_of_policies_can_be_asked_for_and_nothing_else(project: Project) -> None:
    asked = {"queries[]": ['{"method":"limit","values":[2]}', '{"method":"offset","values":[17]}']}
    page = project.server.get("/project/policies", params=asked).json()
    filtered = {"queries[]": '{"method":"equal","attribute":"enabled","values":[true]}'}

    assert [each["$id"] for each in page["policies"]] == ["passkey"]
    assert page["total"] == 18
    refused = project.server.get("/project/policies", params=filtered)
    assert error_of(refused) == (400, "general_query_invalid")


@pytest.mark.parametrize(
    ("method", "arguments", "policy", "becomes"),
    [
        ("update_password_dictionary_policy", {"enabled": True, "deny_list": ["shop"]},
         Id.PASSWORD_DICTIONARY, {"enabled": True, "denyList": ["shop"]}),
        ("update_password_history_policy", {"total": 3}, Id.PASSWORD_HISTORY, {"total": 3}),
        ("update_password_strength_policy", {"min": 12, "number": True}, Id.PASSWORD_STRENGTH,
         {"min": 12, "uppercase": False, "lowercase": False, "number": True, "symbols": False}),
        ("update_password_personal_data_policy", {"enabled": True}, Id.PASSWORD_PERSONAL_DATA,
         {"enabled": True, "denyList": []}),
        ("update_password_pwned_policy", {"enabled": True, "users": True}, Id.PASSWORD_PWNED,
         {"enabled": True, "sessions": False, "users": True}),
        ("update_password_rotation_policy", {"enabled": True, "max_age": 86400}, Id.PASSWORD_ROTATION,
         {"enabled": True, "maxAge": 86400}),
        ("update_session_alert_policy", {"enabled": True}, Id.SESSION_ALERT, {"enabled": True}),
        ("update_session_duration_policy", {"duration": 3600}, Id.SESSION_DURATION, {"duration": 3600}),
        ("update_session_invalidation_policy", {"enabled": False}, Id.SESSION_INVALIDATION,
         {"enabled": False}),
        ("update_session_limit_policy", {"total": 2}, Id.SESSION_LIMIT, {"total": 2}),
        ("update_user_limit_policy", {"total": 5}, Id.USER_LIMIT, {"total": 5}),
        ("update_membership_privacy_policy", {"user_name": True, "user_mfa": True}, Id.MEMBERSHIP_PRIVACY,
         {"userId": False, "userEmail": False, "userPhone": False, "userName": True, "userMFA": True,
          "userAccessedAt": False}),
        ("update_mfa_factors_policy", {"phone": False}, Id.MFA_FACTORS,
         {"totp": True, "email": True, "phone": False, "custom": False}),
        ("update_deny_aliased_email_policy", {"enabled": True}, Id.DENY_ALIASED_EMAIL, {"enabled": True}),
        ("update_deny_disposable_email_policy", {"enabled": True}, Id.DENY_DISPOSABLE_EMAIL,
         {"enabled": True}),
        ("update_deny_free_email_policy", {"enabled": True}, Id.DENY_FREE_EMAIL, {"enabled": True}),
        ("update_deny_corporate_email_policy", {"enabled": True}, Id.DENY_CORPORATE_EMAIL,
         {"enabled": True}),
        ("update_passkey_policy", {"rp_id": "example.com"}, Id.PASSKEY,
         {"rpId": "example.com", "origins": []}),
    ],
)  # fmt: skip
def test_a_policy_is_kept_and_told_again(
    project: Project, method: str, arguments: dict[str, Any], policy: Id, becomes: dict[str, Any]
) -> None:
    before = {each.value: told(project, each) for each in Id if each is not policy}
    getattr(service(project), method)(**arguments)

    assert told(project, policy) == becomes
    assert {each.value: told(project, each) for each in Id if each is not policy} == before


def test_a_policy_changes_only_what_is_said_of_it(project: Project) -> None:
    service(project).update_password_strength_policy(min=12, number=True)
    changed = service(project).update_password_strength_policy(symbols=True)

    assert (changed.min, changed.number, changed.symbols, changed.uppercase) == (12, True, True, False)


def test_a_limit_is_taken_away_by_null_and_not_by_saying_nothing(project: Project) -> None:
    service(project).update_user_limit_policy(total=5)
    nothing = project.server.patch("/project/policies/user-limit", json={})

    assert error_of(nothing) == (400, "general_argument_invalid")
    assert told(project, Id.USER_LIMIT) == {"total": 5}
    service(project).update_user_limit_policy(total=None)
    assert told(project, Id.USER_LIMIT) == {"total": 0}


@pytest.mark.parametrize(
    ("policy", "body"),
    [
        ("session-limit", {"total": 0}),
        ("session-limit", {"total": 101}),
        ("session-duration", {"duration": 59}),
        ("password-history", {"total": 21}),
        ("password-strength", {"min": 7}),
        ("user-limit", {"total": -1}),
        ("session-alert", {"enabled": "perhaps"}),
        ("passkey", {"rpId": "https://example.com"}),
    ],
)
def test_a_policy_that_cannot_hold_is_refused(project: Project, policy: str, body: dict[str, Any]) -> None:
    refused = project.server.patch(f"/project/policies/{policy}", json=body)

    assert error_of(refused) == (400, "general_argument_invalid")


def test_there_is_no_other_policy(project: Project) -> None:
    refused = project.server.get("/project/policies/kindness")

    assert error_of(refused) == (400, "general_argument_invalid")


def test_passkeys_work_on_the_platforms_of_their_domain(project: Project) -> None:
    for hostname in ("app.example.com", "localhost", "example.org"):
        project.server.post(
            "/project/platforms/web",
            json={"platformId": "unique()", "name": hostname, "hostname": hostname},
        )
    service(project).update_passkey_policy("example.com")

    assert set(told(project, Id.PASSKEY)["origins"]) == {"https://app.example.com", "http://localhost"}


def test_the_oldest_session_ends_when_there_are_too_many(project: Project) -> None:
    jane = project.new_user()
    service(project).update_session_limit_policy(total=2)
    second, third = project.sign_in(jane.email), project.sign_in(jane.email)

    assert error_of(jane.client.get("/account"))[0] == 401
    for session in (second, third):
        assert Account(project.sdk(session=session)).get().id == jane.id


def test_nobody_registers_beyond_the_limit(project: Project) -> None:
    project.new_user()
    service(project).update_user_limit_policy(total=1)
    account = Account(project.sdk())
    with pytest.raises(AppwriteException) as error:
        account.create("unique()", f"{unique('bob')}@example.com", PASSWORD)

    assert error.value.type == "user_count_exceeded"
    service(project).update_user_limit_policy(total=None)
    assert account.create("unique()", f"{unique('bob')}@example.com", PASSWORD).id


def test_the_paths_and_words_of_older_sdks_mean_the_same(project: Project) -> None:
    console = project.platform.console
    at = f"/projects/{project.id}/auth"
    for path, body in (
        ("duration", {"duration": 3600}),
        ("limit", {"limit": 7}),
        ("max-sessions", {"limit": 3}),
        ("password-history", {"limit": 4}),
        ("password-dictionary", {"enabled": True}),
        ("personal-data", {"enabled": True}),
        ("session-alerts", {"alerts": True}),
        ("session-invalidation", {"enabled": False}),
        ("memberships-privacy", {"userName": True, "userEmail": False, "mfa": True}),
        ("phone", {"status": False}),
    ):
        answer = console.patch(f"{at}/{path}", json=body)
        assert answer.status_code == 200, answer.text
    old = {"X-Appwrite-Response-Format": "1.8.0"}
    flat = project.admin.get("/project", headers=old).json()

    assert (flat["authDuration"], flat["authLimit"], flat["authSessionsLimit"]) == (3600, 7, 3)
    assert (flat["authPasswordHistory"], flat["authPasswordDictionary"]) == (4, True)
    assert flat["authPersonalDataCheck"]
    assert flat["authSessionAlerts"]
    assert not flat["authInvalidateSessions"]
    assert flat["authMembershipsUserName"]
    assert flat["authMembershipsMfa"]
    assert not flat["authPhone"]
    assert flat["authJWT"]
    assert flat["authUsersAuthMagicURL"]
    assert told(project, Id.MEMBERSHIP_PRIVACY)["userMFA"]
