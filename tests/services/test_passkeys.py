"""Passkeys, with an authenticator in software: real keys, real signatures, by the official SDK."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pytest
from appwrite.exception import AppwriteException
from appwrite.services.account import Account
from appwrite.services.users import Users
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

from tests.platform import Project, User, error_of
from tests.services.second_factor import add_app, ok, run_sql

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
INVALID = (401, "user_invalid_token")


class Device:
    """An authenticator as phones have one, and the browser that speaks to it."""

    def __init__(self, origin: str = "http://localhost:3000", flags: int = PRESENT | VERIFIED) -> None:
        self.origin = origin
        self.flags = flags
        self.count = 0
        self.id = os.urandom(32)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._user = ""

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives."""
        self._user = options["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + encode_cbor(cose)
        data = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._credential(
            clientDataJSON=self._client_data("webauthn.create", options["challenge"]),
            attestationObject=attestation,
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives."""
        self.count += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        data = self._data(options["rpId"], self.flags)
        signed = data + hashlib.sha256(client_data).digest()
        answer = self._credential(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=self._key.sign(signed, ec.ECDSA(hashes.SHA256())),
        )
        answer["response"]["userHandle"] = self._user
        return answer

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _credential(self, **response: bytes) -> dict[str, Any]:
        return {
            "id": bytes_to_base64url(self.id),
            "rawId": bytes_to_base64url(self.id),
            "type": "public-key",
            "response": {name: bytes_to_base64url(value) for name, value in response.items()},
            "clientExtensionResults": {},
        }


@pytest.fixture
def project(project: Project) -> Project:
    """A project whose pages are on localhost."""
    add_platform(project, "localhost")
    return project


def add_platform(project: Project, hostname: str) -> None:
    body = {"platformId": "unique()", "name": "Page", "hostname": hostname}
    ok(project.admin.post("/project/platforms/web", json=body))


def register(user: User, device: Device, passkey_id: str = "phone") -> None:
    account = Account(user.sdk)
    asked = account.create_passkey(passkey_id, "Phone")
    account.update_passkey_verification(passkey_id, device.create(asked.publickey))


def sign_in(project: Project, device: Device) -> Any:
    """Prove by the device who one is. Gives the token."""
    account = Account(project.sdk())
    asked = account.create_passkey_token()
    return account.update_passkey_token(asked.id, device.get(asked.publickey))


def refusal(project: Project, device: Device) -> tuple[int | None, str | None]:
    with pytest.raises(AppwriteException) as refused:
        sign_in(project, device)
    return refused.value.code, refused.value.type


def test_a_passkey_is_registered_and_opens_a_session_with_both_factors(project: Project, jane: User) -> None:
    device = Device()
    account = Account(jane.sdk)
    asked = account.create_passkey("phone", "Phone")
    assert account.list_passkeys().total == 0
    made = account.update_passkey_verification("phone", device.create(asked.publickey))
    token = sign_in(project, device)
    session = Account(project.sdk(key=project.key)).create_session(token.userid, token.secret)
    me = Account(project.sdk(session=session.secret)).get()

    assert (asked.passkeyid, made.id, made.name, made.accessedat) == ("phone", "phone", "Phone", "")
    assert asked.publickey["rp"] == {"name": "Shop", "id": "localhost"}
    assert (token.userid, me.id, session.provider) == (jane.id, jane.id, "passkey")
    assert session.factors == ["passkey", "user-verification"]
    assert account.get_passkey("phone").accessedat != ""


def test_a_passkey_is_enough_for_who_asks_for_two_factors(project: Project, jane: User) -> None:
    device = Device()
    register(jane, device)
    add_app(jane.client)
    Users(project.sdk(key=project.key)).update_mfa(jane.id, True)
    token = sign_in(project, device)
    session = Account(project.sdk(key=project.key)).create_session(token.userid, token.secret)

    assert Account(project.sdk(session=session.secret)).get().mfa
    alone = project.platform.client(project.id, session=project.sign_in(jane.email))
    assert error_of(alone.get("/account")) == (401, "user_more_factors_required")


def test_passkeys_are_listed_renamed_and_deleted_by_the_user_and_the_server(
    project: Project, jane: User
) -> None:
    account, users = Account(jane.sdk), Users(project.sdk(key=project.key))
    first, second = Device(), Device()
    register(jane, first, "first")
    register(jane, second, "second")

    assert account.update_passkey("first", "Mine").name == "Mine"
    assert users.update_passkey(jane.id, "second", "Hers").name == "Hers"
    assert [each.name for each in account.list_passkeys().passkeys] == ["Mine", "Hers"]
    assert users.list_passkeys(jane.id).total == 2
    assert users.get_passkey(jane.id, "first").name == "Mine"
    account.delete_passkey("first")
    users.delete_passkey(jane.id, "second")
    assert account.list_passkeys().total == 0
    assert refusal(project, first) == refusal(project, second) == INVALID


def test_a_passkey_is_nobody_elses(project: Project, jane: User, bob: User) -> None:
    register(jane, Device())

    assert error_of(bob.client.get("/account/passkeys/phone")) == (404, "user_authenticator_not_found")
    assert error_of(bob.client.delete("/account/passkeys/phone")) == (404, "user_authenticator_not_found")
    taken = bob.client.post("/account/passkeys", json={"passkeyId": "phone"})
    assert error_of(taken) == (409, "user_authenticator_already_verified")
    assert Account(jane.sdk).list_passkeys().total == 1


def test_s36_an_answer_counts_once_and_a_wrong_one_uses_the_challenge_up(
    project: Project, jane: User
) -> None:
    device = Device()
    register(jane, device)
    asked = ok(project.guest.post("/account/tokens/passkey")).json()
    body = {"challengeId": asked["$id"], "credential": device.get(asked["publicKey"])}
    ok(project.guest.put("/account/tokens/passkey", json=body))
    assert error_of(project.guest.put("/account/tokens/passkey", json=body)) == INVALID

    asked = ok(project.guest.post("/account/tokens/passkey")).json()
    wrong = {"challengeId": asked["$id"], "credential": Device().get(asked["publicKey"])}
    right = {"challengeId": asked["$id"], "credential": device.get(asked["publicKey"])}
    assert error_of(project.guest.put("/account/tokens/passkey", json=wrong)) == INVALID
    assert error_of(project.guest.put("/account/tokens/passkey", json=right)) == INVALID


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://localhost.evil.example", "http://127.0.0.1:3000", "null", ""],
)
def test_s46_a_passkey_answers_to_no_other_site(project: Project, jane: User, origin: str) -> None:
    device = Device()
    register(jane, device)
    device.origin = origin

    assert refusal(project, device) == INVALID


def test_a_passkey_of_a_domain_works_on_its_platforms_alone(project: Project, jane: User) -> None:
    ok(project.admin.patch("/project/policies/passkey", json={"rpId": "shop.example"}))
    add_platform(project, "app.shop.example")
    device = Device("https://app.shop.example")
    register(jane, device)
    assert sign_in(project, device).userid == jane.id

    for origin in ("http://app.shop.example", "https://other.shop.example", "https://xshop.example"):
        device.origin = origin
        assert refusal(project, device) == INVALID
    device.origin = "https://shop.example"
    assert sign_in(project, device).userid == jane.id


def test_who_has_not_unlocked_the_device_is_nobody(project: Project, jane: User) -> None:
    device = Device()
    register(jane, device)
    device.flags = PRESENT

    assert refusal(project, device) == INVALID


def test_a_copy_whose_counter_runs_behind_is_refused(project: Project, jane: User) -> None:
    device = Device()
    register(jane, device)
    sign_in(project, device)
    sign_in(project, device)
    device.count = 0

    assert refusal(project, device) == INVALID


def test_a_challenge_has_five_minutes(project: Project, jane: User) -> None:
    device = Device()
    register(jane, device)
    account = Account(project.sdk())
    asked = account.create_passkey_token()
    run_sql(
        project,
        "update freehold.passkey_challenges set expires_at = expires_at - interval '5 minutes' where id = $1",
        asked.id,
    )

    with pytest.raises(AppwriteException) as late:
        account.update_passkey_token(asked.id, device.get(asked.publickey))
    assert (late.value.code, late.value.type) == INVALID


def test_a_session_of_long_ago_registers_and_deletes_nothing(project: Project, jane: User) -> None:
    register(jane, Device())
    run_sql(
        project,
        "update freehold.sessions set created_at = now() - interval '11 minutes' where user_id = $1",
        jane.id,
    )
    ok(jane.client.patch("/account/name", json={"name": "Jane"}))  # what was cached of her is not any more

    asked = jane.client.post("/account/passkeys", json={"passkeyId": "unique()"})
    assert error_of(asked) == (401, "user_challenge_required")
    deleted = jane.client.delete("/account/passkeys/phone")
    assert error_of(deleted) == (401, "user_challenge_required")
    assert Account(jane.sdk).list_passkeys().total == 1


def test_a_project_without_a_domain_has_no_passkeys(platform: Any) -> None:
    project = platform.new_project()
    refused = project.guest.post("/account/tokens/passkey")

    assert error_of(refused) == (400, "general_feature_unsupported")


@pytest.mark.parametrize(
    "credential",
    [{}, {"id": 7}, {"id": "!!", "response": []}, {"id": "AA", "response": {"clientDataJSON": "AA"}}],
)
def test_s13_what_is_no_answer_of_a_device_is_refused(
    project: Project, jane: User, credential: dict[str, Any]
) -> None:
    asked = ok(project.guest.post("/account/tokens/passkey")).json()
    body = {"challengeId": asked["$id"], "credential": credential}
    assert error_of(project.guest.put("/account/tokens/passkey", json=body)) == INVALID
    ok(jane.client.post("/account/passkeys", json={"passkeyId": "phone"}))
    verified = jane.client.put("/account/passkeys/phone/verification", json={"credential": credential})
    assert error_of(verified) == INVALID
    assert Account(jane.sdk).list_passkeys().total == 0
