"""Small values of `freehold.yaml`: each is what it should be, or a problem that is told with its place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Literal, TypeVar, cast

from freehold.schema import keys, names
from freehold.schema.document import Value
from freehold.schema.drafts import Drafts
from freehold.schema.problems import Problems, did_you_mean

MAX_DESCRIPTION = 4_000

_Word = TypeVar("_Word", bound=str)


class ValueReader:
    """Reads values, and remembers what was wrong and where each thing stands."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.drafts = Drafts()

    def _settings(self, value: Value, known: keys.Keys) -> dict[str, Any]:
        """The settings that are known and have the form that they should."""
        return {name: self._setting(each, known[name]) for name, each in value.items() if name in known}

    def _setting(self, value: Value, key: keys.Key) -> Any:
        if key.words:
            return self._one_of(value, key.words, key.words[0])
        if not _has_form(value, key.form):
            self.problems.add(value.problem(f"is not {key.form}"))
        return value.plain()

    def _known(self, value: Value, allowed: Collection[str]) -> None:
        for key, _ in value.items():
            if key not in allowed:
                self.problems.add(
                    value.problem(f"`{key}` is not known here", did_you_mean(key, allowed), key=key)
                )

    def _is(self, value: Value, kind: Literal["map", "list"], hint: str) -> bool:
        if value.kind == kind:
            return True
        self.problems.add(value.problem(f"is not a {kind}", hint))
        return False

    def _text(self, value: Value, what: str) -> str | None:
        if value.kind == "text" and "\0" not in value.data:
            return cast(str, value.data)
        self.problems.add(value.problem("is not a text", what))
        return None

    def _words(self, value: Value, what: str) -> tuple[str, ...]:
        if value.kind != "list":
            self.problems.add(value.problem("is not a list", what))
            return ()
        return tuple(text for each in value.data if (text := self._text(each, what)) is not None)

    def _flag(self, holder: Value, key: str, otherwise: bool) -> bool:
        value = holder.get(key) if holder.kind == "map" else None
        if value is None:
            return otherwise
        if value.kind != "bool":
            self.problems.add(value.problem("is not `true` or `false`"))
            return otherwise
        return bool(value.data)

    def _one_of(self, value: Value | None, words: Iterable[_Word], otherwise: _Word) -> _Word:
        if value is None:
            return otherwise
        known = {str(word): word for word in words}
        if value.kind == "text" and value.data in known:
            return known[value.data]
        shown = value.raw or value.kind
        self.problems.add(value.problem(f"`{shown}` is not known", did_you_mean(shown, known)))
        return otherwise

    def _description(self, holder: Value) -> str:
        value = holder.get("description") if holder.kind == "map" else None
        if value is None:
            return ""
        text = self._text(value, "a sentence")
        if text is not None and len(text) > MAX_DESCRIPTION:
            self.problems.add(value.problem(f"is longer than {MAX_DESCRIPTION} characters"))
        return (text or "").strip()

    def _identifier(self, value: Value | None, otherwise: str) -> str:
        """A name of a table or a column, as somebody's database already has it."""
        if value is None:
            return otherwise
        text = self._text(value, "a name in the database")
        if text is None:
            return otherwise
        if (
            not text.strip()
            or len(text.encode()) > 63
            or text.startswith("pg_")
            or text in names.POSTGRES_COLUMNS
        ):
            self.problems.add(
                value.problem(
                    f"`{text[:70]}` cannot name anything in PostgreSQL",
                    "at most 63 bytes, and none of its own names",
                )
            )
        elif not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
            self.problems.add(
                value.problem(
                    f"{text!r} has characters that are not safe in a name",
                    f"letters, digits and `_`, such as `{names.snake_case(text)}`",
                )
            )
        return text


_SIZE = re.compile(rf"[1-9][0-9]{{0,11}}(?:{'|'.join(keys.SIZE_UNITS)})")


def _has_form(value: Value, form: keys.Form | None) -> bool:
    texts = value.kind == "list" and all(each.kind == "text" for each in value.data)
    match form:
        case keys.Form.TEXT:
            return value.kind == "text"
        case keys.Form.FLAG:
            return value.kind == "bool"
        case keys.Form.COUNT:
            return value.kind == "number" and isinstance(value.data, int) and value.data >= 0
        case keys.Form.SIZE:
            counted = value.kind == "number" and isinstance(value.data, int) and value.data > 0
            return counted or (value.kind == "text" and _SIZE.fullmatch(value.data) is not None)
        case keys.Form.TEXTS:
            return texts
        case keys.Form.TEXT_OR_TEXTS:
            return texts or value.kind == "text"
        case keys.Form.SETTINGS:
            return value.kind == "map" and all(each.kind == "text" for each in value.data.values())
    return True
