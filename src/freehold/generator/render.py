"""Templates to text. They print what the plan decided; what comes from a schema goes through a filter."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from freehold.generator import names
from freehold.generator.identity import Preset

COMMON = Path(__file__).parent / "targets" / "common" / "templates"
"""What the templates of every language may extend and import, as `common/...`."""


@lru_cache(maxsize=8)
def environment(folder: Path) -> Environment:
    """The templates below a folder, which stand before the common ones of the same name."""
    found = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(folder),
                FileSystemLoader(COMMON),
                PrefixLoader({"common": FileSystemLoader(COMMON)}),
            ]
        ),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - code, not HTML; the filters below make texts inert
    )
    found.filters.update(
        py=repr,
        go=go_string,
        json=_json,
        comment=one_line,
        docstring=docstring,
        markdown=markdown,
        sentence=_sentence,
        article=names.article,
        camel=names.camel,
        jsdoc=jsdoc,
        settings=_settings,
    )
    return found


def render(folder: Path, template: str, values: dict[str, Any]) -> str:
    return environment(folder).get_template(template).render(values)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)


_GO_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def go_string(text: str) -> str:
    """A text as a literal of Go. Whatever is in it stays in it."""
    return '"' + "".join(map(_go_escaped, text)) + '"'


def _go_escaped(each: str) -> str:
    if each in _GO_ESCAPES:
        return _GO_ESCAPES[each]
    if each.isprintable():
        return each
    code = ord(each) if not 0xD800 <= ord(each) < 0xE000 else 0xFFFD
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """A text that cannot end a comment: no line breaks of any kind, no control characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def docstring(text: str) -> str:
    """A text that cannot end a docstring: quotes and backslashes are replaced by their likes."""
    return one_line(text).replace("\\", "/").replace('"', "'")


def jsdoc(text: str) -> str:
    """A text that cannot end a comment between `/**` and `*/`."""
    return one_line(text).replace("*/", "* /")


def markdown(text: str) -> str:
    """A text that is only text in Markdown."""
    spelled = one_line(text)
    for sign in "&\\`*_{}[]<>#+!|$~":
        spelled = spelled.replace(
            sign, f"\\{sign}" if sign not in "<>&" else {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[sign]
        )
    return spelled


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _settings(preset: Preset) -> list[tuple[str, Any]]:
    """The values of a preset that differ from the defaults."""
    blank = Preset(preset.name)
    found = []
    for name in Preset.__dataclass_fields__:
        value = getattr(preset, name)
        if name not in ("name", "note") and value != getattr(blank, name):
            found.append((name, value))
    return found
