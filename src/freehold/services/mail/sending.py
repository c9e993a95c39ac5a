"""Mails and text messages, from a call that queues one to the job that sends it.

What is queued is sealed: it holds codes and links that open accounts.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from freehold import secrets
from freehold.config import Settings
from freehold.errors import InvalidParameter
from freehold.jobs import Context, Hopeless, Job, Kind, enqueue
from freehold.providers import sms
from freehold.services.mail import letters, outgoing, store
from freehold.services.mail.errors import MailDisabled, SmsDisabled
from freehold.services.mail.rendering import built_in_sms, fill
from freehold.services.mail.templates import MAILS, SMS
from freehold.services.mail.texts import language_of
from freehold.web import devices
from freehold.web.call import Call

SEND_MAIL = "mail.send"
SEND_SMS = "sms.send"
_MOST_ATTEMPTS = 8  # about ten minutes; a code is of no use after that


class Queued(msgspec.Struct, frozen=True):
    """A mail or a text message that is to be sent."""

    template: str
    to: str
    name: str
    locale: str
    values: dict[str, str]
    user_agent: str = ""
    only_to_users: bool = False


class Sealed(msgspec.Struct, frozen=True):
    """A queued message as the job holds it."""

    sealed: str


async def send_mail(
    call: Call,
    template: str,
    to: str,
    *,
    name: str = "",
    locale: str | None = None,
    values: Mapping[str, str] | None = None,
    only_to_users: bool = False,
) -> None:
    """Send a mail once the call's transaction is committed. `templates.MAILS` says what `values` each needs.

    `name` is the receiver's. The project's name, the time, and the address and device of the caller need not
    be given. With `only_to_users` it is dropped, once nobody waits for it, when no user of the project has
    the address. The language is that of `locale`, of X-Appwrite-Locale, or the installation's. Raises
    InvalidParameter when `values["redirect"]` is a link that would run something.
    """
    if template not in MAILS:
        raise ValueError(f"There is no mail {template!r}; there are {', '.join(MAILS)}.")
    told = dict(values or {})
    if link := told.get("redirect"):
        _refuse_dangerous_link(call, link)
    here = {"ipAddress": call.ip, "dateTime": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    agent = devices.kept(call.request.header(b"user-agent"))
    queued = Queued(template, to, name, _locale(call, locale), {**here, **told}, agent, only_to_users)
    await _enqueue(call, SEND_MAIL, queued)


async def send_sms(
    call: Call, template: str, to: str, *, values: Mapping[str, str], locale: str | None = None
) -> None:
    """Send a text message once the call's transaction is committed; to a mock phone none is sent."""
    if template not in SMS:
        raise ValueError(f"There is no text message {template!r}; there are {', '.join(SMS)}.")
    if await mock_code(call, to) is None:
        await _enqueue(call, SEND_SMS, Queued(template, to, "", _locale(call, locale), dict(values)))


async def mock_code(call: Call, number: str) -> str | None:
    """The code that a phone number always has, when the project says that it is only pretended."""
    return await store.find_mock_code(call.db, call.project.id, number)


def must_send_mail(call: Call) -> None:
    """Refuse what makes no sense without mail. Raises MailDisabled."""
    settings = call.app.settings
    if not (settings.smtp_host or settings.dev or outgoing.has_own_server(call.project.settings)):
        raise MailDisabled()


async def must_send_sms(call: Call, number: str) -> None:
    """Refuse what makes no sense without text messages to this number. Raises SmsDisabled."""
    settings = call.app.settings
    if not (settings.sms_provider or settings.dev) and await mock_code(call, number) is None:
        raise SmsDisabled()


def _locale(call: Call, locale: str | None) -> str:
    return (locale or call.language or call.app.settings.locale)[:20].lower()


def _refuse_dangerous_link(call: Call, link: str) -> None:
    try:
        scheme = urlsplit(link).scheme
    except ValueError:
        scheme = ""
    own = {"http", "https", f"appwrite-callback-{call.project.id}", *call.project.schemes}
    if scheme not in own or not link.isprintable():
        reason = f"It has to begin with one of {', '.join(sorted(each + '://' for each in own))}."
        raise InvalidParameter(name="url", reason=reason)


async def _enqueue(call: Call, kind: str, queued: Queued) -> None:
    await enqueue(call.db, kind, seal(call.app.settings, queued), project_id=call.project.id)


def seal(settings: Settings, queued: Queued) -> Sealed:
    """A message as its job holds it."""
    text = msgspec.json.encode(queued).decode()
    return Sealed(base64.b64encode(secrets.seal(_key(settings), text)).decode())


def _opened(settings: Settings, job: Job) -> Queued:
    text = secrets.unseal(_key(settings), base64.b64decode(job.read(Sealed).sealed))
    if text is None:
        raise Hopeless("The message was queued under another secret of this installation.")
    return msgspec.json.decode(text, type=Queued)


def _key(settings: Settings) -> bytes:
    return secrets.derive(settings.secret, "queued messages")


async def run_mail(context: Context, job: Job) -> None:
    """Render a mail and send it. What the server refuses for good is not tried again."""
    queued = _opened(context.settings, job)
    project = await store.find_project(context.db, job.project_id)
    if project is None:
        return  # deleted meanwhile, and its users with it
    if queued.only_to_users and not await store.is_user(context.db, job.project_id, queued.to):
        return
    custom = await store.find_custom(context.db, job.project_id, queued.template, queued.locale)
    [device] = await devices.read_all([queued.user_agent])
    values = {
        "user": queued.name,
        "project": "Freehold" if job.project_id == "console" else project["name"],
        "agentClient": device.client_name,
        "agentOs": device.os_name,
        "agentDevice": device.device_name,
        **queued.values,
    }
    settings = msgspec.json.decode(project["settings"])
    way = outgoing.mail_of(context.settings, job.project_id, settings)
    language = language_of(queued.locale)
    content = letters.content(queued.template, language, values, custom)
    letter = letters.addressed(content, f"{job.id}.{job.project_id}", queued, way, values, custom, language)
    await outgoing.deliver(way, letter)


async def run_sms(context: Context, job: Job) -> None:
    """Render a text message and send it. What the provider refuses for good is not tried again."""
    queued = _opened(context.settings, job)
    project = await store.find_project(context.db, job.project_id)
    if project is None:
        return  # deleted meanwhile, and its users with it
    values = {"project": "Freehold" if job.project_id == "console" else project["name"], **queued.values}
    says = fill(built_in_sms(queued.template, language_of(queued.locale)), values)
    await outgoing.deliver_sms(
        context.settings, str(job.id), sms.Text(queued.to, context.settings.sms_sender, says)
    )


KINDS = (
    Kind(SEND_MAIL, run_mail, most_attempts=_MOST_ATTEMPTS, timeout_s=120),
    Kind(SEND_SMS, run_sms, most_attempts=_MOST_ATTEMPTS, timeout_s=60),
)
