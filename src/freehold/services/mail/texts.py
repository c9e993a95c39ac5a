"""The texts of mails and text messages in each language, as locales/*.json hold them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

DEFAULT = "en"
RIGHT_TO_LEFT = ("ar", "he")

_FOLDER = Path(__file__).parent / "locales"
_SAME = {"ua": "uk", "no": "nb", "nn": "nb", "zh": "zh-cn", "zh-sg": "zh-cn", "zh-hk": "zh-tw"}
"""Languages that are written under another name, or close enough to be read."""


class MailTexts(msgspec.Struct, frozen=True):
    """The texts of one mail."""

    subject: str
    body: str
    button: str = ""


class SmsTexts(msgspec.Struct, frozen=True, rename="camel"):
    """The text messages."""

    verification: str
    login: str
    invitation: str
    mfa_challenge: str


class Texts(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """All texts of one language."""

    greeting: str
    greeting_nameless: str
    link_hint: str
    phrase: str
    ignore: str
    secure: str
    thanks: str
    signature: str
    time: str
    device: str
    ip_address: str
    mail: dict[str, MailTexts]
    sms: SmsTexts


def languages() -> tuple[str, ...]:
    """The languages that there are texts in."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def language_of(locale: str) -> str:
    """The language that there are texts in and that suits a locale such as `pt-BR` best; else English."""
    wanted = locale.strip().lower().replace("_", "-")
    known = languages_known()
    for name in (
        wanted,
        _SAME.get(wanted, ""),
        wanted.partition("-")[0],
        _SAME.get(wanted.partition("-")[0]),
    ):
        if name in known:
            return str(name)
    return DEFAULT


@cache
def languages_known() -> frozenset[str]:
    """The same as `languages`, read once."""
    return frozenset(languages())


@cache
def texts_of(language: str) -> Texts:
    """The texts in a language that there are texts in."""
    return msgspec.json.decode((_FOLDER / f"{language}.json").read_bytes(), type=Texts)
