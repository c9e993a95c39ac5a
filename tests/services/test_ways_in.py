"""Signing in without a password, getting a forgotten one back, and proving an address: by mail and by SMS."""

from __future__ import annotations

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.users import Users

from tests.platform import PASSWORD, Project, User, error_of, unique
from tests.services.inbox import Inbox
from tests.services.second_factor import add_app

PAGE = "http://localhost:3000/welcome?from=mail#top"
OTHER = "another horse battery"

_numbers = itertools.count(time.time_ns() % 10**6)


def new_address() -> str:
    return f"{unique('someone')}@example.com"


def new_number() -> str:
    return f"+1415{next(_numbers):07d}"


def account_of(project: Project, session: str) -> Account:
    return Account(project.sdk(session=session))


def test_a_stranger_follows_a_link_and_has_an_account(project: Project, inbox: Inbox) -> None:
    email = new_address()
    asked_by = Account(project.sdk())
    token = asked_by.create_magic_url_token("newcomer", email.upper(), PAGE, phrase=True)
    assert project.server.get("/users").json()["total"] == 0

    mail = inbox.mail_to(email)
    link = mail.parameters
    session = Account(project.sdk(key=project.key)).create_session(link["userId"], link["secret"])
    me = account_of(project, session.secret).get()

    assert mail.link.startswith("http://localhost:3000/welcome?from=mail&userId=newcomer&")
    assert mail.link.endswith("#top")
    assert (token.secret, token.userid, link["project"]) == ("", "newcomer", project.id)
    assert token.phrase in mail.text
    assert (session.provider, session.factors, session.provideruid) == ("magic-url", ["email"], email)
    assert (me.id, me.email, me.emailverification) == ("newcomer", email, True)


def test_a_link_signs_in_who_has_the_address_already(project: Project, inbox: Inbox, jane: User) -> None:
    Users(project.sdk(key=project.key)).create("other", email=new_address())
    Account(project.sdk()).create_magic_url_token("other", jane.email, PAGE)
    link = inbox.mail_to(jane.email).parameters

    session = project.guest.put("/account/sessions/magic-url", json=_handed_in(link))
    assert (session.status_code, session.json()["userId"]) == (201, jane.id)


def test_a_code_signs_in_once(project: Project, inbox: Inbox) -> None:
    email = new_address()
    token = Account(project.sdk()).create_email_token("unique()", email, phrase=True)
    mail = inbox.mail_to(email)

    answers = [
        project.guest.post("/account/sessions/token", json={"userId": token.userid, "secret": mail.code})
        for _ in range(2)
    ]
    assert [each.status_code for each in answers] == [201, 401]
    assert error_of(answers[1]) == (401, "user_invalid_token")
    assert token.phrase in mail.text
    assert answers[0].json()["provider"] == "email"
    assert project.server.get("/users").json()["users"][0]["email"] == email


def test_a_code_comes_as_a_text_message(project: Project, inbox: Inbox) -> None:
    number = new_number()
    token = Account(project.sdk()).create_phone_token("unique()", number)
    session = Account(project.sdk(key=project.key)).create_session(token.userid, inbox.sms_to(number).code)
    me = account_of(project, session.secret).get()

    assert (session.provider, session.factors) == ("phone", ["phone"])
    assert (me.phone, me.phoneverification, me.email) == (number, True, "")


def test_who_signs_in_by_phone_again_is_the_same_user(project: Project, inbox: Inbox) -> None:
    number, ids = new_number(), set()
    for _ in range(2):
        token = Account(project.sdk()).create_phone_token("unique()", number)
        code = inbox.sms_to(number).code
        body = {"userId": token.userid, "secret": code}
        ids.add(project.guest.put("/account/sessions/phone", json=body).json()["userId"])

    assert len(ids) == 1


def test_s36_a_code_bears_five_attempts_by_whomever(project: Project, inbox: Inbox) -> None:
    email = new_address()
    token = Account(project.sdk()).create_email_token("unique()", email)
    code = inbox.mail_to(email).code
    wrong = f"{(int(code) + 1) % 10**6:06d}"

    for _ in range(5):
        refused = project.guest.post(
            "/account/sessions/token", json={"userId": token.userid, "secret": wrong}
        )
        assert error_of(refused) == (401, "user_invalid_token")
    late = project.guest.post("/account/sessions/token", json={"userId": token.userid, "secret": code})
    assert error_of(late) == (401, "user_invalid_token")
    assert project.server.get("/users").json()["total"] == 0


def test_s36_of_many_who_hand_in_a_link_at_once_one_gets_in(project: Project, inbox: Inbox) -> None:
    email = new_address()
    Account(project.sdk()).create_magic_url_token("unique()", email, PAGE)
    body = _handed_in(inbox.mail_to(email).parameters)

    def hand_in(_: int) -> int:
        return project.platform.client(project.id).post("/account/sessions/token", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(hand_in, range(8)))
    assert statuses == [201] + [401] * 7


def test_a_secret_belongs_to_its_user_and_to_its_kind(
    project: Project, inbox: Inbox, jane: User, bob: User
) -> None:
    Account(project.sdk()).create_recovery(jane.email, PAGE)
    link = inbox.mail_to(jane.email).parameters

    for user_id in (link["userId"], bob.id):
        refused = project.guest.post(
            "/account/sessions/token", json={"userId": user_id, "secret": link["secret"]}
        )
        assert error_of(refused) == (401, "user_invalid_token")
    bobs = {"userId": bob.id, "secret": link["secret"], "password": OTHER}
    assert error_of(project.guest.put("/account/recovery", json=bobs)) == (401, "user_invalid_token")


def test_the_database_has_digests_of_secrets_only(project: Project, inbox: Inbox) -> None:
    email = new_address()
    Account(project.sdk()).create_magic_url_token("unique()", email, PAGE)
    secret = inbox.mail_to(email).parameters["secret"]

    async def kept() -> list[str]:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            rows = await connection.fetch("select t::text from freehold.tokens t where address = $1", email)
            return [row[0] for row in rows]
        finally:
            await connection.close()

    [row] = asyncio.run(kept())
    assert secret not in row
    assert secret.encode().hex() not in row


def test_a_server_is_told_the_secret_and_the_real_id(project: Project, inbox: Inbox, jane: User) -> None:
    token = Account(project.sdk(key=project.key)).create_email_token("unique()", jane.email)

    assert token.userid == jane.id
    assert token.secret == inbox.mail_to(jane.email).code


# -- an address that was registered by somebody else -------------------------------------------------------


def test_s28_who_proves_an_address_shares_the_account_with_nobody(project: Project, inbox: Inbox) -> None:
    email = new_address()
    squatter = project.new_user("Squatter", email=email)
    Account(project.sdk()).create_magic_url_token("unique()", email, PAGE)
    session = project.guest.post("/account/sessions/token", json=_handed_in(inbox.mail_to(email).parameters))

    assert session.json()["userId"] == squatter.id
    assert squatter.client.get("/account").status_code == 401
    by_password = project.guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
    assert error_of(by_password) == (401, "user_invalid_credentials")
    assert Users(project.sdk(key=project.key)).get(squatter.id).emailverification


def test_s28_a_planted_second_factor_does_not_lock_out_who_proves_the_address(
    project: Project, inbox: Inbox
) -> None:
    email = new_address()
    squatter = project.new_user("Squatter", email=email)
    add_app(squatter.client)
    codes = squatter.client.post("/account/mfa/recovery-codes").json()["recoveryCodes"]
    squatter.client.patch("/account/mfa", json={"mfa": True})

    token = Account(project.sdk()).create_email_token("unique()", email)
    body = {"userId": token.userid, "secret": inbox.mail_to(email).code}
    session = Account(project.sdk(key=project.key)).create_session(body["userId"], body["secret"])
    me = account_of(project, session.secret)

    assert (me.get().id, me.get().mfa) == (squatter.id, False)
    factors = me.list_mfa_factors()
    assert (factors.totp, factors.email, factors.recoverycode) == (False, True, False)
    with pytest.raises(AppwriteException) as refused:
        me.get_mfa_recovery_codes()
    assert refused.value.type == "user_challenge_required"
    assert me.create_mfa_recovery_codes().recoverycodes != codes  # of the squatter's there are none
    assert me.create_mfa_authenticator("totp").secret
    assert squatter.client.get("/account").status_code == 401


def test_s28_who_recovers_an_account_does_not_inherit_its_planted_second_factor(
    project: Project, inbox: Inbox
) -> None:
    email = new_address()
    squatter = project.new_user("Squatter", email=email)
    add_app(squatter.client)
    squatter.client.patch("/account/mfa", json={"mfa": True})

    Account(project.sdk()).create_recovery(email, PAGE)
    link = inbox.mail_to(email).parameters
    Account(project.sdk()).update_recovery(link["userId"], link["secret"], OTHER)

    assert account_of(project, project.sign_in(email, OTHER)).get().id == squatter.id


def test_s28_a_link_that_its_victim_opened_leaves_nothing_that_the_squatter_can_come_back_with(
    project: Project, inbox: Inbox
) -> None:
    email, number = new_address(), new_number()
    squatter = project.new_user("Squatter", email=email)
    project.server.patch(f"/users/{squatter.id}/phone", json={"number": number})
    project.server.patch(f"/users/{squatter.id}/verification/phone", json={"phoneVerification": True})
    Account(squatter.sdk).create_email_verification(PAGE)
    link = inbox.mail_to(email).parameters
    Account(project.sdk()).update_email_verification(link["userId"], link["secret"])
    assert Account(squatter.sdk).get().emailverification  # an honest user, on another device, goes on
    assert project.sign_in(email)

    token = Account(project.sdk()).create_email_token("unique()", email)
    session = Account(project.sdk(key=project.key)).create_session(token.userid, inbox.mail_to(email).code)
    me = account_of(project, session.secret).get()

    assert (me.id, me.phone, me.emailverification) == (squatter.id, "", True)
    assert squatter.client.get("/account").status_code == 401
    login = project.guest.post("/account/sessions/email", json={"email": email, "password": PASSWORD})
    assert error_of(login) == (401, "user_invalid_credentials")


def test_s28_who_recovers_an_account_after_such_a_link_has_it_alone_and_keeps_it(
    project: Project, inbox: Inbox
) -> None:
    email = new_address()
    squatter = project.new_user("Squatter", email=email)
    Account(squatter.sdk).create_email_verification(PAGE)
    link = inbox.mail_to(email).parameters
    Account(project.sdk()).update_email_verification(link["userId"], link["secret"])
    Account(project.sdk()).create_recovery(email, PAGE)
    link = inbox.mail_to(email).parameters
    Account(project.sdk()).update_recovery(link["userId"], link["secret"], OTHER)

    assert squatter.client.get("/account").status_code == 401
    assert "password" in inbox.mail_to(email).text
    token = Account(project.sdk()).create_email_token("unique()", email)
    Account(project.sdk(key=project.key)).create_session(token.userid, inbox.mail_to(email).code)
    assert project.sign_in(email, OTHER)  # the mark is gone: nothing ends once more


def test_who_has_proven_the_address_keeps_the_password(project: Project, inbox: Inbox, jane: User) -> None:
    _verify(project, inbox, jane)
    token = Account(project.sdk()).create_email_token("unique()", jane.email)
    body = {"userId": token.userid, "secret": inbox.mail_to(jane.email).code}

    assert project.guest.post("/account/sessions/token", json=body).status_code == 201
    assert jane.client.get("/account").status_code == 200
    assert project.sign_in(jane.email)


def test_s28_an_account_that_was_proven_by_phone_is_not_taken_by_its_mistyped_address(
    project: Project, inbox: Inbox
) -> None:
    number, email = new_number(), new_address()
    token = Account(project.sdk()).create_phone_token("unique()", number)
    owner = Account(project.sdk(key=project.key)).create_session(token.userid, inbox.sms_to(number).code)
    account_of(project, owner.secret).update_email(email, PASSWORD)

    Account(project.sdk()).create_magic_url_token("unique()", email, PAGE)
    body = _handed_in(inbox.mail_to(email).parameters)
    other = project.guest.post("/account/sessions/token", json=body).json()

    assert other["userId"] != owner.userid
    kept = account_of(project, owner.secret).get()
    assert (kept.id, kept.email, kept.phone) == (owner.userid, "", number)


def test_s28_who_came_through_a_vendor_is_left_alone_and_does_not_get_back_in(
    project: Project, inbox: Inbox
) -> None:
    email = new_address()
    other = project.new_user("Other", email=email)

    async def link() -> None:
        connection = await asyncpg.connect(project.platform.admin_url)
        try:
            await connection.execute(
                """insert into freehold.identities (project_id, id, user_id, provider, provider_uid)
                   values ($1, 'linked', $2, 'github', '4711')""",
                project.id,
                other.id,
            )
        finally:
            await connection.close()

    asyncio.run(link())
    Account(project.sdk()).create_magic_url_token("unique()", email, PAGE)
    body = _handed_in(inbox.mail_to(email).parameters)
    session = project.guest.post("/account/sessions/token", json=body).json()

    assert session["userId"] != other.id
    assert Users(project.sdk(key=project.key)).get(other.id).email == ""
    assert Users(project.sdk(key=project.key)).get(session["userId"]).email == email


# -- a forgotten password ----------------------------------------------------------------------------------


def test_s34_who_has_forgotten_the_password_sets_another_and_every_session_ends(
    project: Project, inbox: Inbox, jane: User
) -> None:
    token = Account(project.sdk()).create_recovery(jane.email, PAGE)
    link = inbox.mail_to(jane.email).parameters
    done = Account(project.sdk()).update_recovery(link["userId"], link["secret"], OTHER)

    assert (token.secret, done.secret) == ("", "")
    assert jane.client.get("/account").status_code == 401
    assert project.sign_in(jane.email, OTHER)
    with pytest.raises(AppwriteException):
        project.sign_in(jane.email, PASSWORD)
    assert "password" in inbox.mail_to(jane.email).subject.lower()
    again = project.guest.put("/account/recovery", json={**_handed_in(link), "password": PASSWORD})
    assert error_of(again) == (401, "user_invalid_token")


def test_a_password_is_set_anew_with_a_code(project: Project, inbox: Inbox, jane: User) -> None:
    token = Account(project.sdk()).create_recovery_otp(jane.email)
    Account(project.sdk()).update_recovery_otp(token.userid, inbox.mail_to(jane.email).code, OTHER)

    assert project.sign_in(jane.email, OTHER)


def test_a_password_that_is_too_short_does_not_use_the_link_up(
    project: Project, inbox: Inbox, jane: User
) -> None:
    Account(project.sdk()).create_recovery(jane.email, PAGE)
    body = _handed_in(inbox.mail_to(jane.email).parameters)

    short = project.guest.put("/account/recovery", json={**body, "password": "short"})
    assert error_of(short) == (400, "general_argument_invalid")
    assert project.guest.put("/account/recovery", json={**body, "password": OTHER}).status_code == 200


# -- proving an address ------------------------------------------------------------------------------------


def test_an_address_is_proven_by_a_link(project: Project, inbox: Inbox, jane: User) -> None:
    Account(jane.sdk).create_email_verification(PAGE)
    link = inbox.mail_to(jane.email).parameters
    assert not Account(jane.sdk).get().emailverification
    Account(project.sdk()).update_email_verification(link["userId"], link["secret"])

    assert Account(jane.sdk).get().emailverification
    assert project.sign_in(jane.email)
    again = jane.client.post("/account/verification", json={"url": PAGE})
    assert error_of(again) == (409, "user_email_already_verified")


def test_an_address_is_proven_by_a_code(project: Project, inbox: Inbox, jane: User) -> None:
    Account(jane.sdk).create_email_verification_otp()
    Account(project.sdk()).update_email_verification_otp(jane.id, inbox.mail_to(jane.email).code)

    assert Account(jane.sdk).get().emailverification


def test_a_link_to_a_former_address_does_not_prove_the_new_one(inbox: Inbox, jane: User) -> None:
    Account(jane.sdk).create_email_verification(PAGE)
    link = inbox.mail_to(jane.email).parameters
    Account(jane.sdk).update_email(new_address(), PASSWORD)

    refused = jane.client.put("/account/verifications/email", json=_handed_in(link))
    assert error_of(refused) == (401, "user_invalid_token")
    assert not Account(jane.sdk).get().emailverification
    assert "address" in inbox.mail_to(jane.email).subject  # the former one is told


def test_a_number_is_proven_by_a_code(inbox: Inbox, jane: User) -> None:
    number = new_number()
    assert error_of(jane.client.post("/account/verifications/phone")) == (400, "user_phone_not_found")
    Account(jane.sdk).update_phone(number, PASSWORD)
    Account(jane.sdk).create_phone_verification()
    Account(jane.sdk).update_phone_verification(jane.id, inbox.sms_to(number).code)

    assert Account(jane.sdk).get().phoneverification
    again = jane.client.post("/account/verification/phone")
    assert error_of(again) == (409, "user_phone_already_verified")


# -- what nobody learns, and where no link leads -----------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/account/recovery", {"url": PAGE}),
        ("/account/recovery/otp", {}),
        ("/account/tokens/email", {"userId": "chosen"}),
        ("/account/tokens/magic-url", {"userId": "chosen", "url": PAGE}),
    ],
)
def test_s35_the_answer_does_not_tell_whether_somebody_has_the_address(
    project: Project, inbox: Inbox, jane: User, path: str, body: dict[str, str]
) -> None:
    stranger = new_address()
    known, unknown = (
        project.guest.post(path, json={**body, "email": email}) for email in (jane.email, stranger)
    )

    assert known.status_code == unknown.status_code == 201
    assert known.json().keys() == unknown.json().keys()
    for each in (known.json(), unknown.json()):
        assert each["userId"] != jane.id
        assert each["userId"] == body.get("userId", each["userId"])
        assert (each["secret"], each["phrase"]) == ("", "")
    inbox.mail_to(jane.email)
    if "recovery" in path:
        assert inbox.mails_to(stranger) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "https:/\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://app.example.org@evil.example/",
        "https://app.example.org:pass@app.example.org/",
        "https://app.example.org\\@evil.example/",
        "https://app.example.org.evil.example/",
        "https://xexample.net/",
        "https://93.184.216.34/",
        "https://app.example.org:99999/",
        "other-app://callback",
        "https://app.example.org/\nX: y",
        "",
    ],
)
def test_s31_a_link_leads_to_the_projects_own_pages_only(project: Project, jane: User, url: str) -> None:
    for hostname in ("app.example.org", "*.example.net"):
        web = {"platformId": "unique()", "name": "Site", "hostname": hostname}
        assert project.admin.post("/project/platforms/web", json=web).status_code == 201

    for path, body in (("recovery", {}), ("tokens/magic-url", {"userId": "unique()"})):
        refused = project.guest.post(f"/account/{path}", json={"email": jane.email, "url": url, **body})
        assert error_of(refused) == (400, "general_argument_invalid")
    refused = jane.client.post("/account/verifications/email", json={"url": url})
    assert error_of(refused) == (400, "general_argument_invalid")


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.org/a?b=c#d",
        "https://deep.down.example.net:8443/",
        "http://127.0.0.1:5173/",
        "appwrite-callback-{project}://done",
    ],
)
def test_s31_a_link_leads_to_registered_hosts_and_schemes(
    project: Project, inbox: Inbox, jane: User, url: str
) -> None:
    for hostname in ("app.example.org", "*.example.net"):
        web = {"platformId": "unique()", "name": "Site", "hostname": hostname}
        assert project.admin.post("/project/platforms/web", json=web).status_code == 201

    url = url.replace("{project}", project.id)
    assert jane.client.post("/account/verifications/email", json={"url": url}).status_code == 201
    assert inbox.mail_to(jane.email).link.startswith(url.partition("?")[0].partition("#")[0])


def test_s32_the_host_header_has_no_part_in_links(project: Project, inbox: Inbox, jane: User) -> None:
    poisoned = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    asked_for = project.guest.post(
        "/account/recovery", json={"email": jane.email, "url": PAGE}, headers=poisoned
    )

    assert asked_for.status_code == 201
    mail = inbox.mail_to(jane.email)
    assert "evil.example" not in mail.text + mail.html


def test_s32_nor_in_links_that_verify_sign_in_and_invite(project: Project, inbox: Inbox, jane: User) -> None:
    poisoned = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"}
    team = jane.client.post("/teams", json={"teamId": "unique()", "name": "Arsenal"}).json()["$id"]
    stranger, friend = new_address(), new_address()
    invitation = {"roles": ["player"], "email": friend, "url": PAGE}
    magic = {"userId": "unique()", "email": stranger, "url": PAGE}

    for asked_for, address in (
        (jane.client.post("/account/verifications/email", json={"url": PAGE}, headers=poisoned), jane.email),
        (project.guest.post("/account/tokens/magic-url", json=magic, headers=poisoned), stranger),
        (jane.client.post(f"/teams/{team}/memberships", json=invitation, headers=poisoned), friend),
    ):
        assert asked_for.status_code == 201, asked_for.text
        mail = inbox.mail_to(address)
        assert mail.link.startswith("http://localhost:3000/welcome?")
        assert "evil.example" not in mail.text + mail.html
    # A page on the host that the header names is none of the project's for that.
    url = {"email": jane.email, "url": "https://evil.example/"}
    refused = project.guest.post("/account/recovery", json=url, headers=poisoned)
    assert error_of(refused) == (400, "general_argument_invalid")


# -- notices -----------------------------------------------------------------------------------------------


def test_a_user_is_told_of_a_second_session_and_not_of_the_first(project: Project, inbox: Inbox) -> None:
    project.admin.patch("/project/policies/session-alert", json={"enabled": True})
    jane = project.new_user("Jane")
    project.sign_in(jane.email)

    alert = inbox.mail_to(jane.email)
    assert project.id not in alert.subject
    assert "127.0.0.1" in alert.text
    assert inbox.mails_to(jane.email) == []


def test_no_more_users_come_in_by_links_than_a_project_allows(project: Project, inbox: Inbox) -> None:
    project.admin.patch("/project/policies/user-limit", json={"total": 1})
    assert project.guest.post("/account/sessions/anonymous").status_code == 201
    email = new_address()
    client = project.platform.client(project.id)
    assert client.post("/account/sessions/anonymous").status_code == 400
    token = client.post("/account/tokens/email", json={"userId": "unique()", "email": email}).json()
    body = {"userId": token["userId"], "secret": inbox.mail_to(email).code}

    assert error_of(client.post("/account/sessions/token", json=body)) == (400, "user_count_exceeded")
    project.admin.patch("/project/policies/user-limit", json={"total": 2})
    assert client.post("/account/sessions/token", json=body).status_code == 201


def _handed_in(link: dict[str, str]) -> dict[str, str]:
    return {"userId": link["userId"], "secret": link["secret"]}


def _verify(project: Project, inbox: Inbox, user: User) -> None:
    Account(user.sdk).create_email_verification(PAGE)
    link = inbox.mail_to(user.email).parameters
    Account(user.sdk).update_email_verification(link["userId"], link["secret"])
