"""What is kept of second factors is sealed: who reads the database alone cannot sign in with it."""

from __future__ import annotations

from freehold import secrets
from freehold.errors import ServerError
from freehold.web.call import Call


def seal(call: Call, secret: str) -> bytes:
    return secrets.seal(_key(call), secret)


def unseal(call: Call, sealed: bytes) -> str:
    """What was sealed. Raises ServerError when it was under another secret of the installation."""
    opened = secrets.unseal(_key(call), sealed)
    if opened is None:
        raise ServerError()
    return opened


def _key(call: Call) -> bytes:
    return secrets.derive(call.app.settings.secret, "second factors")
