"""Mails in a project's own words: read, changed, and given up for ours again."""

from __future__ import annotations

from typing import NamedTuple

from freehold.db.pool import Record
from freehold.services.mail import store
from freehold.services.mail.rendering import built_in
from freehold.services.mail.texts import DEFAULT, language_of
from freehold.web.call import Call


class Changes(NamedTuple):
    """What is to be said differently. None stays; the empty text goes back to ours."""

    subject: str | None
    message: str | None
    sender_name: str | None
    sender_email: str | None
    reply_to_name: str | None
    reply_to_email: str | None


class Wording(NamedTuple):
    """A mail as a project has it: its own words, and ours where it says nothing."""

    template: str
    locale: str
    subject: str
    message: str
    sender_name: str = ""
    sender_email: str = ""
    reply_to_name: str = ""
    reply_to_email: str = ""


def default_wording(template: str, locale: str) -> Wording:
    """Our own mail."""
    own = built_in(template, language_of(locale))
    return Wording(template, locale, own.subject, own.message)


async def read_template(call: Call, template: str, locale: str) -> Wording:
    """A mail as the project has it in this locale."""
    row = await store.find_template(call.db, call.project.id, template, _kept(locale))
    return default_wording(template, locale) if row is None else _wording(row)


async def own_templates(call: Call, limit: int, offset: int) -> list[Wording]:
    """The mails that the project has words of its own for."""
    rows = await store.fetch_templates(call.db, call.project.id, limit=limit, offset=offset)
    return [_wording(row) for row in rows]


async def count_templates(call: Call) -> int:
    """How many mails the project has words of its own for."""
    return await store.count_templates(call.db, call.project.id)


async def change_template(call: Call, template: str, locale: str, changes: Changes) -> Wording:
    """Say some of a mail differently. What is said in English is said in every language without its own."""
    return _wording(await store.set_template(call.db, call.project.id, template, _kept(locale), changes))


async def reset_template(call: Call, template: str, locale: str) -> bool:
    """Go back to our own words. Whether the project had any."""
    return await store.delete_template(call.db, call.project.id, template, _kept(locale)) is not None


def _kept(locale: str) -> str:
    return "" if locale == DEFAULT else locale


def _wording(row: Record) -> Wording:
    own = default_wording(row["template"], row["locale"] or DEFAULT)
    return Wording(
        own.template,
        own.locale,
        row["subject"] or own.subject,
        row["message"] or own.message,
        row["sender_name"] or "",
        row["sender_email"] or "",
        row["reply_to_name"] or "",
        row["reply_to_email"] or "",
    )
