"""Tokens: secrets that are sent to somebody, or given to a server, and handed in once.

The database has digests alone, under the installation's secret: a code of six digits could be found by
trying them all otherwise. A token is handed in together with its handle, which whoever asked for it was told
as the user's id. For what was sent to an address the handle is not the id of the user who has that address,
so that the answer does not tell whether there is one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from freehold import ids, secrets
from freehold.db.pool import Record
from freehold.services.account import token_store
from freehold.services.account.errors import InvalidToken
from freehold.services.account.models import Token
from freehold.web.call import Call
from freehold.web.wire import wire_time

MAGIC_URL = "magic-url"
EMAIL = "email"
PHONE = "phone"
OAUTH2 = "oauth2"
PASSKEY = "passkey"
GENERIC = "generic"
RECOVERY = "recovery"
RECOVERY_OTP = "recovery-otp"
VERIFICATION = "verification"
VERIFICATION_OTP = "verification-otp"
PHONE_VERIFICATION = "phone-verification"


class _Form(NamedTuple):
    seconds: int
    characters: int
    is_code: bool = False
    """Digits, to be typed from one screen into another."""


_FORMS = {
    MAGIC_URL: _Form(3600, 64),
    EMAIL: _Form(900, 6, is_code=True),
    PHONE: _Form(900, 6, is_code=True),
    OAUTH2: _Form(60, 64),
    PASSKEY: _Form(60, 64),
    GENERIC: _Form(900, 64),
    RECOVERY: _Form(3600, 256),
    RECOVERY_OTP: _Form(900, 6, is_code=True),
    VERIFICATION: _Form(3600, 256),
    VERIFICATION_OTP: _Form(900, 6, is_code=True),
    PHONE_VERIFICATION: _Form(900, 6, is_code=True),
}

MOST_ATTEMPTS = 5
"""How often a secret that is short enough to guess may be handed in wrongly before its token is void."""
_GUESSABLE_BELOW = 32


class Way(NamedTuple):
    """What a session is that a kind of token opens."""

    provider: str
    factor: str
    second_factor: str = ""
    """Of a way that shows two at once."""


WAYS = {
    MAGIC_URL: Way("magic-url", "email"),
    EMAIL: Way("email", "email"),
    PHONE: Way("phone", "phone"),
    OAUTH2: Way("oauth2", "email"),
    GENERIC: Way("token", "token"),
    # The device, and what has unlocked it.
    PASSKEY: Way("passkey", "passkey", "user-verification"),
}
"""The kinds that open a session."""


class Issued(NamedTuple):
    """A new token, and the only copy of its secret."""

    id: str
    secret: str
    handle: str
    created_at: datetime
    expires_at: datetime


async def issue(
    call: Call,
    user_id: str | None,
    kind: str,
    *,
    seconds: float | None = None,
    secret: str | None = None,
    handle: str | None = None,
    address: str = "",
    data: Mapping[str, Any] | None = None,
) -> Issued:
    """Make a token. How long it holds and what its secret looks like is its kind's, if nothing else is said.

    `handle` is the user's id when it is not given. `address` is where the secret will be sent to. `data`
    comes back with the token. Without a user, handing it in proves the address, and nothing else.
    """
    form = _FORMS.get(kind, _FORMS[GENERIC])
    if secret is None:
        secret = new_code(form.characters) if form.is_code else secrets.new_secret(form.characters)
    shown = handle or user_id
    if shown is None:
        raise ValueError("A token without a user needs a handle.")
    row = await token_store.create(
        call.db,
        call.project.id,
        token_store.NewToken(
            id=ids.new_id(),
            handle=shown,
            user_id=user_id,
            kind=kind,
            secret_digest=_digest(call, shown, secret),
            guessable=len(secret) < _GUESSABLE_BELOW,
            address=address,
            data=msgspec.json.encode(data or {}),
            seconds=form.seconds if seconds is None else seconds,
        ),
    )
    return Issued(row["id"], secret, shown, row["created_at"], row["expires_at"])


async def redeem(call: Call, handle: str, kinds: Sequence[str], secret: str) -> Record:
    """Use a token up. Gives its row, with `user_id`, `kind`, `address`, `data`. Raises InvalidToken.

    Ask this before the call's transaction has begun: the attempt counts even when the call fails. The token
    itself is used up only if the call succeeds.
    """
    token = await check(call, handle, kinds, secret)
    await take(call, token)
    return token


async def check(call: Call, handle: str, kinds: Sequence[str], secret: str) -> Record:
    """The first half of `redeem`, for who has long work to do before the second. Raises InvalidToken."""
    found = await token_store.attempt(call.app.db, call.project.id, handle, kinds, MOST_ATTEMPTS)
    presented = _digest(call, handle, secret)
    # All are compared, so that the time does not tell which one was met.
    met = [each for each in found if hmac.compare_digest(each["secret_digest"], presented)]
    if not met:
        raise InvalidToken()
    return met[0]


async def take(call: Call, token: Record) -> None:
    """The second half of `redeem`: of all who hand a token in at once, one passes. Raises InvalidToken."""
    if await token_store.take(call.db, call.project.id, token["id"]) is None:
        raise InvalidToken()


def as_token(issued: Issued, *, secret: str = "", phrase: str = "") -> Token:
    """A token as the wire has it. Its secret is for those alone who may see it."""
    return Token(
        id=issued.id,
        created_at=wire_time(issued.created_at),
        user_id=issued.handle,
        secret=secret,
        expire=wire_time(issued.expires_at),
        phrase=phrase,
    )


def spent(token: Record) -> Token:
    """A token that was handed in, as the wire has it."""
    return Token(
        id=token["id"],
        created_at=wire_time(token["created_at"]),
        user_id=token["handle"],
        secret="",
        expire=wire_time(token["expires_at"]),
        phrase="",
    )


async def drop(call: Call, user_id: str, kinds: Sequence[str] | None = None) -> None:
    """Make a user's tokens worthless: all, or those of some kinds."""
    await token_store.drop(call.db, call.project.id, user_id, kinds)


async def drop_sent(call: Call, address: str) -> None:
    """Make all tokens worthless that were sent to an address."""
    await token_store.drop_sent(call.db, call.project.id, address)


def new_code(digits: int = 6) -> str:
    """Make a random code of so many digits."""
    return f"{random.randbelow(10**digits):0{digits}d}"


def _digest(call: Call, handle: str, secret: str) -> bytes:
    key = secrets.derive(call.app.settings.secret, "tokens")
    return hmac.new(key, f"{call.project.id}:{handle}:{secret}".encode(), hashlib.sha256).digest()
