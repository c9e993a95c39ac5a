"""The mails and text messages that there are, and what stands in each."""

from __future__ import annotations

from typing import NamedTuple


class Template(NamedTuple):
    """A mail: the blocks of its message, from top to bottom (see message.html.j2)."""

    blocks: tuple[str, ...]
    is_customizable: bool = False
    """Whether projects may replace its texts."""


_LINK = ("button", "link")

MAILS: dict[str, Template] = {
    "verification": Template(("greeting", "body", *_LINK, "ignore", "closing"), True),
    "magicSession": Template(("greeting", "body", *_LINK, "phrase", "facts", "ignore", "closing"), True),
    "otpSession": Template(("greeting", "body", "code", "phrase", "facts", "ignore", "closing"), True),
    "otpVerification": Template(("greeting", "body", "code", "ignore", "closing"), True),
    "otpRecovery": Template(("greeting", "body", "code", "ignore", "closing"), True),
    "recovery": Template(("greeting", "body", *_LINK, "ignore", "closing"), True),
    "invitation": Template(("greeting", "body", *_LINK, "ignore", "closing"), True),
    "mfaChallenge": Template(("greeting", "body", "code", "facts", "secure", "closing"), True),
    "sessionAlert": Template(("greeting", "body", "facts", "secure", "closing"), True),
    "emailChanged": Template(("greeting", "body", "facts", "secure", "closing")),
    "passwordChanged": Template(("greeting", "body", "facts", "secure", "closing")),
    "smtpTest": Template(("body", "closing")),
}
"""Filled from `values`: `redirect` in those with a link, `otp` in those with a code (and `phrase` if there is
one), `team` and `owner` in invitation. `user`, `project` and where the call came from are filled by us."""

CUSTOMIZABLE = tuple(name for name, template in MAILS.items() if template.is_customizable)

SMS = ("verification", "login", "invitation", "mfaChallenge")
"""Filled from `values`: `otp`; in invitation `team` and `redirect`."""

FACTS: dict[str, str] = {
    "time": "{{dateTime}}",
    "device": "{{agentClient}} {{agentOs}}",
    "ipAddress": "{{ipAddress}}",
}
"""The lines of the block `facts`. One is left out when none of its values is known."""
