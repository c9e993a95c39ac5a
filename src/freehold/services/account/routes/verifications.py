"""Endpoints that prove whose an e-mail address or a phone number is."""

from __future__ import annotations

from freehold.db.pool import Record
from freehold.errors import UserUnauthorized
from freehold.services import mail, users
from freehold.services.account import credential_store, phrases, tokens
from freehold.services.account.errors import (
    EmailAlreadyVerified,
    InvalidToken,
    NoEmail,
    NoPhone,
    PhoneAlreadyVerified,
)
from freehold.services.account.models import (
    CreateEmailVerification,
    CreateEmailVerificationOtp,
    Token,
    VerifyAddress,
)
from freehold.services.account.routes.tokens import answered, link
from freehold.services.account.signing_in import signed_in
from freehold.web import redirects
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.users import user_tag

routes = Routes("account")

_ASKING = {
    "scope": "account",
    "event": "users.[userId].verification.[tokenId].create",
    "status": 201,
}
_PROVING = {
    "scope": "public",
    "event": "users.[userId].verification.[tokenId].update",
    "raises": (InvalidToken,),
}
_BY_MAIL = {
    **_ASKING,
    "limit": limit("10/3600s", key="url:{url},userId:{userId}"),
    "raises": (UserUnauthorized, NoEmail, EmailAlreadyVerified, mail.MailDisabled),
}
_BY_USER = limit("10/3600s", key="url:{url},userId:{param-userId}")


@routes.post("/v1/account/verifications/email", **_BY_MAIL, aliases=("/v1/account/verification",))
async def create_email_verification(call: Call, body: CreateEmailVerification) -> Token:
    """Send oneself a link that proves one's e-mail address. It leads to `url`, with `userId` and `secret`."""
    mail.must_send_mail(call)
    url = redirects.checked(call, body.url)
    user = _with_email(call)
    issued = await tokens.issue(call, user["id"], tokens.VERIFICATION, address=user["email"])
    values = {"redirect": link(call, url, issued)}
    await mail.send_mail(call, "verification", user["email"], name=user["name"], values=values)
    return answered(call, issued)


@routes.put(
    "/v1/account/verifications/email",
    **_PROVING,
    limit=_BY_USER,
    aliases=("/v1/account/verification",),
)
async def update_email_verification(call: Call, body: VerifyAddress) -> Token:
    """Prove an e-mail address with what the link brought back, on whatever device it was opened."""
    return await _prove_email(call, body, tokens.VERIFICATION)


@routes.post(
    "/v1/account/verifications/email/otp", **_BY_MAIL, reference=False, name="createEmailVerificationOTP"
)
async def create_email_verification_otp(call: Call, body: CreateEmailVerificationOtp) -> Token:
    """Send oneself a code that proves one's e-mail address."""
    mail.must_send_mail(call)
    user = _with_email(call)
    issued = await tokens.issue(call, user["id"], tokens.VERIFICATION_OTP, address=user["email"])
    phrase = phrases.new_phrase() if body.phrase else ""
    values = {"otp": issued.secret, "phrase": phrase}
    await mail.send_mail(call, "mfaChallenge", user["email"], name=user["name"], values=values)
    return answered(call, issued, phrase=phrase)


@routes.put(
    "/v1/account/verifications/email/otp",
    **_PROVING,
    limit=_BY_USER,
    reference=False,
    name="updateEmailVerificationOTP",
)
async def update_email_verification_otp(call: Call, body: VerifyAddress) -> Token:
    """Prove an e-mail address with a code."""
    return await _prove_email(call, body, tokens.VERIFICATION_OTP)


@routes.post(
    "/v1/account/verifications/phone",
    **_ASKING,
    limit=(limit("10/3600s", key="url:{url},userId:{userId}"), limit("10/3600s")),
    aliases=("/v1/account/verification/phone",),
    raises=(UserUnauthorized, NoPhone, PhoneAlreadyVerified, mail.SmsDisabled),
)
async def create_phone_verification(call: Call) -> Token:
    """Send oneself a code that proves one's phone number."""
    user = signed_in(call)
    phone: str = user["phone"] or ""
    if not phone:
        raise NoPhone()
    if user["phone_verified"]:
        raise PhoneAlreadyVerified()
    await mail.must_send_sms(call, phone)
    mocked = await mail.mock_code(call, phone)
    issued = await tokens.issue(call, user["id"], tokens.PHONE_VERIFICATION, address=phone, secret=mocked)
    call.event_ids["userId"] = user["id"]
    await mail.send_sms(call, "verification", phone, values={"otp": issued.secret})
    return answered(call, issued)


@routes.put(
    "/v1/account/verifications/phone",
    **_PROVING,
    limit=limit("10/3600s", key="userId:{param-userId}"),
    aliases=("/v1/account/verification/phone",),
)
async def update_phone_verification(call: Call, body: VerifyAddress) -> Token:
    """Prove a phone number with a code."""
    token = await tokens.redeem(call, body.user_id, (tokens.PHONE_VERIFICATION,), body.secret)
    user_id: str = token["user_id"]
    if not await credential_store.verify_phone(call.db, call.project.id, user_id, token["address"]):
        raise InvalidToken()
    return await _proven(call, token)


def _with_email(call: Call) -> Record:
    user = signed_in(call)
    if not user["email"]:
        raise NoEmail()
    if user["email_verified"]:
        raise EmailAlreadyVerified()
    call.event_ids["userId"] = user["id"]
    return user


async def _prove_email(call: Call, body: VerifyAddress, kind: str) -> Token:
    token = await tokens.redeem(call, body.user_id, (kind,), body.secret)
    user_id: str = token["user_id"]
    # The link shows who reads the mail. That they registered, too, only a session of theirs shows.
    apart = call.identity.user_id != user_id or not call.identity.in_person
    proven = credential_store.verify_email(call.db, call.project.id, user_id, token["address"], apart=apart)
    if not await proven:
        raise InvalidToken()
    return await _proven(call, token)


async def _proven(call: Call, token: Record) -> Token:
    user_id: str = token["user_id"]
    user = await users.find(call.db, call.project.id, user_id)
    if user is None:
        raise InvalidToken()
    call.proves(user_id, user["name"], user["email"] or "")
    await tokens.drop(call, user_id, (token["kind"],))
    call.changed(user_tag(call.project.id, user_id))
    call.event_ids.update(userId=user_id, tokenId=token["id"])
    return tokens.spent(token)
