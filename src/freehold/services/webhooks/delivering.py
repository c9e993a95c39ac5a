"""Telling webhooks what has happened: at least once, and of one resource in the order in which it happened.

What has failed is tried again later and later. A receiver that fails whatever it is told is given time, and
is disabled in the end; something that it alone does not take is given up, and lets pass what waits behind it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from freehold import __version__, secrets
from freehold.config import Settings
from freehold.db.pool import Queries, Record
from freehold.jobs import Context, Job, Kind
from freehold.providers.outside import Outside, OutsideProblem
from freehold.services.databases import told
from freehold.services.webhooks import deliveries
from freehold.services.webhooks.grammar import all_names

TIMEOUT_S = 15.0
AT_ONCE = 16
RUN_S = 60.0
"""For so long a job tells one webhook; the next one goes on, so that others have their turn."""
MOST_ATTEMPTS = 10
KEPT_DAYS = 30.0
_WAITS_S = (5, 15, 60, 300, 900, 1800, 3600, 7200, 14400)
"""How long to wait after so many failures: with the last, about eight hours."""
_BATCH = 1000
_MOST_OF_HEADER = 6000
"""Many servers refuse a header of more than 8,190 bytes."""


class Receiver(NamedTuple):
    """A webhook, as it is told things."""

    id: str
    project_id: str
    name: str
    url: str
    tls: bool
    credentials: tuple[str, str] | None
    secret: bytes
    attempts: int


def wait_s(attempts: int) -> float:
    """How long to wait after so many failures, never in step with others."""
    return _WAITS_S[min(attempts, len(_WAITS_S)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311


async def see_to(context: Context, job: Job) -> None:
    """Have each webhook told that something is due for: once more, or since its job was ending as it came."""
    for row in await deliveries.waiting(context.db):
        await deliveries.have_told(context.db, row["project_id"], row["webhook_id"])


async def forget(context: Context, job: Job) -> None:
    """Delete what nobody will be told any more."""
    while await deliveries.forget(context.db, KEPT_DAYS, _BATCH) == _BATCH:
        pass


async def deliver(context: Context, job: Job) -> None:
    """Tell one webhook what is due, until nothing is, or it fails, or others should have their turn."""
    webhook_id = job.read(deliveries.Webhook).webhook_id
    outside = Outside(
        private_hosts=context.settings.private_hosts,
        stand_in=context.settings.outside_stand_in,
        plain=True,
        anywhere=context.settings.dev,
    )
    until, after = time.monotonic() + RUN_S, ""
    try:
        while time.monotonic() < until:
            row = await deliveries.find_receiver(context.db, job.project_id, webhook_id)
            if row is None:
                return
            receiver = _receiver(context.settings, job.project_id, webhook_id, row)
            due = await deliveries.due(context.db, job.project_id, webhook_id, after, AT_ONCE)
            if not due and not after:
                return
            after = due[-1]["resource"] if len(due) == AT_ONCE else ""
            problems = await asyncio.gather(*(_tell(context, outside, receiver, each) for each in due))
            await _settle(context.db, receiver, list(zip(due, problems, strict=True)))
    finally:
        await outside.close()


async def _settle(db: Queries, receiver: Receiver, told: list[tuple[Record, str]]) -> None:
    if done := [delivery["id"] for delivery, problem in told if not problem]:
        await deliveries.settle_done(db, done)
        if receiver.attempts:
            await deliveries.note_success(db, receiver.project_id, receiver.id)
    failed = [(delivery, problem) for delivery, problem in told if problem]
    for delivery, problem in failed:
        attempts = delivery["attempts"] + 1
        wait = wait_s(attempts) if attempts < MOST_ATTEMPTS else None
        await deliveries.settle_failed(db, delivery["id"], problem, wait)
    if failed and not done:
        await _note_failure(db, receiver, failed[0][1])


async def _note_failure(db: Queries, receiver: Receiver, problem: str) -> None:
    says = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {problem}"
    wait = wait_s(receiver.attempts + 1)
    if await deliveries.note_failure(db, receiver.project_id, receiver.id, says, wait, MOST_ATTEMPTS):
        await deliveries.tell_organization(
            db,
            receiver.project_id,
            receiver.id,
            f"The webhook {receiver.name} has been disabled",
            f"It has failed {MOST_ATTEMPTS} times in a row. The last time: {problem} What it has not been"
            f" told is kept for {KEPT_DAYS:g} days; enable the webhook to have it told.",
        )


def _receiver(settings: Settings, project_id: str, webhook_id: str, row: Record) -> Receiver:
    key = secrets.derive(settings.secret, "webhooks")
    secret = secrets.unseal(key, row["secret_sealed"])
    password = row["auth_password_sealed"] and secrets.unseal(key, row["auth_password_sealed"])
    return Receiver(
        id=webhook_id,
        project_id=project_id,
        name=row["name"],
        url=row["url"],
        tls=row["tls"],
        credentials=(row["auth_username"], password or "") if row["auth_username"] or password else None,
        secret=(secret or "").encode(),
        attempts=row["attempts"],
    )


# -- one delivery ------------------------------------------------------------------------------------------


async def _tell(context: Context, outside: Outside, receiver: Receiver, delivery: Record) -> str:
    """Deliver something once. Gives what was wrong, or nothing."""
    if not receiver.secret:
        return "Its secret was kept under another secret of this installation. Set a new one."
    body = await _body(context, receiver.project_id, delivery)
    try:
        answer = await outside.call(
            "POST",
            receiver.url,
            headers=headers(receiver, delivery, body, int(time.time())),
            content=body,
            timeout_s=TIMEOUT_S,
            tls=receiver.tls,
            most_bytes=0,
        )
    except OutsideProblem as problem:
        return f"It could not be delivered: {problem}."
    if 300 <= answer.status < 400:
        return (
            f"It was answered with {answer.status}; redirects are not followed. Give the URL where they lead."
        )
    return f"It was answered with {answer.status}." if answer.status >= 400 else ""


async def _body(context: Context, project_id: str, delivery: Record) -> bytes:
    kept: msgspec.Raw = delivery["payload"] or msgspec.Raw(b"{}")
    if not (row := re.fullmatch(r"databases/(.+?)/tables/(.+?)/rows/(.+)", delivery["resource"])):
        return bytes(kept)
    database_id, table_id, row_id = row.groups()
    return await told.row(
        context.db, context.settings.secret, project_id, database_id, table_id, row_id, kept
    )


def headers(receiver: Receiver, delivery: Record, body: bytes, now_s: int) -> Mapping[str, str]:
    """What goes with a body: of what it tells, and by what the receiver knows that it comes from us."""
    key = str(delivery["key"])
    told = {
        "Content-Type": "application/json",
        "User-Agent": f"Appwrite-Server v{__version__}",
        "X-Appwrite-Webhook-Id": receiver.id,
        "X-Appwrite-Webhook-Events": _as_fit(all_names(delivery["event"])),
        "X-Appwrite-Webhook-Name": receiver.name,
        "X-Appwrite-Webhook-User-Id": delivery["actor"].removeprefix("user:")
        if delivery["actor"].startswith("user:")
        else "",
        "X-Appwrite-Webhook-Project-Id": receiver.project_id,
        "X-Appwrite-Webhook-Signature": signature(receiver.secret, receiver.url, body),
        "X-Freehold-Webhook-Signature": timed_signature(receiver.secret, now_s, body),
        "Idempotency-Key": key,
    }
    if receiver.credentials is not None:
        pair = ":".join(receiver.credentials).encode()
        told["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return {name: _one_line(value) for name, value in told.items()}


def signature(secret: bytes, url: str, body: bytes) -> str:
    """What the reference signs with: HMAC-SHA1 over the URL and the body, in base64."""
    return base64.b64encode(hmac.digest(secret, url.encode() + body, hashlib.sha1)).decode()


def timed_signature(secret: bytes, now_s: int, body: bytes) -> str:
    """`t=<seconds since 1970>,v1=<HMAC-SHA256 over that, a dot, and the body, in hexadecimal>`."""
    return f"t={now_s},v1={hmac.digest(secret, f'{now_s}.'.encode() + body, hashlib.sha256).hex()}"


def _as_fit(names: list[str]) -> str:
    """As many names as a header may hold, the most exact ones first."""
    while len(",".join(names)) > _MOST_OF_HEADER:
        names = names[:-1]
    return ",".join(names)


def _one_line(value: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in value)


KINDS = (
    Kind("webhooks.see-to", see_to, every_s=5),
    Kind("webhooks.forget", forget, every_s=3600),
    Kind(deliveries.DELIVER, deliver, most_attempts=20, timeout_s=RUN_S + 60),
)
