"""Mails that tell somebody of what was done to their account, so that they notice if it was not them."""

from __future__ import annotations

from freehold.access import policies
from freehold.services import mail, users
from freehold.services.account import store
from freehold.web.call import Call


async def tell(call: Call, template: str, address: str | None, name: str) -> None:
    """Send a notice to an address, if there is one, and mails can be sent at all."""
    if not address:
        return
    try:
        mail.must_send_mail(call)
    except mail.MailDisabled:
        return  # what somebody does with an account does not depend on it
    await mail.send_mail(call, template, address, name=name)


async def of_session(call: Call, user_id: str, factors: list[str]) -> None:
    """Tell of a new session, if the project wants that: not of a user's first, nor of one by mail itself."""
    if not policies.of(call.project.settings).session_alert or "email" in factors:
        return
    if await store.count_sessions(call.db, call.project.id, user_id) < 2:
        return
    user = await users.find(call.db, call.project.id, user_id)
    if user is not None:
        await tell(call, "sessionAlert", user["email"], user["name"])
