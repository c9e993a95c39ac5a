"""What a letter says and from whom it comes: our own template, or what the project puts in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freehold.db.pool import Record
from freehold.providers.mail import Letter, Mailbox
from freehold.services.mail.rendering import Draft, Rendered, Values, built_in, render

if TYPE_CHECKING:
    from freehold.services.mail.outgoing import Way
    from freehold.services.mail.sending import Queued


def content(template: str, language: str, values: Values, custom: Record | None) -> Rendered:
    """The subject and both bodies of a mail."""
    own = built_in(template, language, values)
    if custom is None:
        return render(own, language, values)
    draft = Draft(custom["subject"] or own.subject, custom["message"] or own.message)
    return render(draft, language, values)


def addressed(
    said: Rendered,
    letter_id: str,
    queued: Queued,
    way: Way,
    values: Values,
    custom: Record | None,
    language: str,
) -> Letter:
    """The letter with its addresses: those of the template win over those of the server."""
    sender, reply_to = way.sender, way.reply_to
    if custom is not None:
        address = custom["sender_email"] if way.is_own else None
        sender = Mailbox(address or sender.address, custom["sender_name"] or sender.name)
        if custom["reply_to_email"]:
            reply_to = Mailbox(custom["reply_to_email"], custom["reply_to_name"] or "")
    return Letter(
        id=letter_id,
        sender=sender if sender.name else sender._replace(name=values.get("project", "")),
        to=Mailbox(queued.to, queued.name),
        subject=said.subject,
        text=said.text,
        html=said.html,
        reply_to=reply_to,
        language=language,
    )
