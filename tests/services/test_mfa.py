"""The second factor: authenticator apps, codes by mail and message, and recovery codes."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from appwrite.enums.authentication_factor import AuthenticationFactor
from appwrite.enums.authenticator_type import AuthenticatorType
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.platform import Project, User, error_of
from tests.services.inbox import Inbox
from tests.services.second_factor import (
    App,
    add_app,
    answer,
    challenge,
    guarded,
    ok,
    run_sql,
    verify_email,
)

TOTP = AuthenticatorType.TOTP


def refused(error: pytest.ExceptionInfo[AppwriteException]) -> tuple[int | None, str | None]:
    return error.value.code, error.value.type


def test_a_session_with_a_password_alone_is_half_a_one_until_the_app_has_spoken(
    project: Project, jane: User
) -> None:
    mine = Account(jane.sdk)
    made = mine.create_mfa_authenticator(TOTP)
    app = App(made.secret)
    assert not mine.list_mfa_factors().totp
    mine.update_mfa_authenticator(TOTP, app.code())
    assert mine.update_mfa(True).mfa

    account = Account(project.sdk(session=project.sign_in(jane.email)))
    with pytest.raises(AppwriteException) as half:
        account.get()
    assert refused(half) == (401, "user_more_factors_required")
    assert account.list_mfa_factors().totp
    asked = account.create_mfa_challenge(AuthenticationFactor.TOTP)
    session = account.update_mfa_challenge(asked.id, app.code())

    assert asked.userid == jane.id
    assert session.factors == ["password", "totp"]
    assert session.mfaupdatedat != ""
    assert session.current
    assert account.get().id == jane.id
    assert mine.get().mfa  # the session that switched it on has stayed


def test_the_uri_for_the_app_says_who_and_where(project: Project, jane: User) -> None:
    made = Account(jane.sdk).create_mfa_authenticator(TOTP)
    uri = urlsplit(made.uri)

    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query)["secret"] == [made.secret]
    assert parse_qs(uri.query)["issuer"] == ["Shop"]
    assert jane.email.replace("@", "%40") in uri.path
    assert len(base64.b32decode(made.secret)) == 20


def test_an_app_counts_once_it_is_verified(project: Project, jane: User) -> None:
    first = ok(jane.client.post("/account/mfa/authenticators/totp")).json()["secret"]
    second = ok(jane.client.post("/account/mfa/authenticators/totp")).json()["secret"]
    jane.client.patch("/account/mfa", json={"mfa": True})
    unguarded = project.platform.client(project.id, session=project.sign_in(jane.email))
    assert unguarded.get("/account").status_code == 200

    path = "/account/mfa/authenticators/totp"
    wrong = jane.client.put(path, json={"otp": App(first).code()})
    assert error_of(wrong) == (401, "user_invalid_token")
    assert not jane.client.get("/account/mfa/factors").json()["totp"]
    ok(jane.client.put(path, json={"otp": App(second).code()}))
    assert jane.client.get("/account/mfa/factors").json()["totp"]
    assert error_of(jane.client.post(path)) == (409, "user_authenticator_already_verified")
    again = jane.client.put(path, json={"otp": App(second).code()})
    assert error_of(again) == (409, "user_authenticator_already_verified")
    assert error_of(unguarded.get("/account")) == (401, "user_more_factors_required")


def test_without_an_app_there_is_nothing_to_verify_or_to_ask_for(jane: User) -> None:
    verified = jane.client.put("/account/mfa/authenticators/totp", json={"otp": "123456"})
    assert error_of(verified) == (404, "user_authenticator_not_found")
    asked = jane.client.post("/account/mfa/challenges", json={"factor": "totp"})
    assert error_of(asked) == (404, "user_authenticator_not_found")
    other = jane.client.post("/account/mfa/authenticators/sms")
    assert error_of(other) == (400, "general_argument_invalid")


def test_a_code_comes_by_mail_to_a_verified_address(project: Project, jane: User, inbox: Inbox) -> None:
    unverified = jane.client.post("/account/mfa/challenges", json={"factor": "email"})
    assert error_of(unverified) == (400, "user_email_not_verified")
    verify_email(project, jane)
    Users(project.sdk(key=project.key)).update_mfa(jane.id, True)

    half = project.platform.client(project.id, session=project.sign_in(jane.email))
    assert error_of(half.get("/account")) == (401, "user_more_factors_required")
    asked = challenge(half, "email")
    code = inbox.mail_to(jane.email).code
    session = ok(answer(half, asked, code)).json()

    assert session["factors"] == ["password", "email"]
    assert half.get("/account").json()["$id"] == jane.id


def test_half_a_session_is_asked_for_another_factor_than_it_has_shown(
    project: Project, jane: User, inbox: Inbox
) -> None:
    verify_email(project, jane)
    app = add_app(jane.client)
    jane.client.patch("/account/mfa", json={"mfa": True})
    token = Account(project.sdk()).create_email_token("unique()", jane.email)
    account = Account(project.sdk(key=project.key))
    half = account.create_session(token.userid, inbox.mail_to(jane.email).code)
    client = project.platform.client(project.id, session=half.secret)

    offered = client.get("/account/mfa/factors").json()
    assert (offered["email"], offered["totp"]) == (False, True)
    again = client.post("/account/mfa/challenges", json={"factor": "email"})
    assert error_of(again) == (400, "general_bad_request")
    assert "`email` already" in again.json()["message"]
    assert answer(client, challenge(client, "totp"), app.code()).status_code == 200
    assert client.get("/account").status_code == 200
    assert client.get("/account/mfa/factors").json()["email"]  # whoever is whole may be asked for any


def test_a_code_comes_by_message_to_a_verified_number(project: Project, inbox: Inbox) -> None:
    jane = project.new_user("Jane")
    number = "+4915155567801"
    missing = jane.client.post("/account/mfa/challenges", json={"factor": "phone"})
    assert error_of(missing) == (400, "user_phone_not_found")
    run_sql(
        project,
        "update freehold.users set phone = $3, phone_verified = true where project_id = $1 and id = $2",
        project.id,
        jane.id,
        number,
    )
    Users(project.sdk(key=project.key)).update_mfa(jane.id, True)

    half = project.platform.client(project.id, session=project.sign_in(jane.email))
    asked = challenge(half, "phone")
    session = ok(answer(half, asked, inbox.sms_to(number).code)).json()

    assert session["factors"] == ["password", "phone"]
    assert half.get("/account").status_code == 200


def test_a_recovery_code_stands_in_for_the_app_once(project: Project) -> None:
    greta, app = guarded(project)
    account = Account(greta.sdk)
    codes = account.create_mfa_recovery_codes().recoverycodes
    assert len(set(codes)) == 6
    with pytest.raises(AppwriteException) as again:
        account.create_mfa_recovery_codes()
    assert refused(again) == (409, "user_recovery_codes_already_exists")
    with pytest.raises(AppwriteException) as unasked:
        account.get_mfa_recovery_codes()
    assert refused(unasked) == (401, "user_challenge_required")

    lost = Account(project.sdk(session=project.sign_in(greta.email)))
    asked = lost.create_mfa_challenge(AuthenticationFactor.RECOVERYCODE)
    session = lost.update_mfa_challenge(asked.id, codes[2].upper())
    assert session.factors == ["password", "recoverycode"]
    assert lost.get_mfa_recovery_codes().recoverycodes == codes[:2] + codes[3:]
    assert lost.list_mfa_factors().recoverycode

    asked = lost.create_mfa_challenge(AuthenticationFactor.RECOVERYCODE)
    with pytest.raises(AppwriteException) as used:
        lost.update_mfa_challenge(asked.id, codes[2])
    assert refused(used) == (401, "user_invalid_token")

    renewed = lost.update_mfa_recovery_codes().recoverycodes
    assert not set(renewed) & set(codes)
    asked = lost.create_mfa_challenge(AuthenticationFactor.RECOVERYCODE)
    with pytest.raises(AppwriteException) as old:
        lost.update_mfa_challenge(asked.id, codes[0])
    assert refused(old) == (401, "user_invalid_token")
    assert app  # which is still there


def test_who_has_used_up_all_recovery_codes_has_none(project: Project, jane: User) -> None:
    codes = ok(jane.client.post("/account/mfa/recovery-codes")).json()["recoveryCodes"]
    for code in codes:
        ok(answer(jane.client, challenge(jane.client, "recoverycode"), code))

    assert not jane.client.get("/account/mfa/factors").json()["recoveryCode"]
    none_left = jane.client.get("/account/mfa/recovery-codes")
    assert error_of(none_left) == (404, "user_recovery_codes_not_found")
    asked = jane.client.post("/account/mfa/challenges", json={"factor": "recoverycode"})
    assert error_of(asked) == (404, "user_recovery_codes_not_found")
    assert jane.client.post("/account/mfa/recovery-codes").status_code == 201


def test_an_app_is_deleted_by_who_has_just_shown_it(project: Project) -> None:
    greta, app = guarded(project)
    path = "/account/mfa/authenticators/totp"
    assert error_of(greta.client.delete(path)) == (401, "user_challenge_required")
    ok(answer(greta.client, challenge(greta.client, "totp"), app.code()))

    assert greta.client.delete(path).status_code == 204
    assert not greta.client.get("/account/mfa/factors").json()["totp"]
    assert error_of(greta.client.delete(path)) == (404, "user_authenticator_not_found")
    alone = project.platform.client(project.id, session=project.sign_in(greta.email))
    assert alone.get("/account").status_code == 200  # there is no other factor to ask for


def test_a_challenge_of_half_an_hour_ago_is_too_old_for_what_is_delicate(project: Project) -> None:
    greta, app = guarded(project)
    client = project.platform.client(project.id, session=project.sign_in(greta.email))
    session = ok(answer(client, challenge(client, "totp"), app.code())).json()["$id"]
    run_sql(
        project,
        """
        update freehold.sessions set mfa_at = now() - interval '31 minutes' where project_id = $1 and id = $2
        """,
        project.id,
        session,
    )
    ok(client.patch("/account/name", json={"name": "Greta"}))  # and so what was cached of her is not any more

    refusal = client.delete("/account/mfa/authenticators/totp")
    assert error_of(refusal) == (401, "user_challenge_required")
    assert client.get("/account/mfa/factors").json()["totp"]


def test_a_server_takes_care_of_a_users_second_factor(project: Project, jane: User) -> None:
    users = Users(project.sdk(key=project.key))
    app = add_app(jane.client)
    old = project.platform.client(project.id, session=project.sign_in(jane.email))
    assert old.get("/account").status_code == 200
    assert users.update_mfa(jane.id, True).mfa
    assert error_of(old.get("/account")) == (401, "user_more_factors_required")
    factors = users.list_mfa_factors(jane.id)
    assert (factors.totp, factors.email, factors.recoverycode, factors.custom) == (True, False, False, False)

    with pytest.raises(AppwriteException) as none_yet:
        users.update_mfa_recovery_codes(jane.id)
    assert refused(none_yet) == (404, "user_recovery_codes_not_found")
    codes = users.create_mfa_recovery_codes(jane.id).recoverycodes
    assert users.get_mfa_recovery_codes(jane.id).recoverycodes == codes
    renewed = users.update_mfa_recovery_codes(jane.id).recoverycodes
    assert users.get_mfa_recovery_codes(jane.id).recoverycodes == renewed != codes
    ok(answer(old, challenge(old, "recoverycode"), renewed[0]))
    assert old.get("/account").status_code == 200

    users.delete_mfa_authenticator(jane.id, TOTP)
    assert not users.list_mfa_factors(jane.id).totp
    with pytest.raises(AppwriteException) as gone:
        users.delete_mfa_authenticator(jane.id, TOTP)
    assert refused(gone) == (404, "user_authenticator_not_found")
    with pytest.raises(AppwriteException) as nobody:
        users.list_mfa_factors("nobody")
    assert refused(nobody) == (404, "user_not_found")
    assert app


def test_a_project_says_which_factors_count(project: Project) -> None:
    greta, app = guarded(project)
    ok(project.server.patch("/project/policies/mfa-factors", json={"totp": False, "custom": True}))
    half = project.platform.client(project.id, session=project.sign_in(greta.email))
    factors = half.get("/account/mfa/factors").json()

    assert (factors["totp"], factors["custom"]) == (False, True)
    asked = half.post("/account/mfa/challenges", json={"factor": "totp"})
    assert error_of(asked) == (501, "user_auth_method_unsupported")
    assert error_of(half.get("/account")) == (401, "user_more_factors_required")
    assert app


def test_a_server_brings_the_code_of_a_custom_challenge_itself(
    project: Project, jane: User, bob: User
) -> None:
    users = Users(project.sdk(key=project.key))
    off = jane.client.post("/account/mfa/challenges", json={"factor": "custom"})
    assert error_of(off) == (501, "user_auth_method_unsupported")
    ok(project.server.patch("/project/policies/mfa-factors", json={"custom": True}))
    users.update_mfa(jane.id, True)
    assert error_of(jane.client.get("/account")) == (401, "user_more_factors_required")
    asked = challenge(jane.client, "custom")
    told = users.get_mfa_challenge(jane.id, asked)

    assert (told.userid, len(told.code)) == (jane.id, 6)
    with pytest.raises(AppwriteException) as others:
        users.get_mfa_challenge(bob.id, asked)
    assert refused(others) == (404, "token_not_found")
    assert ok(answer(jane.client, asked, told.code)).json()["factors"] == ["password", "custom"]
    assert jane.client.get("/account").status_code == 200


def test_the_second_factor_is_switched_off_by_a_whole_session(project: Project) -> None:
    greta, _ = guarded(project)
    half = project.platform.client(project.id, session=project.sign_in(greta.email))
    assert error_of(half.patch("/account/mfa", json={"mfa": False})) == (401, "user_more_factors_required")
    ok(greta.client.patch("/account/mfa", json={"mfa": False}))

    assert half.get("/account").status_code == 200


def test_s34_whoever_signed_in_with_one_factor_is_stopped_when_the_second_is_switched_on(
    project: Project, jane: User
) -> None:
    other = project.platform.client(project.id, session=project.sign_in(jane.email))
    token = other.post("/account/jwts").json()["jwt"]
    by_token = project.platform.client(project.id, **{"X-Appwrite-JWT": token})
    assert other.get("/account").status_code == by_token.get("/account").status_code == 200

    add_app(jane.client)
    ok(jane.client.patch("/account/mfa", json={"mfa": True}))

    for stopped in (other, by_token):
        assert error_of(stopped.get("/account")) == (401, "user_more_factors_required")
    assert jane.client.get("/account").status_code == 200
