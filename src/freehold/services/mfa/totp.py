"""Codes of authenticator apps (RFC 6238): six digits, another one every 30 seconds. Pure."""

from __future__ import annotations

import hmac

import pyotp

STEP_S = 30
_DRIFT = 1
"""How many steps the user's clock may be wrong, to either side."""


def new_secret() -> str:
    """A random secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def uri(secret: str, *, issuer: str, account: str) -> str:
    """The secret as apps scan it, `otpauth://totp/...`."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def matching_step(secret: str, code: str, now_s: float) -> int | None:
    """The time step whose code this is, among those that count now; None when it is none of them."""
    totp = pyotp.TOTP(secret)
    current = int(now_s) // STEP_S
    # All are compared, so that the time does not tell which one was met.
    met = [
        step
        for step in range(current - _DRIFT, current + _DRIFT + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode())
    ]
    return met[-1] if met else None
