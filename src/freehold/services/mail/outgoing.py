"""The ways out: the project's own SMTP server, the installation's, or with --dev a folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple, cast

from freehold import secrets
from freehold.config import Settings
from freehold.jobs import Hopeless
from freehold.providers import mail, sms
from freehold.providers.mail import Letter, Mailbox, MailNotSent, Security, Server


class Way(NamedTuple):
    """How a project's mail leaves, and from whom it comes."""

    server: Server | None
    """None: it is written to the folder."""
    folder: Path
    sender: Mailbox
    reply_to: Mailbox | None
    is_own: bool = False
    """Whether it is the project's own, which may say that mail comes from whatever address."""


def has_own_server(settings: Mapping[str, Any]) -> bool:
    """Tell whether a project's mail leaves through its own SMTP server."""
    smtp = settings.get("smtp")
    return bool(smtp and smtp.get("enabled"))


def mail_of(settings: Settings, project_id: str, of_project: Mapping[str, Any]) -> Way:
    """The way of a project's mail. Raises Hopeless when there is none."""
    folder = settings.data / "mail"
    if has_own_server(of_project):
        smtp = of_project["smtp"]
        reply_to = smtp.get("replyToEmail")
        return Way(
            own_server(settings, project_id, smtp),
            folder,
            Mailbox(smtp["senderEmail"], smtp.get("senderName", "")),
            Mailbox(reply_to, smtp.get("replyToName", "")) if reply_to else None,
            is_own=True,
        )
    if not settings.smtp_host and not settings.dev:
        raise Hopeless(
            "No mail server is set up. Set FREEHOLD_SMTP_HOST (see docs/mail.md), or the project's own."
        )
    return Way(_installation_server(settings), folder, _mailbox(settings.smtp_sender),
               _mailbox(settings.smtp_reply_to) if settings.smtp_reply_to else None)  # fmt: skip


def _installation_server(settings: Settings) -> Server | None:
    if not settings.smtp_host:
        return None
    security = cast(Security, settings.smtp_security)
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port or mail.PORTS[security],
        security=security,
        username=settings.smtp_username,
        password=settings.smtp_password,
    )


_SECURITY: dict[str, Security] = {"tls": "starttls", "ssl": "tls", "": "none"}
"""The wire calls STARTTLS tls, and TLS from the start ssl."""


def own_server(settings: Settings, project_id: str, smtp: Mapping[str, Any]) -> Server:
    """A project's own SMTP server. Raises Hopeless when its password does not open."""
    security = _SECURITY[smtp.get("secure", "")]
    password = ""
    if sealed := smtp.get("passwordSealed"):
        opened = secrets.unseal(password_key(settings, project_id), bytes.fromhex(sealed))
        if opened is None:
            raise Hopeless("The SMTP password was kept under another secret. Set it again.")
        password = opened
    return Server(
        host=smtp["host"],
        port=smtp.get("port") or mail.PORTS[security],
        security=security,
        username=smtp.get("username", ""),
        password=password,
        allowed=settings.private_networks,
    )


def password_key(settings: Settings, project_id: str) -> bytes:
    """The key that a project's SMTP password is sealed under."""
    return secrets.derive(settings.secret, f"smtp password of {project_id}")


def sealed_password(settings: Settings, project_id: str, password: str) -> str:
    """A project's SMTP password as its settings keep it; nothing for none."""
    return secrets.seal(password_key(settings, project_id), password).hex() if password else ""


async def deliver(way: Way, letter: Letter) -> None:
    """Send a letter, or write it down. Raises Hopeless, or MailNotSent when it may succeed later."""
    if way.server is None:
        await asyncio.to_thread(_write, way.folder / f"{letter.id}.eml", bytes(mail.compose(letter)))
        return
    try:
        await mail.send(way.server, letter)
    except MailNotSent as error:
        if error.is_temporary:
            raise
        raise Hopeless(str(error)) from None


async def deliver_sms(settings: Settings, text_id: str, text: sms.Text) -> None:
    """Send a text message, or write it down. Raises Hopeless, or SmsNotSent when it may succeed later."""
    if not settings.sms_provider:
        if not settings.dev:
            raise Hopeless("No SMS provider is set up. Set FREEHOLD_SMS_PROVIDER (see docs/mail.md).")
        written = f"To: {text.to}\n\n{text.says}\n"
        await asyncio.to_thread(_write, settings.data / "mail" / f"{text_id}.sms.txt", written.encode())
        return
    try:
        await sms.send(sms.account_of(settings.sms_provider), text)
    except sms.SmsNotSent as error:
        if error.is_temporary:
            raise
        raise Hopeless(str(error)) from None


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _mailbox(text: str) -> Mailbox:
    name, address = parseaddr(text)
    return Mailbox(address, name)


def lacks(settings: Settings) -> list[str]:
    """What keeps messages from leaving, for the operator to be told at the start."""
    instead = f"; they are written to {settings.data / 'mail'}" if settings.dev else " and fail"
    lacks = []
    if not settings.smtp_host:
        lacks.append(f"Mails do not leave{instead}. Set FREEHOLD_SMTP_HOST, see docs/mail.md.")
    if not settings.sms_provider:
        lacks.append(f"Text messages do not leave{instead}. Set FREEHOLD_SMS_PROVIDER, see docs/mail.md.")
    return lacks
