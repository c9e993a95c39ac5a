"""Account: what the user of a session does with it, and how one gets a session."""

from __future__ import annotations

import itertools
import time
from typing import Any

from tests.clients.methods import PAGE, Scene
from tests.platform import PASSWORD
from tests.process.installation import until
from tests.services.second_factor import App, add_app, challenge, ok, run_sql, verify_email
from tests.services.signing_in_at_vendors import set_up
from tests.services.test_oauth import somebody
from tests.services.test_passkeys import Device

OTHER = "another horse battery"

LEFT_OUT = dict.fromkeys(
    [
        "listConsents",
        "getConsent",
        "deleteConsent",
        "listConsentTokens",
        "getConsentToken",
        "deleteConsentToken",
    ],
    "Consents are those of the OAuth2 server, which the open-source routes do not have.",
)

_numbers = itertools.count(time.time_ns() % 10**6)


def _number() -> str:
    return f"+1415{next(_numbers):07d}"


# The user itself


def get(on: Scene) -> None:
    assert on.user.get()["$id"] == on.jane.id


def create(on: Scene) -> None:
    on.guest.create(userId="zed", email="zed@example.com", password=PASSWORD, name="Zed")
    zed = on.get("/users/zed")

    assert (zed["email"], zed["name"]) == ("zed@example.com", "Zed")
    assert on.project.sign_in("zed@example.com")


def update_name(on: Scene) -> None:
    on.user.updateName(name="Zed")

    assert on.me()["name"] == "Zed"


def update_email(on: Scene) -> None:
    email = on.address()
    on.user.updateEmail(email=email, password=PASSWORD)

    assert (on.me()["email"], on.me()["emailVerification"]) == (email, False)


def update_phone(on: Scene) -> None:
    number = _number()
    on.user.updatePhone(phone=number, password=PASSWORD)

    assert (on.me()["phone"], on.me()["phoneVerification"]) == (number, False)


def update_password(on: Scene) -> None:
    on.user.updatePassword(password=OTHER, oldPassword=PASSWORD)

    assert on.project.sign_in(on.jane.email, OTHER)
    old = {"email": on.jane.email, "password": PASSWORD}
    assert on.project.guest.post("/account/sessions/email", json=old).status_code == 401


def update_status(on: Scene) -> None:
    on.user.updateStatus()

    assert on.me()["status"] is False
    assert on.jane.client.get("/account").json()["type"] == "user_blocked"


def get_prefs(on: Scene) -> None:
    on.ask("PATCH", "/account/prefs", prefs={"theme": "dark"})

    assert on.user.getPrefs() == {"theme": "dark"}


def update_prefs(on: Scene) -> None:
    on.user.updatePrefs(prefs={"theme": "dark"})

    assert on.get(f"/users/{on.jane.id}/prefs") == {"theme": "dark"}


def list_logs(on: Scene) -> None:
    on.ask("PATCH", "/account/name", name="Zed")

    until(lambda: on.ask("GET", "/account/logs")["logs"][:1] != [], 30)
    until(lambda: on.ask("GET", "/account/logs")["logs"][0]["event"] == "user.update.name", 30)
    [log, *_] = on.user.listLogs()["logs"]
    assert (log["event"], log["userId"], log["ip"]) == ("user.update.name", on.jane.id, "127.0.0.1")


def create_jwt(on: Scene) -> None:
    jwt = on.user.createJWT(duration=60)["jwt"]
    bearer = on.project.platform.client(on.project.id, **{"X-Appwrite-JWT": jwt})

    assert bearer.get("/account").json()["$id"] == on.jane.id


def list_memberships(on: Scene) -> None:
    on.ask("POST", "/teams", teamId="crew", name="Crew")

    assert [each["teamId"] for each in on.user.listMemberships()["memberships"]] == ["crew"]


def _identity(on: Scene) -> str:
    """Jane's at a vendor."""
    run_sql(
        on.project,
        """insert into freehold.identities (project_id, id, user_id, provider, provider_uid, provider_email)
        values ($1, 'hers', $2, 'github', 'jane-at-github', 'jane@github.example')""",
        on.project.id,
        on.jane.id,
    )
    return "hers"


def list_identities(on: Scene) -> None:
    _identity(on)

    assert [each["providerUid"] for each in on.user.listIdentities()["identities"]] == ["jane-at-github"]


def delete_identity(on: Scene) -> None:
    on.user.deleteIdentity(identityId=_identity(on))

    assert on.get("/users/identities")["total"] == 0


# Sessions


def list_sessions(on: Scene) -> None:
    assert [each["$id"] for each in on.user.listSessions()["sessions"]] == [on.sessions()[0]["$id"]]


def get_session(on: Scene) -> None:
    assert on.user.getSession(sessionId="current")["$id"] == on.sessions()[0]["$id"]


def update_session(on: Scene) -> None:
    before = on.sessions()[0]
    on.user.updateSession(sessionId="current")

    assert on.sessions()[0]["expire"] > before["expire"]


def delete_session(on: Scene) -> None:
    on.user.deleteSession(sessionId="current")

    assert on.jane.client.get("/account").status_code == 401


def delete_sessions(on: Scene) -> None:
    other = on.project.sign_in(on.jane.email)
    on.user.deleteSessions()

    assert on.sessions() == []
    assert on.project.platform.client(on.project.id, session=other).get("/account").status_code == 401


def create_anonymous_session(on: Scene) -> None:
    session = on.guest.createAnonymousSession()

    assert (session["provider"], on.sessions(session["userId"])[0]["$id"]) == ("anonymous", session["$id"])


def create_email_password_session(on: Scene) -> None:
    session = on.guest.createEmailPasswordSession(email=on.jane.email, password=PASSWORD)

    assert session["$id"] in [each["$id"] for each in on.sessions()]


def create_session(on: Scene) -> None:
    token = on.post(f"/users/{on.jane.id}/tokens")
    session = on.guest.createSession(userId=on.jane.id, secret=token["secret"])

    assert session["$id"] in [each["$id"] for each in on.sessions()]


# Ways in that go by mail, message or vendor


def create_email_token(on: Scene) -> None:
    token = on.guest.createEmailToken(userId="unique()", email=on.jane.email)
    body = {"userId": token["userId"], "secret": on.mail().code}

    assert on.project.guest.post("/account/sessions/token", json=body).json()["userId"] == on.jane.id


def create_phone_token(on: Scene) -> None:
    number = _number()
    on.guest.createPhoneToken(userId="caller", phone=number)
    body = {"userId": "caller", "secret": on.inbox.sms_to(number).code}

    assert on.project.guest.post("/account/sessions/token", json=body).json()["provider"] == "phone"
    assert on.get("/users/caller")["phoneVerification"] is True


def update_phone_session(on: Scene) -> None:
    number = _number()
    on.project.guest.post("/account/tokens/phone", json={"userId": "caller", "phone": number})
    session = on.guest.updatePhoneSession(userId="caller", secret=on.inbox.sms_to(number).code)

    assert [each["$id"] for each in on.sessions("caller")] == [session["$id"]]


def create_magic_url_token(on: Scene) -> None:
    on.guest.createMagicURLToken(userId="unique()", email=on.jane.email, url=PAGE)
    link = on.mail().parameters
    said = {"userId": link["userId"], "secret": link["secret"]}

    assert ok(on.project.guest.put("/account/sessions/magic-url", json=said)).json()["userId"] == on.jane.id


def update_magic_url_session(on: Scene) -> None:
    said = {"userId": "unique()", "email": on.jane.email, "url": PAGE}
    on.project.guest.post("/account/tokens/magic-url", json=said)
    link = on.mail().parameters
    session = on.guest.updateMagicURLSession(userId=link["userId"], secret=link["secret"])

    assert session["$id"] in [each["$id"] for each in on.sessions()]


def _leads_to_the_vendor(on: Scene, url: str) -> bool:
    """Also when it is the platform that leads there."""
    set_up(on.project, "github")
    if url.startswith(on.project.platform.endpoint):
        url = on.project.guest.get(url.removeprefix(on.project.platform.endpoint)).headers["location"]
    return "client_id=" in url and "code_challenge=" in url


def create_o_auth2_session(on: Scene) -> None:
    assert _leads_to_the_vendor(
        on, on.guest.createOAuth2Session(provider="github", success=PAGE, failure=PAGE)
    )


def create_o_auth2_token(on: Scene) -> None:
    set_up(on.project, "github")

    assert _leads_to_the_vendor(on, on.guest.createOAuth2Token(provider="github", success=PAGE, failure=PAGE))


def create_id_token_session(on: Scene) -> None:
    set_up(on.project, "google", nativeClientIds=["the-app"], nativeEnabled=True)
    person, vendors = somebody(), on.project.platform.vendors
    assert vendors is not None
    token = vendors.id_token(person, issuer="https://accounts.google.com", audience="the-app")
    session = on.guest.createIdTokenSession(provider="google", idToken=token)

    assert on.get(f"/users/{session['userId']}")["email"] == person.email


# Recovery and verification


def create_recovery(on: Scene) -> None:
    on.guest.createRecovery(email=on.jane.email, url=PAGE)
    link = on.mail().parameters
    said = {"userId": link["userId"], "secret": link["secret"], "password": OTHER}
    ok(on.project.guest.put("/account/recovery", json=said))

    assert on.project.sign_in(on.jane.email, OTHER)


def update_recovery(on: Scene) -> None:
    on.project.guest.post("/account/recovery", json={"email": on.jane.email, "url": PAGE})
    link = on.mail().parameters
    on.guest.updateRecovery(userId=link["userId"], secret=link["secret"], password=OTHER)

    assert on.project.sign_in(on.jane.email, OTHER)


def create_recovery_otp(on: Scene) -> None:
    token = on.guest.createRecoveryOTP(email=on.jane.email)
    said = {"userId": token["userId"], "secret": on.mail().code, "password": OTHER}
    ok(on.project.guest.put("/account/recovery/otp", json=said))

    assert on.project.sign_in(on.jane.email, OTHER)


def update_recovery_otp(on: Scene) -> None:
    token = on.project.guest.post("/account/recovery/otp", json={"email": on.jane.email}).json()
    on.guest.updateRecoveryOTP(userId=token["userId"], secret=on.mail().code, password=OTHER)

    assert on.project.sign_in(on.jane.email, OTHER)


def create_email_verification(on: Scene) -> None:
    on.user.createEmailVerification(url=PAGE)
    link = on.mail().parameters
    on.ask("PUT", "/account/verifications/email", userId=link["userId"], secret=link["secret"])

    assert on.me()["emailVerification"] is True


def create_verification(on: Scene) -> None:
    on.user.createVerification(url=PAGE)
    link = on.mail().parameters
    on.ask("PUT", "/account/verifications/email", userId=link["userId"], secret=link["secret"])

    assert on.me()["emailVerification"] is True


def _secret_to_verify(on: Scene) -> str:
    on.ask("POST", "/account/verifications/email", url=PAGE)
    return on.mail().parameters["secret"]


def update_email_verification(on: Scene) -> None:
    on.user.updateEmailVerification(userId=on.jane.id, secret=_secret_to_verify(on))

    assert on.me()["emailVerification"] is True


def update_verification(on: Scene) -> None:
    on.user.updateVerification(userId=on.jane.id, secret=_secret_to_verify(on))

    assert on.me()["emailVerification"] is True


def create_email_verification_otp(on: Scene) -> None:
    on.user.createEmailVerificationOTP()
    on.ask("PUT", "/account/verifications/email/otp", userId=on.jane.id, secret=on.mail().code)

    assert on.me()["emailVerification"] is True


def update_email_verification_otp(on: Scene) -> None:
    on.ask("POST", "/account/verifications/email/otp")
    on.user.updateEmailVerificationOTP(userId=on.jane.id, secret=on.mail().code)

    assert on.me()["emailVerification"] is True


def _give_number(on: Scene) -> str:
    number = _number()
    on.ask("PATCH", "/account/phone", phone=number, password=PASSWORD)
    return number


def create_phone_verification(on: Scene) -> None:
    number = _give_number(on)
    on.user.createPhoneVerification()
    code = on.inbox.sms_to(number).code
    on.ask("PUT", "/account/verifications/phone", userId=on.jane.id, secret=code)

    assert on.me()["phoneVerification"] is True


def update_phone_verification(on: Scene) -> None:
    number = _give_number(on)
    on.ask("POST", "/account/verifications/phone")
    on.user.updatePhoneVerification(userId=on.jane.id, secret=on.inbox.sms_to(number).code)

    assert on.me()["phoneVerification"] is True


# The second factor


def update_mfa(on: Scene) -> None:
    add_app(on.jane.client)
    on.user.updateMFA(mfa=True)

    assert on.me()["mfa"] is True


def create_mfa_authenticator(on: Scene) -> None:
    app = App(on.user.createMFAAuthenticator(type="totp")["secret"])
    on.ask("PUT", "/account/mfa/authenticators/totp", otp=app.code())

    assert on.ask("GET", "/account/mfa/factors")["totp"] is True


def update_mfa_authenticator(on: Scene) -> None:
    app = App(on.ask("POST", "/account/mfa/authenticators/totp")["secret"])
    on.user.updateMFAAuthenticator(type="totp", otp=app.code())

    assert on.ask("GET", "/account/mfa/factors")["totp"] is True


def delete_mfa_authenticator(on: Scene) -> None:
    _second_factor_shown(on)
    on.user.deleteMFAAuthenticator(type="totp")

    assert on.ask("GET", "/account/mfa/factors")["totp"] is False


def create_mfa_challenge(on: Scene) -> None:
    app = add_app(on.jane.client)
    asked = on.user.createMFAChallenge(factor="totp")
    on.ask("PUT", "/account/mfa/challenges", challengeId=asked["$id"], otp=app.code())

    assert on.sessions()[0]["factors"] == ["password", "totp"]


def update_mfa_challenge(on: Scene) -> None:
    app = add_app(on.jane.client)
    asked = challenge(on.jane.client, "totp")
    on.user.updateMFAChallenge(challengeId=asked, otp=app.code())

    assert on.sessions()[0]["factors"] == ["password", "totp"]


def list_mfa_factors(on: Scene) -> None:
    verify_email(on.project, on.jane)
    found = on.user.listMFAFactors()

    assert (found["totp"], found["email"]) == (False, True)


def create_mfa_recovery_codes(on: Scene) -> None:
    add_app(on.jane.client)
    [code, *_] = on.user.createMFARecoveryCodes()["recoveryCodes"]
    asked = challenge(on.jane.client, "recoverycode")
    on.ask("PUT", "/account/mfa/challenges", challengeId=asked, otp=code)

    assert len(on.get(f"/users/{on.jane.id}/mfa/recovery-codes")["recoveryCodes"]) == 5


def _second_factor_shown(on: Scene) -> list[str]:
    """Whoever wants to see the recovery codes has to. Gives those."""
    app = add_app(on.jane.client)
    codes: list[str] = on.ask("POST", "/account/mfa/recovery-codes")["recoveryCodes"]
    on.ask("PUT", "/account/mfa/challenges", challengeId=challenge(on.jane.client, "totp"), otp=app.code())
    return codes


def get_mfa_recovery_codes(on: Scene) -> None:
    codes = _second_factor_shown(on)

    assert on.user.getMFARecoveryCodes()["recoveryCodes"] == codes


def update_mfa_recovery_codes(on: Scene) -> None:
    before = _second_factor_shown(on)
    after = on.user.updateMFARecoveryCodes()["recoveryCodes"]

    assert not set(after) & set(before)
    assert on.get(f"/users/{on.jane.id}/mfa/recovery-codes")["recoveryCodes"] == after


# Passkeys


def _begin(on: Scene, name: str = "Phone") -> dict[str, Any]:
    on.project.server.patch("/project/policies/passkey", json={"rpId": "localhost"})
    started: dict[str, Any] = on.ask("POST", "/account/passkeys", passkeyId="phone", name=name)
    return started


def _registered(on: Scene) -> Device:
    device, started = Device(), _begin(on)
    credential = device.create(started["publicKey"])
    on.ask("PUT", "/account/passkeys/phone/verification", credential=credential)
    return device


def create_passkey(on: Scene) -> None:
    on.project.server.patch("/project/policies/passkey", json={"rpId": "localhost"})
    started = on.user.createPasskey(passkeyId="phone", name="Phone")
    credential = Device().create(started["publicKey"])
    on.ask("PUT", "/account/passkeys/phone/verification", credential=credential)

    assert on.get(f"/users/{on.jane.id}/passkeys")["passkeys"][0]["name"] == "Phone"


def update_passkey_verification(on: Scene) -> None:
    started = _begin(on)
    on.user.updatePasskeyVerification(passkeyId="phone", credential=Device().create(started["publicKey"]))

    assert on.get(f"/users/{on.jane.id}/passkeys")["total"] == 1


def list_passkeys(on: Scene) -> None:
    _registered(on)

    assert [each["$id"] for each in on.user.listPasskeys()["passkeys"]] == ["phone"]


def get_passkey(on: Scene) -> None:
    _registered(on)

    assert on.user.getPasskey(passkeyId="phone")["name"] == "Phone"


def update_passkey(on: Scene) -> None:
    _registered(on)
    on.user.updatePasskey(passkeyId="phone", name="Old phone")

    assert on.get(f"/users/{on.jane.id}/passkeys/phone")["name"] == "Old phone"


def delete_passkey(on: Scene) -> None:
    _registered(on)
    on.user.deletePasskey(passkeyId="phone")

    assert on.get(f"/users/{on.jane.id}/passkeys")["total"] == 0


def create_passkey_token(on: Scene) -> None:
    device = _registered(on)
    asked = on.guest.createPasskeyToken()
    said = {"challengeId": asked["$id"], "credential": device.get(asked["publicKey"])}

    assert on.project.guest.put("/account/tokens/passkey", json=said).json()["userId"] == on.jane.id


def update_passkey_token(on: Scene) -> None:
    device = _registered(on)
    asked = on.project.guest.post("/account/tokens/passkey").json()
    token = on.guest.updatePasskeyToken(challengeId=asked["$id"], credential=device.get(asked["publicKey"]))

    assert token["userId"] == on.jane.id
    said = {"userId": on.jane.id, "secret": token["secret"]}
    assert on.project.guest.post("/account/sessions/token", json=said).status_code == 201


# Devices


def create_push_target(on: Scene) -> None:
    on.user.createPushTarget(targetId="phone", identifier="device-token")

    assert on.get(f"/users/{on.jane.id}/targets/phone")["identifier"] == "device-token"


def update_push_target(on: Scene) -> None:
    on.ask("POST", "/account/targets/push", targetId="phone", identifier="device-token")
    on.user.updatePushTarget(targetId="phone", identifier="new-token")

    assert on.get(f"/users/{on.jane.id}/targets/phone")["identifier"] == "new-token"


def delete_push_target(on: Scene) -> None:
    on.ask("POST", "/account/targets/push", targetId="phone", identifier="device-token")
    on.user.deletePushTarget(targetId="phone")

    assert on.is_gone(f"/users/{on.jane.id}/targets/phone")
