"""Endpoints of the project's own SMTP server."""

from __future__ import annotations

import asyncio

import msgspec

from freehold import events
from freehold.services import mail
from freehold.services.project import store
from freehold.services.project.current import current_project
from freehold.services.project.errors import SmtpInvalid
from freehold.services.project.mail_models import CreateSmtpTest, UpdateSmtp
from freehold.services.projects import Project
from freehold.services.users import checked_email
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.projects import project_tag

routes = Routes("project", console=False)


@routes.patch(
    "/v1/project/smtp",
    scope="project.write",
    emits="projects.[projectId].smtp.update",
    aliases=("/v1/projects/{projectId}/smtp",),
    name="updateSMTP",
    raises=(SmtpInvalid,),
)
async def update_smtp(call: Call, body: UpdateSmtp) -> Project:
    """Set the SMTP server that the project's mail leaves through. One that is enabled is tried first; its
    password is kept encrypted, and never shown."""
    kept = call.project.settings.get("smtp", {})
    smtp = _changed(call, kept, body)
    if smtp["enabled"]:
        await _must_answer(call, smtp)
    async with call.app.db.transaction() as transaction:
        await store.set_smtp(transaction, call.project.id, msgspec.json.encode(smtp))
        call.db = transaction
        project = await current_project(call)
        name = f"projects.{call.project.id}.smtp.update"
        await events.record(
            transaction, events.Event(call.project.id, name, msgspec.json.encode(project), call.cause)
        )
    call.changed(project_tag(call.project.id))
    return project


@routes.post(
    "/v1/project/smtp/tests",
    scope="project.write",
    status=204,
    aliases=("/v1/projects/{projectId}/smtp/tests",),
    name="createSMTPTest",
    raises=(SmtpInvalid,),
)
async def create_smtp_test(call: Call, body: CreateSmtpTest) -> None:
    """Send a test mail through the project's SMTP server, and say what came of it."""
    told = UpdateSmtp(
        host=body.host,
        port=body.port,
        username=body.username,
        password=body.password,
        sender_email=body.sender_email,
        sender_name=body.sender_name,
        reply_to_email=body.reply_to,
        secure=body.secure,
    )
    smtp = _changed(call, {}, told) if body.host else call.project.settings.get("smtp", {})
    if not smtp.get("host") or not smtp.get("senderEmail"):
        raise SmtpInvalid(reason="the project has none. Set its host and the sender's address first.")
    sending = (mail.send_test(call, smtp, checked_email(each)) for each in dict.fromkeys(body.emails))
    for failure in await asyncio.gather(*sending):
        if failure:
            raise SmtpInvalid(reason=failure)


def _changed(call: Call, kept: dict[str, object], told: UpdateSmtp) -> dict[str, object]:
    """The settings of the server, after what was told. Raises SmtpInvalid, InvalidParameter."""
    said = {
        "host": told.host,
        "port": told.port,
        "username": told.username,
        "senderEmail": checked_email(told.sender_email) if told.sender_email else told.sender_email,
        "senderName": told.sender_name,
        "replyToEmail": checked_email(told.reply_to_email) if told.reply_to_email else told.reply_to_email,
        "replyToName": told.reply_to_name,
        "secure": told.secure,
        "enabled": told.enabled,
    }
    smtp = {"enabled": False, **kept, **{name: value for name, value in said.items() if value is not None}}
    if told.host is not None and told.host != kept.get("host") and told.password is None:
        smtp.pop("passwordSealed", None)  # a password is not handed to another server than it was given for
    if told.password is not None:
        smtp["passwordSealed"] = mail.sealed_password(call.app.settings, call.project.id, told.password)
    if smtp["enabled"] and not (smtp.get("host") and smtp.get("senderEmail")):
        raise SmtpInvalid(reason="its host and the sender's address are required.")
    return smtp


async def _must_answer(call: Call, smtp: dict[str, object]) -> None:
    if failure := await mail.try_server(call, smtp):
        raise SmtpInvalid(reason=failure)
