"""The vendors of text messages: what each is sent, and what we make of its answer."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from aiohttp import web

from freehold.config import SMS_VENDORS
from freehold.providers import sms

TEXT = sms.Text(to="+4915550101", sender="Shop", says="123456 is your code")


class Seen(NamedTuple):
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Vendor:
    """A vendor's server, that answers what it is told to."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.status = 200
        self.answer: dict[str, Any] = {"messages": [{"status": "0"}]}
        self.base = ""

    async def receive(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict(await request.post())
        self.seen.append(Seen(request.path, dict(request.headers), body))
        return web.json_response(self.answer, status=self.status)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    served = Vendor()
    application = web.Application()
    application.router.add_post("/{path:.*}", served.receive)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await runner.cleanup()


BASIC = "Basic " + base64.b64encode(b"user:se/cret").decode()
SENT = {
    "twilio": (
        "/2010-04-01/Accounts/user/Messages.json",
        {"Authorization": BASIC},
        {"To": "+4915550101", "From": "Shop", "Body": TEXT.says},
    ),
    "vonage": (
        "/sms/json",
        {},
        {"to": "4915550101", "from": "Shop", "text": TEXT.says, "api_key": "user", "api_secret": "se/cret",
         "type": "unicode"},
    ),
    "msg91": (
        "/api/v5/flow/",
        {"authkey": "se/cret"},
        {"sender": "Shop", "template_id": "user",
         "recipients": [{"mobiles": "4915550101", "content": TEXT.says}]},
    ),
    "telesign": (
        "/v1/messaging",
        {"Authorization": BASIC},
        {"phone_number": "4915550101", "message": TEXT.says, "message_type": "OTP"},
    ),
    "textmagic": (
        "/api/v2/messages",
        {"X-TM-Username": "user", "X-TM-Key": "se/cret"},
        {"phones": "4915550101", "text": TEXT.says, "from": "Shop"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SENT)
async def test_each_vendor_is_asked_in_its_own_words(vendor: Vendor, name: str) -> None:
    await sms.send(sms.account_of(f"{name}://user:se%2Fcret@?base={vendor.base}"), TEXT)
    [seen] = vendor.seen
    path, headers, body = SENT[name]

    assert seen.path == path
    assert seen.body == body
    assert {key: seen.headers[key] for key in headers} == headers


async def test_a_server_of_ones_own_is_sent_json(vendor: Vendor) -> None:
    await sms.send(sms.account_of(vendor.base.replace("://", "://:token@") + "/send"), TEXT)
    [seen] = vendor.seen

    assert seen.path == "/send"
    assert seen.headers["Authorization"] == "Bearer token"
    assert seen.body == {"to": TEXT.to, "from": "Shop", "text": TEXT.says}


@pytest.mark.parametrize(
    ("status", "is_temporary"),
    [(400, False), (401, False), (302, False), (429, True), (500, True), (503, True)],
)
async def test_a_refusal_is_told_without_number_or_secret(
    vendor: Vendor, status: int, is_temporary: bool
) -> None:
    vendor.status = status
    with pytest.raises(sms.SmsNotSent) as refused:
        await sms.send(sms.account_of(f"twilio://user:se%2Fcret@?base={vendor.base}"), TEXT)

    assert str(refused.value) == f"The SMS provider twilio refuses the message (HTTP {status})."
    assert refused.value.is_temporary is is_temporary


@pytest.mark.parametrize(("status", "is_temporary"), [("1", True), ("4", False)])
async def test_a_refusal_in_an_answer_that_looks_well_is_found(
    vendor: Vendor, status: str, is_temporary: bool
) -> None:
    vendor.answer = {"messages": [{"status": status, "error-text": "no"}]}
    with pytest.raises(sms.SmsNotSent) as refused:
        await sms.send(sms.account_of(f"vonage://user:se%2Fcret@?base={vendor.base}"), TEXT)

    assert refused.value.is_temporary is is_temporary


async def test_a_vendor_that_is_not_there_may_be_there_later() -> None:
    with pytest.raises(sms.SmsNotSent) as refused:
        await sms.send(sms.account_of("twilio://user:secret@?base=http://127.0.0.1:1"), TEXT)

    assert refused.value.is_temporary


@pytest.mark.parametrize("url", ["pigeon://a:b@", "twilio://", "twilio://only@", "https://"])
def test_an_account_that_lacks_something_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"needed|vendor|host"):
        sms.account_of(url)


def test_the_settings_know_the_same_vendors() -> None:
    assert set(SMS_VENDORS) == set(sms.VENDORS)
