"""Users, as a server manages them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.clients.methods import Scene
from tests.clients.methods.account import OTHER, _identity, _registered
from tests.platform import PASSWORD
from tests.process.installation import until
from tests.services.second_factor import add_app, challenge, ok
from tests.services.test_importing_users import ARGON2, BCRYPT, FIREBASE, SCRYPT, SHA_OF_ABC

LEFT_OUT: dict[str, str] = {}


def list(on: Scene) -> None:  # noqa: A001
    on.post("/users", userId="zed", email="zed@example.com")

    assert [each["$id"] for each in on.server.list(search="zed")["users"]] == ["zed"]


def create(on: Scene) -> None:
    on.server.create(userId="zed", email="zed@example.com", password=PASSWORD, name="Zed")

    assert (on.get("/users/zed")["name"], on.project.sign_in("zed@example.com") != "") == ("Zed", True)


def get(on: Scene) -> None:
    assert on.server.get(userId=on.jane.id)["email"] == on.jane.email


def delete(on: Scene) -> None:
    on.server.delete(userId=on.jane.id)

    assert on.is_gone(f"/users/{on.jane.id}")
    assert on.jane.client.get("/account").status_code == 401


# With passwords that were hashed elsewhere


def _import(method: str, password: str, hashed: dict[str, Any]) -> Callable[[Scene], None]:
    """The row of a method that takes a user over: its password opens a session."""

    def row(on: Scene) -> None:
        email = on.address()
        getattr(on.server, method)(userId="came", email=email, name="Came", **hashed)

        assert on.get("/users/came")["name"] == "Came"
        assert on.project.sign_in(email, password)

    return row


SHA = {"password": SHA_OF_ABC["sha3-512"], "passwordVersion": "sha3-512"}
HASHES: dict[str, tuple[str, dict[str, Any]]] = {
    "Argon2": ("password", {"password": ARGON2}),
    "Bcrypt": ("U*U", {"password": BCRYPT}),
    "MD5": ("message digest", {"password": "f96b697d7cb7938d525a2f31aaf161d0"}),
    "PHPass": ("test12345", {"password": "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"}),
    "Scrypt": ("pleaseletmein", SCRYPT),
    "ScryptModified": ("user1password", FIREBASE),
    "SHA": ("abc", SHA),
}
MORE = {
    f"create{kind}User": _import(f"create{kind}User", password, hashed)
    for kind, (password, hashed) in HASHES.items()
}
"""The methods that differ by a word."""


# What is known of a user


def update_name(on: Scene) -> None:
    on.server.updateName(userId=on.jane.id, name="Zed")

    assert on.ask("GET", "/account")["name"] == "Zed"


def update_email(on: Scene) -> None:
    email = on.address()
    on.server.updateEmail(userId=on.jane.id, email=email)

    assert on.ask("GET", "/account")["email"] == email


def update_phone(on: Scene) -> None:
    on.server.updatePhone(userId=on.jane.id, number="+14155552671")

    assert on.ask("GET", "/account")["phone"] == "+14155552671"


def update_password(on: Scene) -> None:
    on.server.updatePassword(userId=on.jane.id, password=OTHER)

    assert on.project.sign_in(on.jane.email, OTHER)


def update_labels(on: Scene) -> None:
    on.server.updateLabels(userId=on.jane.id, labels=["vip"])

    assert on.ask("GET", "/account")["labels"] == ["vip"]


def update_status(on: Scene) -> None:
    on.server.updateStatus(userId=on.jane.id, status=False)

    assert on.jane.client.get("/account").json()["type"] == "user_blocked"


def update_impersonator(on: Scene) -> None:
    bob = on.project.new_user("Bob")
    on.server.updateImpersonator(userId=on.jane.id, impersonator=True)
    acting = {"X-Appwrite-Impersonate-User-Id": bob.id}

    assert on.jane.client.get("/account", headers=acting).json()["$id"] == bob.id


def update_email_verification(on: Scene) -> None:
    on.server.updateEmailVerification(userId=on.jane.id, emailVerification=True)

    assert on.ask("GET", "/account")["emailVerification"] is True


def update_phone_verification(on: Scene) -> None:
    on.project.server.patch(f"/users/{on.jane.id}/phone", json={"number": "+14155552671"})
    on.server.updatePhoneVerification(userId=on.jane.id, phoneVerification=True)

    assert on.ask("GET", "/account")["phoneVerification"] is True


def get_prefs(on: Scene) -> None:
    on.ask("PATCH", "/account/prefs", prefs={"theme": "dark"})

    assert on.server.getPrefs(userId=on.jane.id) == {"theme": "dark"}


def update_prefs(on: Scene) -> None:
    on.server.updatePrefs(userId=on.jane.id, prefs={"theme": "dark"})

    assert on.ask("GET", "/account/prefs") == {"theme": "dark"}


def list_logs(on: Scene) -> None:
    on.ask("PATCH", "/account/name", name="Zed")

    until(lambda: on.get(f"/users/{on.jane.id}/logs")["logs"][:1] != [], 30)
    until(lambda: on.get(f"/users/{on.jane.id}/logs")["logs"][0]["event"] == "user.update.name", 30)
    [log, *_] = on.server.listLogs(userId=on.jane.id)["logs"]
    told = (log["event"], log["userId"], log["userType"], log["ip"])
    assert told == ("user.update.name", on.jane.id, "user", "127.0.0.1")


def list_memberships(on: Scene) -> None:
    on.ask("POST", "/teams", teamId="crew", name="Crew")

    listed = on.server.listMemberships(userId=on.jane.id)["memberships"]
    assert [each["teamId"] for each in listed] == ["crew"]


def list_identities(on: Scene) -> None:
    _identity(on)

    assert [each["providerUid"] for each in on.server.listIdentities()["identities"]] == ["jane-at-github"]


def delete_identity(on: Scene) -> None:
    on.server.deleteIdentity(identityId=_identity(on))

    assert on.ask("GET", "/account/identities")["total"] == 0


# Sessions, tokens


def list_sessions(on: Scene) -> None:
    [listed] = on.server.listSessions(userId=on.jane.id)["sessions"]

    assert listed["$id"] == on.ask("GET", "/account/sessions/current")["$id"]


def create_session(on: Scene) -> None:
    session = on.server.createSession(userId=on.jane.id)
    holder = on.project.platform.client(on.project.id, session=session["secret"])

    assert holder.get("/account").json()["$id"] == on.jane.id


def delete_session(on: Scene) -> None:
    on.server.deleteSession(userId=on.jane.id, sessionId=on.sessions()[0]["$id"])

    assert on.jane.client.get("/account").status_code == 401


def delete_sessions(on: Scene) -> None:
    other, bob = on.project.sign_in(on.jane.email), on.project.new_user("Bob")
    on.server.deleteSessions(userId=on.jane.id)

    assert on.sessions() == []
    assert on.jane.client.get("/account").status_code == 401
    assert on.project.platform.client(on.project.id, session=other).get("/account").status_code == 401
    assert bob.client.get("/account").status_code == 200


def create_token(on: Scene) -> None:
    token = on.server.createToken(userId=on.jane.id, length=10, expire=60)
    said = {"userId": on.jane.id, "secret": token["secret"]}

    assert len(token["secret"]) == 10
    made, ends = (datetime.fromisoformat(token[each]) for each in ("$createdAt", "expire"))
    assert ends - made == timedelta(seconds=60)
    opened = ok(on.project.guest.post("/account/sessions/token", json=said)).json()
    assert opened["$id"] in [each["$id"] for each in on.sessions()]
    assert on.project.guest.post("/account/sessions/token", json=said).status_code == 401


def create_jwt(on: Scene) -> None:
    jwt = on.server.createJWT(userId=on.jane.id, duration=60)["jwt"]
    bearer = on.project.platform.client(on.project.id, **{"X-Appwrite-JWT": jwt})

    assert bearer.get("/account").json()["$id"] == on.jane.id


# The second factor


def update_mfa(on: Scene) -> None:
    on.server.updateMFA(userId=on.jane.id, mfa=True)

    assert on.ask("GET", "/account")["mfa"] is True


def delete_mfa_authenticator(on: Scene) -> None:
    add_app(on.jane.client)
    on.server.deleteMFAAuthenticator(userId=on.jane.id, type="totp")

    assert on.ask("GET", "/account/mfa/factors")["totp"] is False


def get_mfa_challenge(on: Scene) -> None:
    on.project.server.patch("/project/policies/mfa-factors", json={"custom": True})
    asked = challenge(on.jane.client, "custom")
    told = on.server.getMFAChallenge(userId=on.jane.id, challengeId=asked)
    on.ask("PUT", "/account/mfa/challenges", challengeId=asked, otp=told["code"])

    assert on.sessions()[0]["factors"] == ["password", "custom"]


def list_mfa_factors(on: Scene) -> None:
    add_app(on.jane.client)

    assert on.server.listMFAFactors(userId=on.jane.id)["totp"] is True


def create_mfa_recovery_codes(on: Scene) -> None:
    [code, *_] = on.server.createMFARecoveryCodes(userId=on.jane.id)["recoveryCodes"]
    asked = challenge(on.jane.client, "recoverycode")
    on.ask("PUT", "/account/mfa/challenges", challengeId=asked, otp=code)

    assert "recoverycode" in on.sessions()[0]["factors"]


def _recovery_codes(on: Scene) -> Any:
    path = f"/users/{on.jane.id}/mfa/recovery-codes"
    return on.project.server.patch(path).json()["recoveryCodes"]


def get_mfa_recovery_codes(on: Scene) -> None:
    codes = _recovery_codes(on)

    assert on.server.getMFARecoveryCodes(userId=on.jane.id)["recoveryCodes"] == codes


def update_mfa_recovery_codes(on: Scene) -> None:
    before = _recovery_codes(on)
    after = on.server.updateMFARecoveryCodes(userId=on.jane.id)["recoveryCodes"]

    assert not set(after) & set(before)
    assert on.get(f"/users/{on.jane.id}/mfa/recovery-codes")["recoveryCodes"] == after


# Passkeys


def list_passkeys(on: Scene) -> None:
    _registered(on)

    assert [each["$id"] for each in on.server.listPasskeys(userId=on.jane.id)["passkeys"]] == ["phone"]


def get_passkey(on: Scene) -> None:
    _registered(on)

    assert on.server.getPasskey(userId=on.jane.id, passkeyId="phone")["name"] == "Phone"


def update_passkey(on: Scene) -> None:
    _registered(on)
    on.server.updatePasskey(userId=on.jane.id, passkeyId="phone", name="Old phone")

    assert on.ask("GET", "/account/passkeys/phone")["name"] == "Old phone"


def delete_passkey(on: Scene) -> None:
    _registered(on)
    on.server.deletePasskey(userId=on.jane.id, passkeyId="phone")

    assert on.ask("GET", "/account/passkeys")["total"] == 0


# Targets


def _target(on: Scene) -> str:
    path = f"/users/{on.jane.id}/targets"
    on.post(path, targetId="phone", providerType="push", identifier="device-token")
    return f"{path}/phone"


def list_targets(on: Scene) -> None:
    _target(on)

    listed = on.server.listTargets(userId=on.jane.id)["targets"]
    assert {each["identifier"] for each in listed} == {on.jane.email, "device-token"}


def create_target(on: Scene) -> None:
    on.server.createTarget(
        userId=on.jane.id, targetId="phone", providerType="push", identifier="device-token"
    )

    assert "device-token" in [each["identifier"] for each in on.ask("GET", "/account")["targets"]]


def get_target(on: Scene) -> None:
    _target(on)

    assert on.server.getTarget(userId=on.jane.id, targetId="phone")["identifier"] == "device-token"


def update_target(on: Scene) -> None:
    path = _target(on)
    on.server.updateTarget(userId=on.jane.id, targetId="phone", identifier="new-token", name="New")

    assert (on.get(path)["identifier"], on.get(path)["name"]) == ("new-token", "New")


def delete_target(on: Scene) -> None:
    path = _target(on)
    on.server.deleteTarget(userId=on.jane.id, targetId="phone")

    assert on.is_gone(path)
