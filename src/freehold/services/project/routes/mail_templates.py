"""Endpoints of the mails that a project writes itself."""

from __future__ import annotations

from freehold.db.queries import page, parse
from freehold.errors import InvalidParameter, InvalidQuery
from freehold.services import mail
from freehold.services.locale import LOCALES
from freehold.services.project.errors import TemplateIsOurs
from freehold.services.project.mail_models import (
    EmailTemplate,
    EmailTemplateList,
    LocaleQuery,
    ResetEmailTemplate,
    TemplateChanges,
    TemplateId,
    UpdateEmailTemplate,
)
from freehold.services.users import checked_email
from freehold.web.call import Call
from freehold.web.endpoint import Routes
from freehold.web.wire import ListQuery

routes = Routes("project", console=False)

_OF_OLD = "/v1/projects/{projectId}/templates/email/{templateId}/{locale}"
_MOST_LISTED = 100  # a message has up to 10 MB


@routes.get("/v1/project/templates/email", scope="templates.read")
async def list_email_templates(call: Call, query: ListQuery) -> EmailTemplateList:
    """List the mails that the project has texts of its own for."""
    asked = page(parse(query.queries))
    if asked.filters or asked.orders or asked.cursor or asked.select:
        raise InvalidQuery(reason="this list is asked by `limit` and `offset` only.")
    limit = min(asked.limit, _MOST_LISTED)
    return EmailTemplateList(
        total=await mail.count_templates(call) if query.total else 0,
        templates=[as_email_template(each) for each in await mail.own_templates(call, limit, asked.offset)],
    )


@routes.patch(
    "/v1/project/templates/email",
    scope="templates.write",
    event="templates.[templateId].update",
    aliases=("/v1/projects/{projectId}/templates/email",),
)
async def update_email_template(call: Call, body: UpdateEmailTemplate) -> EmailTemplate:
    """Write a mail in the project's own words. Without a locale they are those for every language.

    In subject and message `{{user}}`, `{{project}}`, `{{redirect}}`, `{{otp}}`, `{{team}}` and `{{owner}}`
    are filled where the mail has them. The sender's address counts with an SMTP server of the project's own.
    """
    return await _update(call, body.template_id, body.locale, body)


@routes.patch(_OF_OLD, scope="templates.write", event="templates.[templateId].update", reference=False)
async def update_email_template_of_old(
    call: Call, project_id: str, template_id: TemplateId, locale: str, body: TemplateChanges
) -> EmailTemplate:
    """Write a mail in the project's own words, as older SDKs do."""
    return await _update(call, template_id, locale, body)


@routes.get(
    "/v1/project/templates/email/{templateId}",
    scope="templates.read",
    aliases=(_OF_OLD,),
)
async def get_email_template(call: Call, template_id: TemplateId, query: LocaleQuery) -> EmailTemplate:
    """Get a mail as the project writes it, or as we do where it says nothing."""
    locale = checked_locale(call.parameters.get("locale", "") or query.locale)
    return as_email_template(await mail.read_template(call, template_id, locale))


@routes.delete(
    "/v1/projects/{projectId}/templates/email",
    scope="templates.write",
    event="templates.[templateId].update",
    raises=(TemplateIsOurs,),
    older={"type": "templateId"},
)
async def delete_email_template(call: Call, project_id: str, body: ResetEmailTemplate) -> EmailTemplate:
    """Go back to our own mail."""
    return await _delete(call, body.template_id, body.locale)


@routes.delete(
    _OF_OLD,
    scope="templates.write",
    event="templates.[templateId].update",
    raises=(TemplateIsOurs,),
    reference=False,
)
async def delete_email_template_of_old(
    call: Call, project_id: str, template_id: TemplateId, locale: str
) -> EmailTemplate:
    """Go back to our own mail, as older SDKs do."""
    return await _delete(call, template_id, locale)


async def _update(call: Call, template_id: str, locale: str, told: TemplateChanges) -> EmailTemplate:
    for address in (told.sender_email, told.reply_to_email):
        if address:
            checked_email(address)
    call.event_ids["templateId"] = template_id
    changes = mail.Changes(
        told.subject,
        told.message,
        told.sender_name,
        told.sender_email,
        told.reply_to_name,
        told.reply_to_email,
    )
    return as_email_template(await mail.change_template(call, template_id, checked_locale(locale), changes))


async def _delete(call: Call, template_id: str, locale: str) -> EmailTemplate:
    call.event_ids["templateId"] = template_id
    locale = checked_locale(locale)
    if not await mail.reset_template(call, template_id, locale):
        raise TemplateIsOurs()
    return as_email_template(await mail.read_template(call, template_id, locale))


def checked_locale(locale: str) -> str:
    """The locale. Raises InvalidParameter for one that is not known."""
    if locale not in LOCALES:
        raise InvalidParameter(name="locale", reason=f"It has to be one of {', '.join(LOCALES)}.")
    return locale


def as_email_template(said: mail.Wording) -> EmailTemplate:
    """A mail as the wire has it."""
    return EmailTemplate(
        template_id=said.template,
        locale=said.locale,
        message=said.message,
        sender_name=said.sender_name,
        sender_email=said.sender_email,
        reply_to_email=said.reply_to_email,
        reply_to_name=said.reply_to_name,
        subject=said.subject,
    )
