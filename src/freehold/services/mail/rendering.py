"""From a template and its values to a letter: subject, HTML and text. Pure.

Every message, ours or a project's own, is HTML with placeholders such as `{{user}}`. Only names that have a
value are filled, once, and escaped in HTML; nothing in a message is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import jinja2
import mrml

from freehold.services.mail.templates import FACTS, MAILS
from freehold.services.mail.texts import RIGHT_TO_LEFT, SmsTexts, Texts, texts_of

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{\s*([a-zA-Z]{1,40})\s*\}\}")
_pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
)

Values = Mapping[str, str]


class Draft(NamedTuple):
    """The subject and the message of a mail, with their placeholders."""

    subject: str
    message: str


class Rendered(NamedTuple):
    """What is sent."""

    subject: str
    html: str
    text: str


def render(draft: Draft, language: str, values: Values) -> Rendered:
    """Fill a draft and put it into the layout."""
    subject = fill(draft.subject, values)
    message = fill(draft.message, values, escape)
    text = plain_text(message)
    page = _layout("rtl" if language in RIGHT_TO_LEFT else "ltr")
    parts = {
        "title": escape(subject),
        "preview": escape(" ".join(text.split())[:140]),
        "project": escape(values.get("project", "")),
        "message": message,
    }
    html = re.sub(r"@(title|preview|project|message)@", lambda found: parts[found[1]], page)
    return Rendered(subject, html.replace('lang="en"', f'lang="{escape(language)}"'), text)


def built_in(template: str, language: str, values: Values | None = None) -> Draft:
    """Our own draft of a mail. What has no value is left out; without `values` everything is shown."""
    texts = texts_of(language)
    blocks = [block for kind in MAILS[template].blocks for block in _blocks(template, kind, texts, values)]
    message = _pages.get_template("message.html.j2").render(blocks=blocks)
    return Draft(texts.mail[template].subject, message)


def built_in_sms(template: str, language: str) -> str:
    """Our own text of a text message."""
    texts: SmsTexts = texts_of(language).sms
    by_name = {"mfaChallenge": texts.mfa_challenge, "verification": texts.verification,
               "login": texts.login, "invitation": texts.invitation}  # fmt: skip
    return by_name[template]


def fill(text: str, values: Values, written: Callable[[str], str] = str) -> str:
    """Put the values where their names stand. What has no value becomes empty."""
    return _PLACEHOLDER.sub(lambda found: written(values.get(found[1], "")), text)


def _blocks(template: str, kind: str, texts: Texts, values: Values | None) -> list[dict[str, str]]:
    """What a block of a message shows; nothing when its values are not known."""
    own = texts.mail[template]

    def has_value(text: str) -> bool:
        return values is None or any(values.get(name) for name in _PLACEHOLDER.findall(text))

    match kind:
        case "greeting":
            return [
                {"kind": kind, "text": texts.greeting if has_value("{{user}}") else texts.greeting_nameless}
            ]
        case "button":
            return [{"kind": kind, "text": own.button, "href": "{{redirect}}"}]
        case "link":
            return [{"kind": kind, "text": texts.link_hint, "href": "{{redirect}}"}]
        case "code":
            return [{"kind": kind, "text": "{{otp}}"}]
        case "facts":
            labels = {"time": texts.time, "device": texts.device, "ipAddress": texts.ip_address}
            return [
                {"kind": "fact", "label": labels[name], "text": text}
                for name, text in FACTS.items()
                if has_value(text)
            ]
        case "closing":
            return [{"kind": kind, "label": texts.thanks, "text": texts.signature}]
        case "phrase":
            return [{"kind": kind, "text": texts.phrase}] if has_value(texts.phrase) else []
        case _:
            text = {"body": own.body, "ignore": texts.ignore, "secure": texts.secure}[kind]
            return [{"kind": kind, "text": text}]


@cache
def _layout(direction: str) -> str:
    start = "right" if direction == "rtl" else "left"
    source = (_FOLDER / "layout.mjml").read_text(encoding="utf-8")
    return mrml.to_html(source.replace("@dir@", direction).replace("@start@", start)).content


def plain_text(html: str) -> str:
    """What a message says, for readers that show no HTML: links stand behind their words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.said).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


_PARAGRAPHS = frozenset(("p", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote"))
_LINES = frozenset(("br", "tr", "li"))
_UNSAID = frozenset(("style", "script", "head", "title"))
_EMPTY = frozenset(("br", "img", "hr", "meta", "link", "input", "col", "wbr"))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._hidden: list[str] = []
        """The open elements inside of something that is not said."""
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if self._hidden or tag in _UNSAID or "html-only" in (told.get("class") or "").split():
            if tag not in _EMPTY:
                self._hidden.append(tag)
            return
        if tag == "a":
            self._links.append((told.get("href") or "", len(self.said)))
        self.said.append("\n\n" if tag in _PARAGRAPHS else "\n" if tag in _LINES else "")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag in self._hidden:
                while self._hidden.pop() != tag:
                    continue
            return
        if tag == "a" and self._links:
            href, at = self._links.pop()
            if href and "".join(self.said[at:]).strip() != href:
                self.said.append(f": {href}")
        self.said.append("\n\n" if tag in _PARAGRAPHS else "")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(data.replace("\n", " "))
