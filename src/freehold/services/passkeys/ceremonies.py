"""Registering a passkey and signing in with one, each from the challenge to the device's answer."""

from __future__ import annotations

import binascii
from typing import Any
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import base64url_to_bytes, generate_challenge, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from freehold import ids
from freehold.access import policies
from freehold.db.pool import Record
from freehold.services import projects
from freehold.services.passkeys import store
from freehold.services.passkeys.errors import PasskeyExists, PasskeyInvalid, PasskeysUnsupported
from freehold.services.passkeys.models import PasskeyChallenge
from freehold.web.call import Call
from freehold.web.wire import wire_time

CHALLENGE_S = 300
_LOCALHOST = "localhost"
_NOT_WEBAUTHN = (WebAuthnException, KeyError, TypeError, ValueError, binascii.Error)
"""What the library raises of an answer that is none."""


async def start_registration(call: Call, user: Record, passkey_id: str, name: str) -> PasskeyChallenge:
    """Ask the caller's device for a new passkey. Raises PasskeyExists, PasskeysUnsupported."""
    rp_id = relying_party(call)
    if await store.exists(call.db, call.project.id, passkey_id):
        raise PasskeyExists()
    project = await projects.find(call.db, call.project.id)
    known = await store.list_credentials(call.db, call.project.id, user["id"])
    account = user["email"] or user["phone"] or user["id"]
    options = webauthn.generate_registration_options(
        rp_id=rp_id,
        rp_name=project["name"] if project is not None else rp_id,
        user_id=user["id"].encode(),
        user_name=account,
        user_display_name=user["name"] or account,
        challenge=generate_challenge(),
        timeout=CHALLENGE_S * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    new = store.NewChallenge(
        ids.new_id(), options.challenge, rp_id, CHALLENGE_S, user["id"], passkey_id, name
    )
    return await _challenge(call, new, webauthn.options_to_json(options))


async def finish_registration(
    call: Call, user_id: str, passkey_id: str, credential: dict[str, Any]
) -> Record:
    """Keep the passkey that a device has made. Raises PasskeyInvalid, PasskeyExists, TooManyPasskeys."""
    # Off the transaction: a challenge is used up by a wrong answer too.
    asked = await store.take_challenge(call.app.db, call.project.id, user_id=user_id, passkey_id=passkey_id)
    if asked is None:
        raise PasskeyInvalid()
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=asked["challenge"],
            expected_rp_id=asked["rp_id"],
            expected_origin=_checked_origin(call, asked["rp_id"], credential),
            require_user_verification=True,
        )
    except _NOT_WEBAUTHN as error:
        raise PasskeyInvalid() from error
    new = store.NewPasskey(
        id=passkey_id,
        user_id=user_id,
        name=asked["passkey_name"],
        rp_id=asked["rp_id"],
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
    )
    return await store.create(call.db, call.project.id, new)


async def start_signing_in(call: Call) -> PasskeyChallenge:
    """Ask whoever calls for one of its passkeys. Raises PasskeysUnsupported."""
    rp_id = relying_party(call)
    options = webauthn.generate_authentication_options(
        rp_id=rp_id,
        challenge=generate_challenge(),
        timeout=CHALLENGE_S * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    new = store.NewChallenge(ids.new_id(), options.challenge, rp_id, CHALLENGE_S)
    return await _challenge(call, new, webauthn.options_to_json(options))


async def finish_signing_in(call: Call, challenge_id: str, credential: dict[str, Any]) -> str:
    """The id of the user whose passkey has answered. Raises PasskeyInvalid."""
    # Off the transaction: a challenge is used up by a wrong answer too.
    asked = await store.take_challenge(call.app.db, call.project.id, challenge_id=challenge_id)
    if asked is None:
        raise PasskeyInvalid()
    try:
        credential_id = base64url_to_bytes(credential["id"])
        known = await store.find_by_credential(call.db, call.project.id, asked["rp_id"], credential_id)
        if known is None:
            raise PasskeyInvalid()
        handle = credential["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != known["user_id"].encode():
            raise PasskeyInvalid()
        answered = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=asked["challenge"],
            expected_rp_id=asked["rp_id"],
            expected_origin=_checked_origin(call, asked["rp_id"], credential),
            credential_public_key=known["public_key"],
            credential_current_sign_count=known["sign_count"],
            require_user_verification=True,
        )
    except _NOT_WEBAUTHN as error:
        raise PasskeyInvalid() from error
    await store.note_use(call.db, call.project.id, known["id"], answered.new_sign_count)
    user_id: str = known["user_id"]
    return user_id


def relying_party(call: Call) -> str:
    """The domain that the caller's passkeys belong to. Raises PasskeysUnsupported."""
    has_localhost = _LOCALHOST in call.project.hostnames
    if has_localhost and _host(call.request.header(b"origin")) == _LOCALHOST:
        return _LOCALHOST
    domain = policies.of(call.project.settings).passkey_rp_id
    if domain:
        return domain
    if has_localhost:
        return _LOCALHOST
    raise PasskeysUnsupported()


def _checked_origin(call: Call, rp_id: str, credential: dict[str, Any]) -> str:
    """The page that the device has answered to. Raises PasskeyInvalid when it is not one of the project's."""
    client_data = base64url_to_bytes(credential["response"]["clientDataJSON"])
    origin = parse_client_data_json(client_data).origin
    host = _host(origin)
    is_local = host == rp_id == _LOCALHOST
    if not (is_local or urlsplit(origin).scheme == "https"):
        raise PasskeyInvalid()
    if host != rp_id and not (host.endswith(f".{rp_id}") and call.project.allows_origin(origin)):
        raise PasskeyInvalid()
    return origin


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


async def _challenge(call: Call, new: store.NewChallenge, options: str) -> PasskeyChallenge:
    row = await store.create_challenge(call.db, call.project.id, new)
    return PasskeyChallenge(
        id=row["id"],
        created_at=wire_time(row["created_at"]),
        passkey_id=new.passkey_id or "",
        expire=wire_time(row["expires_at"]),
        public_key=msgspec.json.decode(options),
    )
