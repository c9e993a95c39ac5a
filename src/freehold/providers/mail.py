"""Sending mail over SMTP: one letter, one connection, and a plain word about what went wrong."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import localtime
from typing import Literal, NamedTuple

import aiosmtplib

from freehold.providers.reach import OutOfReach, connected

Security = Literal["none", "starttls", "tls"]
PORTS: dict[str, int] = {"none": 25, "starttls": 587, "tls": 465}
"""Where a server listens when nothing else is said."""


class MailNotSent(Exception):
    """The letter has not left. The message says why and names neither addresses nor secrets."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary
        """Whether the same may succeed later."""


class Mailbox(NamedTuple):
    """An address, and whose it is."""

    address: str
    name: str = ""


class Server(NamedTuple):
    """An SMTP server, and how to speak with it."""

    host: str
    port: int
    security: Security
    username: str = ""
    password: str = ""
    timeout_s: float = 15.0
    allowed: Sequence[str] | None = None
    """The private networks that it may lie in; None is anywhere, as for a server that the operator named."""


class Letter(NamedTuple):
    """One mail to one person, as text and as HTML."""

    id: str
    """Stays the same when it is sent again, so that receivers can tell."""
    sender: Mailbox
    to: Mailbox
    subject: str
    text: str
    html: str
    reply_to: Mailbox | None = None
    language: str = "en"


async def send(server: Server, letter: Letter) -> None:
    """Send a letter. Raises MailNotSent."""
    message = compose(letter)
    async with _spoken_with(server) as smtp:
        await smtp.send_message(message, sender=letter.sender.address, recipients=[letter.to.address])


async def check(server: Server) -> None:
    """See whether the server is there and lets us in. Raises MailNotSent."""
    async with _spoken_with(server) as smtp:
        await smtp.noop()


@asynccontextmanager
async def _spoken_with(server: Server) -> AsyncIterator[aiosmtplib.SMTP]:
    """A conversation with the server, in which what goes wrong is said plainly."""
    try:
        async with asyncio.timeout(server.timeout_s * 4), await _session(server) as smtp:
            yield smtp
    except OutOfReach as error:
        raise MailNotSent(str(error), is_temporary=True) from None
    except aiosmtplib.SMTPAuthenticationError as error:
        says = f"The mail server {server.host} refuses the user name or the password ({error.code})."
        raise MailNotSent(says, is_temporary=_is_temporary(error.code)) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = error.recipients[0]
        says = f"The mail server {server.host} refuses the recipient: {_reply(refused.code, refused.message)}"
        raise MailNotSent(says, is_temporary=_is_temporary(refused.code)) from None
    except aiosmtplib.SMTPResponseException as error:
        says = f"The mail server {server.host} refuses: {_reply(error.code, error.message)}"
        raise MailNotSent(says, is_temporary=_is_temporary(error.code)) from None
    except aiosmtplib.SMTPNotSupported as error:
        says = f"The mail server {server.host} cannot do what is asked: {_plain(str(error))}"
        raise MailNotSent(says, is_temporary=False) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        if type(error) is aiosmtplib.SMTPException:  # as when STARTTLS is missing
            says = f"The mail server {server.host} cannot do what is asked: {_plain(str(error))}"
            raise MailNotSent(says, is_temporary=False) from None
        says = f"The mail server {server.host}:{server.port} cannot be reached ({_cause(error)})."
        raise MailNotSent(says, is_temporary=True) from None


async def _session(server: Server) -> aiosmtplib.SMTP:
    connection = await connected(server.host, server.port, timeout_s=server.timeout_s, allowed=server.allowed)
    return aiosmtplib.SMTP(
        hostname=server.host,
        sock=connection,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        username=server.username or None,
        password=server.password or None,
        timeout=server.timeout_s,
        local_hostname="localhost",
    )


def compose(letter: Letter) -> EmailMessage:
    """The letter as it goes over the wire. Raises MailNotSent for an address that is none."""
    message = EmailMessage(policy=WIRE)
    message["From"] = _address(letter.sender)
    message["To"] = _address(letter.to)
    if letter.reply_to is not None:
        message["Reply-To"] = _address(letter.reply_to)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = localtime()
    message["Message-ID"] = f"<{letter.id}@{_domain(letter.sender.address)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = one_line(letter.language)  # at the end: the parts take such headers along
    return message


def one_line(text: str) -> str:
    """A text for a header: no line breaks, no control characters, at most 250 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:250]


def _address(mailbox: Mailbox) -> Address:
    local, at, _ = mailbox.address.rpartition("@")
    if not local or not at or one_line(mailbox.address) != mailbox.address or " " in mailbox.address:
        raise MailNotSent("An address of the letter is none.", is_temporary=False)
    try:
        return Address(one_line(mailbox.name), addr_spec=f"{local}@{_domain(mailbox.address)}")
    except (ValueError, IndexError):
        raise MailNotSent("An address of the letter is none.", is_temporary=False) from None


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        raise MailNotSent("The domain of an address is none.", is_temporary=False) from None


def _is_temporary(code: int) -> bool:
    return not 500 <= code < 600


def _reply(code: int, message: str) -> str:
    return f"{code} {_plain(message)}"


_ADDRESS = re.compile(r"[^\s<>()\"':,;]+@[^\s<>()\"':,;]+")


def _plain(text: str) -> str:
    """What a server says, without the addresses that it repeats."""
    return _ADDRESS.sub("(address)", one_line(text))[:200]


def _cause(error: BaseException) -> str:
    inner = error.__cause__ or error
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {inner.verify_message}"
    if isinstance(inner, ssl.SSLError):
        return f"TLS fails: {inner.reason or 'the server does not speak it'}"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return "no answer in time" if isinstance(inner, TimeoutError) else type(inner).__name__
