"""Endpoints for who has forgotten the password: a link or a code by mail, and a new password for it.

They do the same, and answer the same, whether or not anybody has the address: see `tokens`.
"""

from __future__ import annotations

from freehold import ids
from freehold.db.pool import Record
from freehold.errors import UserBlocked
from freehold.services import mail, users
from freehold.services.account import credential_store, credentials, notices, phrases, proofs, store, tokens
from freehold.services.account.errors import InvalidToken
from freehold.services.account.models import CreateRecovery, CreateRecoveryOtp, Token, UpdateRecovery
from freehold.services.account.routes.tokens import answered, link
from freehold.services.users import UserNotFound
from freehold.web import redirects
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.users import user_tag

routes = Routes("account")

_SENDING = {
    "scope": "sessions.write",
    "event": "users.[userId].recovery.[tokenId].create",
    "status": 201,
    "limit": (limit("10/3600s", key="url:{url},email:{param-email}"), limit("10/3600s")),
    "raises": (mail.MailDisabled, UserNotFound),
}
_RESETTING = {
    "scope": "sessions.write",
    "event": "users.[userId].recovery.[tokenId].update",
    "limit": limit("10/3600s", key="url:{url},userId:{param-userId}"),
    "raises": (InvalidToken, UserBlocked, *users.PASSWORD_ERRORS),
}


@routes.post("/v1/account/recovery", **_SENDING)
async def create_recovery(call: Call, body: CreateRecovery) -> Token:
    """Send a link to set another password with. It leads to `url`, with `userId` and `secret`.

    Guests get the same answer when nobody has the address; then no mail is sent.
    """
    mail.must_send_mail(call)
    url = redirects.checked(call, body.url)
    email, user, issued = await _issue(call, body.email, tokens.RECOVERY)
    await _send(call, "recovery", email, user, {"redirect": link(call, url, issued)})
    return answered(call, issued)


@routes.post("/v1/account/recovery/otp", **_SENDING, reference=False, name="createRecoveryOTP")
async def create_recovery_otp(call: Call, body: CreateRecoveryOtp) -> Token:
    """Send a code to set another password with.

    Guests get the same answer when nobody has the address; then no mail is sent.
    """
    mail.must_send_mail(call)
    email, user, issued = await _issue(call, body.email, tokens.RECOVERY_OTP)
    phrase = phrases.new_phrase() if body.phrase else ""
    await _send(call, "otpSession", email, user, {"otp": issued.secret, "phrase": phrase})
    return answered(call, issued, phrase=phrase)


@routes.put("/v1/account/recovery", **_RESETTING)
async def update_recovery(call: Call, body: UpdateRecovery) -> Token:
    """Set another password with what the link brought back. All sessions end."""
    return await _reset(call, body, tokens.RECOVERY)


@routes.put("/v1/account/recovery/otp", **_RESETTING, reference=False, name="updateRecoveryOTP")
async def update_recovery_otp(call: Call, body: UpdateRecovery) -> Token:
    """Set another password with a code. All sessions end."""
    return await _reset(call, body, tokens.RECOVERY_OTP)


async def _issue(call: Call, address: str, kind: str) -> tuple[str, Record | None, tokens.Issued]:
    email = users.checked_email(address)
    user = await users.find_by_email(call.db, call.project.id, email)
    if call.identity.privileged and user is None:
        raise UserNotFound()
    handle = user["id"] if user is not None and call.identity.privileged else ids.new_id()
    issued = await tokens.issue(call, None, kind, handle=handle, address=email)
    call.event_ids["userId"] = user["id"] if user is not None else handle
    return email, user, issued


async def _send(call: Call, template: str, email: str, user: Record | None, values: dict[str, str]) -> None:
    name = user["name"] if user is not None else ""
    # Whether there is such a user is looked up once more by who sends it, out of sight of whoever asks.
    await mail.send_mail(call, template, email, name=name, values=values, only_to_users=True)


async def _reset(call: Call, body: UpdateRecovery, kind: str) -> Token:
    token = await tokens.check(call, body.user_id, (kind,), body.secret)
    user = await users.find_by_email(call.app.db, call.project.id, token["address"])
    if user is None:
        raise InvalidToken()
    if not user["enabled"]:
        raise UserBlocked()
    new = await credentials.hashed(call, user["id"], body.password)
    await tokens.take(call, token)
    user_id = await proofs.owner_of_email(call, token["address"])
    if user_id is None:
        raise InvalidToken()
    await credential_store.replace_password(call.db, call.project.id, user_id, new)
    await store.close_sessions(call.db, call.project.id, user_id)
    await tokens.drop_sent(call, token["address"])
    call.proves(user_id, user["name"], user["email"])
    await notices.tell(call, "passwordChanged", user["email"], user["name"])
    call.changed(user_tag(call.project.id, user_id))
    call.event_ids.update(userId=user_id, tokenId=token["id"])
    return tokens.spent(token)
