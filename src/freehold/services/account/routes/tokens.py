"""Endpoints that send somebody a link or a code to sign in with.

They do the same, and answer the same, whether or not anybody has the address: see `tokens`.
"""

from __future__ import annotations

from freehold import ids
from freehold.services import mail, users
from freehold.services.account import phrases, tokens
from freehold.services.account.errors import AuthMethodUnsupported
from freehold.services.account.models import (
    CreateEmailToken,
    CreateMagicUrlToken,
    CreatePhoneToken,
    Token,
)
from freehold.services.account.signing_in import check_method
from freehold.web import redirects
from freehold.web.call import Call
from freehold.web.endpoint import Routes, limit
from freehold.web.wire import wire_time

routes = Routes("account", raises=(AuthMethodUnsupported,))


@routes.post(
    "/v1/account/tokens/magic-url",
    scope="sessions.write",
    status=201,
    limit=(limit("60/3600s", key="url:{url},email:{param-email}"), limit("60/3600s")),
    aliases=("/v1/account/sessions/magic-url",),
    name="createMagicURLToken",
    raises=(mail.MailDisabled,),
)
async def create_magic_url_token(call: Call, body: CreateMagicUrlToken) -> Token:
    """Send a link to sign in with. It leads to `url`, with `userId` and `secret` to be handed in there.

    Who has no account yet gets one when the link is used.
    """
    check_method(call, "magic-url")
    mail.must_send_mail(call)
    url = redirects.checked(call, body.url)
    email = users.checked_email(body.email)
    handle = await _handle(call, body.user_id, email=email)
    issued = await tokens.issue(call, None, tokens.MAGIC_URL, handle=handle, address=email)
    phrase = phrases.new_phrase() if body.phrase else ""
    values = {"redirect": link(call, url, issued), "phrase": phrase}
    await mail.send_mail(call, "magicSession", email, values=values)
    return answered(call, issued, phrase=phrase)


@routes.post(
    "/v1/account/tokens/email",
    scope="sessions.write",
    status=201,
    limit=(limit("10/3600s", key="url:{url},email:{param-email}"), limit("10/3600s")),
    raises=(mail.MailDisabled,),
)
async def create_email_token(call: Call, body: CreateEmailToken) -> Token:
    """Send a code to sign in with. It is handed in with the `userId` of the answer.

    Who has no account yet gets one when the code is used.
    """
    check_method(call, "email-otp")
    mail.must_send_mail(call)
    email = users.checked_email(body.email)
    handle = await _handle(call, body.user_id, email=email)
    issued = await tokens.issue(call, None, tokens.EMAIL, handle=handle, address=email)
    phrase = phrases.new_phrase() if body.phrase else ""
    await mail.send_mail(call, "otpSession", email, values={"otp": issued.secret, "phrase": phrase})
    return answered(call, issued, phrase=phrase)


@routes.post(
    "/v1/account/tokens/phone",
    scope="sessions.write",
    status=201,
    limit=(limit("10/3600s", key="url:{url},phone:{param-phone}"), limit("10/3600s")),
    aliases=("/v1/account/sessions/phone",),
    raises=(mail.SmsDisabled,),
)
async def create_phone_token(call: Call, body: CreatePhoneToken) -> Token:
    """Send a code to sign in with as a text message. It is handed in with the `userId` of the answer.

    Who has no account yet gets one when the code is used.
    """
    check_method(call, "phone")
    await mail.must_send_sms(call, body.phone)
    handle = await _handle(call, body.user_id, phone=body.phone)
    mocked = await mail.mock_code(call, body.phone)
    issued = await tokens.issue(call, None, tokens.PHONE, handle=handle, address=body.phone, secret=mocked)
    await mail.send_sms(call, "login", body.phone, values={"otp": issued.secret})
    return answered(call, issued)


async def _handle(call: Call, wanted: str, *, email: str = "", phone: str = "") -> str:
    """What the token is handed in with. Only who may list users is told the id of one that there is."""
    if call.identity.privileged:
        find, address = (users.find_by_email, email) if email else (users.find_by_phone, phone)
        row = await find(call.db, call.project.id, address)
        if row is not None:
            return str(row["id"])
    return ids.resolve(wanted)


def link(call: Call, url: str, issued: tokens.Issued) -> str:
    """A link that carries a token back to a page of the project."""
    return redirects.with_parameters(
        url,
        {
            "userId": issued.handle,
            "secret": issued.secret,
            "expire": wire_time(issued.expires_at),
            "project": call.project.id,
        },
    )


def answered(call: Call, issued: tokens.Issued, *, phrase: str = "") -> Token:
    """A new token as it is answered: with its secret, for those who may see it. No event tells that."""
    call.tells(tokens.as_token(issued, phrase=phrase))
    call.event_ids["tokenId"] = issued.id
    return tokens.as_token(issued, secret=issued.secret if call.sees_secrets else "", phrase=phrase)
