"""Trying a project's SMTP server while somebody waits to hear what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold import ids
from freehold.jobs import Hopeless
from freehold.providers import mail
from freehold.providers.mail import Letter, Mailbox, MailNotSent
from freehold.services.mail import outgoing, store
from freehold.services.mail.rendering import built_in, render
from freehold.services.mail.texts import language_of
from freehold.web.call import Call

_TIMEOUT_S = 8.0


async def try_server(call: Call, smtp: Mapping[str, Any]) -> str:
    """Reach the server and sign in. Gives what went wrong, or nothing."""
    try:
        server = outgoing.own_server(call.app.settings, call.project.id, smtp)
        await mail.check(server._replace(timeout_s=_TIMEOUT_S))
    except (MailNotSent, Hopeless) as error:
        return str(error)
    return ""


async def send_test(call: Call, smtp: Mapping[str, Any], to: str) -> str:
    """Send a test mail through the server. Gives what went wrong, or nothing."""
    project = await store.find_project(call.db, call.project.id)
    language = language_of(call.request.header(b"x-appwrite-locale") or call.app.settings.locale)
    values = {"project": project["name"] if project is not None else ""}
    said = render(built_in("smtpTest", language, values), language, values)
    reply_to = smtp.get("replyToEmail")
    letter = Letter(
        id=f"{ids.new_id()}.{call.project.id}",
        sender=Mailbox(smtp["senderEmail"], smtp.get("senderName") or values["project"]),
        to=Mailbox(to),
        subject=said.subject,
        text=said.text,
        html=said.html,
        reply_to=Mailbox(reply_to, smtp.get("replyToName", "")) if reply_to else None,
        language=language,
    )
    try:
        server = outgoing.own_server(call.app.settings, call.project.id, smtp)
        await mail.send(server._replace(timeout_s=_TIMEOUT_S), letter)
    except (MailNotSent, Hopeless) as error:
        return str(error)
    return ""
