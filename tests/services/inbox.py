"""Where mail and text messages of the tests arrive: a local SMTP server, and an SMS vendor's HTTP server."""

from __future__ import annotations

import asyncio
import email
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    from tests.platform import Platform

ARRIVES_S = 20.0
USERNAME, MAIL_PASSWORD = "mailer", "kiwi-harbour-lantern"
SMS_TOKEN = "sms-vendor-token-4711"

T = TypeVar("T", bound="Mail | Sms")


class Sms(NamedTuple):
    """A text message that has arrived."""

    to: str
    text: str
    sender: str

    @property
    def code(self) -> str:
        """The six digits in it."""
        return _code(self.text)


class Mail(NamedTuple):
    """A mail that has arrived."""

    to: str
    message: EmailMessage
    username: str
    """Who the sending server said it was."""

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def link(self) -> str:
        """The first address in it."""
        found = re.search(r"[a-z][a-z0-9+.-]*://[^\s<>\"]+", self.text)
        assert found, f"there is no link in {self.text!r}"
        return found[0]

    @property
    def parameters(self) -> dict[str, str]:
        """Those of the link, such as userId and secret."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.link).query).items()}

    @property
    def code(self) -> str:
        """The six digits in it."""
        return _code(self.text)

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None, f"the mail has no text/{subtype}"
        return str(part.get_content())


def _code(text: str) -> str:
    found = re.search(r"(?<!\d)\d{6}(?!\d)", text)
    assert found, f"there is no code in {text!r}"
    return found[0]


class Inbox:
    """What has arrived. Each message is given once, in the order in which they came."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._mails: list[Mail] = []
        self._messages: list[Sms] = []
        self.refusals: dict[str, list[str]] = {}
        """By receiver, what the SMTP server answers instead of taking a mail, one after the other."""
        self.sms_refusals: dict[str, list[int]] = {}
        """By receiver, with which HTTP status the SMS vendor refuses, one after the other."""
        self.smtp_port = 0
        self.sms_port = 0

    @property
    def settings(self) -> dict[str, str]:
        """What an installation is told, so that what it sends arrives here."""
        return {
            "FREEHOLD_SMTP_HOST": "127.0.0.1",
            "FREEHOLD_SMTP_PORT": str(self.smtp_port),
            "FREEHOLD_SMTP_SECURITY": "none",
            "FREEHOLD_SMTP_USERNAME": USERNAME,
            "FREEHOLD_SMTP_PASSWORD": MAIL_PASSWORD,
            "FREEHOLD_SMTP_SENDER": "noreply@freehold.test",
            "FREEHOLD_SMS_PROVIDER": f"http://:{SMS_TOKEN}@127.0.0.1:{self.sms_port}/send",
            "FREEHOLD_SMS_SENDER": "+15550000",
            "FREEHOLD_PRIVATE_NETWORKS": "127.0.0.0/8",
        }

    def mail_to(self, address: str) -> Mail:
        """The next mail to an address; waits for it."""
        return self._take(self._mails, address)

    def sms_to(self, number: str) -> Sms:
        """The next text message to a number; waits for it."""
        return self._take(self._messages, number)

    def mails_to(self, address: str) -> list[Mail]:
        """The mails to an address that have arrived so far and were not taken."""
        with self._arrived:
            return [mail for mail in self._mails if mail.to == address]

    def messages_to(self, number: str) -> list[Sms]:
        """The text messages to a number that have arrived so far and were not taken."""
        with self._arrived:
            return [message for message in self._messages if message.to == number]

    def _take(self, among: list[T], to: str) -> T:
        deadline = time.monotonic() + ARRIVES_S
        with self._arrived:
            while True:
                for at, each in enumerate(among):
                    if each.to == to:
                        return among.pop(at)
                assert self._arrived.wait(deadline - time.monotonic()), f"nothing came to {to}"

    # The servers' side

    async def handle_DATA(self, _: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        if waiting := self.refusals.get(to):
            return waiting.pop(0)
        content = cast(bytes, envelope.content)
        message = cast(EmailMessage, email.message_from_bytes(content, policy=default))
        with self._arrived:
            self._mails.append(Mail(to, message, session.auth_data or ""))
            self._arrived.notify_all()
        return "250 OK"

    async def receive_sms(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {SMS_TOKEN}":
            return web.Response(status=401)
        told = await request.json()
        if waiting := self.sms_refusals.get(told["to"]):
            return web.Response(status=waiting.pop(0))
        with self._arrived:
            self._messages.append(Sms(told["to"], told["text"], told["from"]))
            self._arrived.notify_all()
        return web.Response(status=201)


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, told: LoginPassword
) -> AuthResult:
    known = {USERNAME: MAIL_PASSWORD, "project-mailer": "project-password"}
    name, password = told.login.decode(), told.password.decode()
    return AuthResult(success=known.get(name) == password, handled=False, auth_data=name)


@contextmanager
def running_inbox() -> Iterator[Inbox]:
    """Start both servers in a thread of their own."""
    inbox = Inbox()
    loop = asyncio.new_event_loop()

    def smtp() -> SMTP:
        return SMTP(inbox, hostname="inbox.test", authenticator=_authenticate, auth_require_tls=False,
                    enable_SMTPUTF8=True, loop=loop)  # fmt: skip

    async def start() -> Callable[[], None]:
        mails = await loop.create_server(smtp, "127.0.0.1", 0)
        inbox.smtp_port = mails.sockets[0].getsockname()[1]
        application = web.Application()
        application.router.add_post("/send", inbox.receive_sms)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        inbox.sms_port = runner.addresses[0][1]
        return mails.close

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    close = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield inbox
    finally:
        loop.call_soon_threadsafe(close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="session")
def inbox(platform: Platform) -> Inbox:
    """Where what the platform sends arrives."""
    assert platform.inbox is not None
    return platform.inbox
