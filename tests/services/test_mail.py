"""Mail and text messages: what arrives, in which language, and what becomes of what is refused."""

from __future__ import annotations

import asyncio
import email
import json
from collections.abc import Mapping
from email.policy import default

import pytest

from freehold import jobs, secrets
from freehold.config import Settings
from freehold.db.pool import Database
from freehold.services.mail import sending
from freehold.services.mail.sending import SEND_MAIL, SEND_SMS, Queued
from tests.platform import Platform, Project, running_platform, unique
from tests.postgres import Server
from tests.process.installation import until
from tests.services.inbox import USERNAME, Inbox

LINK = "https://app.example.com/verify?userId=jane&secret=0a1b2c"


def queue(
    project: Project, template: str, to: str, values: Mapping[str, str], *, name: str = "", locale: str = "en"
) -> None:
    """Queue a message, as a call does."""
    kind = SEND_SMS if to.startswith("+") else SEND_MAIL
    secret = (project.platform.installation.data / "secret").read_text().strip()
    queued = Queued(template, to, name, locale, dict(values))

    async def enqueue() -> None:
        db = Database(project.platform.database_url, size=1, statement_timeout_s=5)
        sealed = sending.seal(Settings(secret=secret), queued)
        await jobs.enqueue(db, kind, sealed, project_id=project.id)
        await db.close()

    asyncio.run(enqueue())


def jobs_of(project: Project) -> list[dict[str, object]]:
    async def fetch() -> list[dict[str, object]]:
        db = Database(project.platform.database_url, size=1, statement_timeout_s=5)
        rows = await db.rows(
            "select state, attempts, error, payload from freehold.jobs where project_id = $1", project.id
        )
        await db.close()
        return [{**dict(row.items()), "payload": bytes(row["payload"]).decode()} for row in rows]

    return asyncio.run(fetch())


@pytest.fixture
def address() -> str:
    return f"{unique('reader')}@example.com"


def test_a_mail_arrives_with_both_parts(project: Project, inbox: Inbox, address: str) -> None:
    queue(project, "verification", address, {"redirect": LINK}, name="Jane & Co")
    mail = inbox.mail_to(address)

    assert mail.username == USERNAME
    assert mail.subject == "Confirm your e-mail address for Shop"
    assert mail.message["From"] == "Shop <noreply@freehold.test>"
    assert mail.message["To"] == f"Jane & Co <{address}>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Message-ID"].endswith(f".{project.id}@freehold.test>")
    assert (mail.link, mail.parameters) == (LINK, {"userId": "jane", "secret": "0a1b2c"})
    assert "Hello Jane & Co," in mail.text
    assert "Hello Jane &amp; Co," in mail.html
    assert f'href="{LINK.replace("&", "&amp;")}"' in mail.html
    assert "{{" not in mail.text + mail.html


def test_a_text_message_arrives(project: Project, inbox: Inbox) -> None:
    queue(project, "login", "+4915550101", {"otp": "123456"})
    message = inbox.sms_to("+4915550101")

    assert message.code == "123456"
    assert message.text == "123456 is your code to sign in to Shop. Never share it."
    assert message.sender == "+15550000"


def test_what_is_queued_is_sealed(project: Project, inbox: Inbox, address: str) -> None:
    inbox.refusals[address] = ["451 4.3.0 come back later"]
    queue(project, "verification", address, {"redirect": LINK})
    until(lambda: any(job["attempts"] for job in jobs_of(project)))

    told = json.dumps(jobs_of(project))
    assert "0a1b2c" not in told
    assert address not in told
    inbox.mail_to(address)


def test_a_server_that_is_busy_is_asked_again(project: Project, inbox: Inbox, address: str) -> None:
    inbox.refusals[address] = [f"451 4.3.0 <{address}> come back later"]
    queue(project, "otpSession", address, {"otp": "654321"})

    assert inbox.mail_to(address).code == "654321"
    assert inbox.refusals[address] == []
    until(lambda: jobs_of(project) == [])


def test_what_is_refused_for_good_is_not_tried_again(
    platform: Platform, project: Project, inbox: Inbox, address: str
) -> None:
    inbox.refusals[address] = [f"550 5.1.1 no mailbox {address} here", "250 OK"]
    queue(project, "recovery", address, {"redirect": LINK})
    until(lambda: any(job["state"] == "dead" for job in jobs_of(project)))

    [job] = jobs_of(project)
    assert job["attempts"] == 1
    assert job["error"] == "Hopeless: The mail server 127.0.0.1 refuses: 550 5.1.1 no mailbox (address) here"
    log = platform.installation.log.read_text()
    assert address not in log
    assert "0a1b2c" not in log


def test_a_name_adds_no_header(project: Project, inbox: Inbox, address: str) -> None:
    values = {"team": "Reds\r\nBcc: all@example.com", "owner": "Eve\nX-Evil: 1", "redirect": LINK}
    queue(project, "invitation", address, values, name="Jane\r\nBcc: spy@example.com")
    mail = inbox.mail_to(address)

    assert set(map(str.lower, mail.message.keys())).isdisjoint({"bcc", "x-evil"})
    assert mail.subject == "Invitation to the team Reds Bcc: all@example.com at Shop"
    assert inbox.mails_to("spy@example.com") == inbox.mails_to("all@example.com") == []


def test_values_are_text_and_nothing_else(project: Project, inbox: Inbox, address: str) -> None:
    values = {
        "team": "<script>alert(1)</script>",
        "owner": "{{redirect}} {{7*7}} {0.__class__}",
        "redirect": LINK,
    }
    queue(project, "invitation", address, values)
    mail = inbox.mail_to(address)

    assert "<script>" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html
    assert "{{redirect}} {{7*7}} {0.__class__} invites you" in mail.text


def test_secrets_of_another_installation_are_not_guessed(project: Project) -> None:
    sealed = sending.seal(Settings(secret=secrets.new_secret(64)), Queued("recovery", "a@b.c", "", "en", {}))

    async def enqueue() -> None:
        db = Database(project.platform.database_url, size=1, statement_timeout_s=5)
        await jobs.enqueue(db, SEND_MAIL, sealed, project_id=project.id)
        await db.close()

    asyncio.run(enqueue())
    until(lambda: any(job["state"] == "dead" for job in jobs_of(project)))

    assert "under another secret" in str(jobs_of(project)[0]["error"])


def test_a_mail_is_in_the_language_that_was_asked_for(project: Project, inbox: Inbox, address: str) -> None:
    queue(project, "recovery", address, {"redirect": LINK}, name="Jana", locale="de-at")
    german = inbox.mail_to(address)
    queue(project, "recovery", address, {"redirect": LINK}, locale="ar-eg")
    arabic = inbox.mail_to(address)

    assert german.subject == "Setze dein Passwort für Shop zurück"
    assert german.text.startswith("Hallo Jana,")
    assert german.message["Content-Language"] == "de"
    assert 'dir="rtl"' in arabic.html
    assert arabic.subject == "إعادة تعيين كلمة المرور في Shop"


def test_without_a_server_mail_is_written_to_a_folder_with_dev_and_fails_without(postgres: Server) -> None:
    for options in (("--dev",), ()):
        with running_platform(postgres, *options) as platform:
            platform.register_root()
            project = platform.new_project()
            queue(project, "recovery", "jane@example.com", {"redirect": LINK})
            queue(project, "login", "+4915550102", {"otp": "123456"})
            folder = platform.installation.data / "mail"
            if options:
                until(lambda folder=folder: len(list(folder.glob("*.eml")) + list(folder.glob("*.txt"))) == 2)
                [written] = folder.glob("*.eml")
                message = email.message_from_bytes(written.read_bytes(), policy=default)
                assert message["Subject"] == "Reset your password for Shop"
                assert folder.stat().st_mode & 0o077 == 0
            else:
                until(lambda project=project: [job["state"] for job in jobs_of(project)] == ["dead", "dead"])
                errors = sorted(str(job["error"]) for job in jobs_of(project))
                assert "Set FREEHOLD_SMTP_HOST" in errors[0] + errors[1]
                assert "Set FREEHOLD_SMS_PROVIDER" in errors[0] + errors[1]
            assert "Mails do not leave" in platform.installation.log.read_text()
