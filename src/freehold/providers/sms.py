"""Sending text messages: one table of vendors, and one function that speaks HTTP with them.

A vendor is chosen with a URL such as `twilio://SID:TOKEN@` (see VENDORS), or is any HTTP server of your own:
`https://:TOKEN@sms.example.com/send` is sent `{"to", "from", "text"}` as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

import aiohttp
import msgspec

TIMEOUT_S = 15.0


class SmsNotSent(Exception):
    """The message has not left. The text says why and names neither numbers nor secrets."""

    def __init__(self, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary


class Account(NamedTuple):
    """A vendor's account, as its URL says it."""

    vendor: str
    base: str
    user: str
    secret: str
    options: dict[str, str]


class Text(NamedTuple):
    """A message: to whom and from whom (`+` and digits, or a name), and what it says."""

    to: str
    sender: str
    says: str

    @property
    def digits(self) -> str:
        return self.to.removeprefix("+")


class Ask(NamedTuple):
    """What a vendor is asked."""

    path: str
    headers: dict[str, str] = {}
    form: dict[str, str] | None = None
    json: dict[str, Any] | None = None
    basic: bool = False
    """Whether user and secret go along as HTTP's basic authorization."""


class Vendor(NamedTuple):
    base: str
    ask: Callable[[Account, Text], Ask]
    refusal: Callable[[Any], tuple[str, bool] | None] = lambda _: None
    """What an answer of 200 says went wrong, and whether it may pass."""


def _twilio(account: Account, text: Text) -> Ask:
    sender = "MessagingServiceSid" if text.sender.startswith("MG") else "From"
    form = {"To": text.to, sender: text.sender, "Body": text.says}
    return Ask(f"/2010-04-01/Accounts/{quote(account.user)}/Messages.json", form=form, basic=True)


def _vonage(account: Account, text: Text) -> Ask:
    form = {"to": text.digits, "from": text.sender.removeprefix("+"), "text": text.says,
            "api_key": account.user, "api_secret": account.secret, "type": "unicode"}  # fmt: skip
    return Ask("/sms/json", form=form)


def _vonage_refusal(answer: Any) -> tuple[str, bool] | None:
    messages = answer.get("messages") if isinstance(answer, dict) else None
    status = str(messages[0].get("status", "")) if messages else "unknown"
    return None if status == "0" else (f"status {status[:20]}", status in ("1", "5"))


def _msg91(account: Account, text: Text) -> Ask:
    recipient = {"mobiles": text.digits, "content": text.says}
    json = {"sender": text.sender, "template_id": account.user, "recipients": [recipient]}
    return Ask("/api/v5/flow/", headers={"authkey": account.secret}, json=json)


def _telesign(account: Account, text: Text) -> Ask:
    form = {"phone_number": text.digits, "message": text.says, "message_type": "OTP"}
    return Ask("/v1/messaging", form=form, basic=True)


def _textmagic(account: Account, text: Text) -> Ask:
    headers = {"X-TM-Username": account.user, "X-TM-Key": account.secret}
    form = {"phones": text.digits, "text": text.says, **({"from": text.sender} if text.sender else {})}
    return Ask("/api/v2/messages", headers=headers, form=form)


def _own(account: Account, text: Text) -> Ask:
    headers = {"Authorization": f"Bearer {account.secret}"} if account.secret else {}
    return Ask("", headers=headers, json={"to": text.to, "from": text.sender, "text": text.says})


VENDORS: dict[str, Vendor] = {
    "twilio": Vendor("https://api.twilio.com", _twilio),
    "vonage": Vendor("https://rest.nexmo.com", _vonage, _vonage_refusal),
    "msg91": Vendor("https://api.msg91.com", _msg91),
    "telesign": Vendor("https://rest-ww.telesign.com", _telesign),
    "textmagic": Vendor("https://rest.textmagic.com", _textmagic),
    "https": Vendor("", _own),
    "http": Vendor("", _own),
}
"""In `scheme://user:secret@`, user and secret are: twilio SID:token, vonage key:secret, msg91
template:authkey, telesign customer:key, textmagic user:key. `?base=https://...` names another server than the
vendor's."""


def account_of(url: str) -> Account:
    """Read the URL of an account. Raises ValueError when it names no vendor, or lacks what one needs."""
    parts = urlsplit(url)
    if parts.scheme not in VENDORS:
        raise ValueError(f"the vendor has to be one of {', '.join(VENDORS)}")
    user, secret = unquote(parts.username or ""), unquote(parts.password or "")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme in ("http", "https"):
        host = parts.netloc.rpartition("@")[2]
        if not host:
            raise ValueError("the URL has no host")
        query = f"?{parts.query}" if parts.query else ""
        return Account(parts.scheme, f"{parts.scheme}://{host}{parts.path}{query}", user, secret, {})
    if not user or not secret:
        raise ValueError(f"{parts.scheme}://USER:SECRET@ is needed")
    return Account(parts.scheme, options.pop("base", VENDORS[parts.scheme].base), user, secret, options)


async def send(account: Account, text: Text) -> None:
    """Send a text message. Raises SmsNotSent."""
    vendor = VENDORS[account.vendor]
    ask = vendor.ask(account, text)
    auth = aiohttp.BasicAuth(account.user, account.secret) if ask.basic else None
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
            session.post(
                account.base + ask.path, headers=ask.headers, data=ask.form, json=ask.json, auth=auth,
                allow_redirects=False,
            ) as answer,
        ):  # fmt: skip
            status, body = answer.status, await answer.content.read(65_536)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        says = f"The SMS provider {account.vendor} cannot be reached ({type(error).__name__})."
        raise SmsNotSent(says, is_temporary=True) from None
    if not 200 <= status < 300:
        says = f"The SMS provider {account.vendor} refuses the message (HTTP {status})."
        raise SmsNotSent(says, is_temporary=status in (408, 425, 429) or status >= 500)
    if refusal := vendor.refusal(_decoded(body)):
        says = f"The SMS provider {account.vendor} refuses the message ({refusal[0]})."
        raise SmsNotSent(says, is_temporary=refusal[1])


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
