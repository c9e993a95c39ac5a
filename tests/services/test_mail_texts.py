"""The texts of mails and text messages: whole in every language, with the same placeholders."""

from __future__ import annotations

import re

import msgspec
import pytest

from freehold.services.mail.rendering import built_in, built_in_sms, render
from freehold.services.mail.templates import MAILS, SMS
from freehold.services.mail.texts import RIGHT_TO_LEFT, language_of, languages, texts_of

VALUES = {
    "user": "Jane",
    "project": "Shop",
    "redirect": "https://app.example.com/?secret=1",
    "otp": "123456",
    "team": "Reds",
    "owner": "Bob",
    "phrase": "golden fox",
    "dateTime": "2026-01-02 03:04 UTC",
    "ipAddress": "203.0.113.7",
    "agentClient": "Firefox",
    "agentOs": "Linux",
}


def placeholders(language: str) -> dict[str, list[str]]:
    """The placeholders of each text, by where it stands."""
    found: dict[str, list[str]] = {}

    def walk(at: str, text: object) -> None:
        if isinstance(text, dict):
            for name, inner in text.items():
                walk(f"{at}.{name}", inner)
        else:
            found[at] = sorted(re.findall(r"\{\{\w+\}\}", str(text)))

    walk("", msgspec.to_builtins(texts_of(language)))
    return found


def test_there_are_texts_in_twenty_languages() -> None:
    assert len(languages()) >= 20


@pytest.mark.parametrize("language", languages())
def test_every_language_says_the_same(language: str) -> None:
    assert placeholders(language) == placeholders("en")
    for template in MAILS:
        mail = render(built_in(template, language, VALUES), language, VALUES)
        assert mail.subject.strip() != ""
        assert "{{" not in mail.subject + mail.html + mail.text
        assert f'lang="{language}"' in mail.html
        assert ('dir="rtl"' in mail.html) == (language in RIGHT_TO_LEFT)
    for sms in SMS:
        assert built_in_sms(sms, language) != ""
    if language != "en":
        assert texts_of(language).mail["recovery"].body != texts_of("en").mail["recovery"].body


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de-AT", "de"),
        ("pt-br", "pt"),
        ("zh-hk", "zh-tw"),
        ("ua", "uk"),
        ("nn", "nb"),
        ("xx", "en"),
        ("", "en"),
    ],
)
def test_a_locale_is_answered_in_the_nearest_language(locale: str, language: str) -> None:
    assert language_of(locale) == language
