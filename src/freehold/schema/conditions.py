"""The conditions of access lines, a closed grammar: `owner = me and status in (open, on_hold)`."""

from __future__ import annotations

import re

from freehold.schema.model import Comparison, Condition, MemberOf, Value

MAX_CONDITIONS = 20
MAX_VALUES = 100
MAX_CONDITION = 4_000


class Word(Value, frozen=True, kw_only=True):
    """A constant as it was written; what it means is up to the field's type."""

    text: str
    quoted: bool = False


class ConditionSyntaxError(ValueError):
    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


_TOKEN = re.compile(
    r"""\s*(?: "((?:[^"\\]|\\.)*)" | '((?:[^']|'')*)' | ([(),=]) | ([^\s(),='"]+) )""", re.VERBOSE | re.DOTALL
)
_GRAMMAR = "`field = me`, `tenant` or a constant, `field in (a, b)`, `member_of(relation)`, joined by `and`"


def parse_condition(text: str) -> tuple[Condition, ...]:
    """The conditions, all of which must hold. The constants of comparisons are still Words."""
    if len(text) > MAX_CONDITION:
        raise ConditionSyntaxError(
            f"the condition is longer than {MAX_CONDITION} characters", "richer rules are a hook"
        )
    tokens = _tokens(text)
    conditions: list[Condition] = []
    position = 0
    while True:
        condition, position = _condition(tokens, position)
        conditions.append(condition)
        if len(conditions) > MAX_CONDITIONS:
            raise ConditionSyntaxError(
                f"there are more than {MAX_CONDITIONS} conditions", "richer rules are a hook"
            )
        if position == len(tokens):
            return tuple(conditions)
        if tokens[position] != Word(text="and"):
            word = tokens[position].text
            hint = (
                "give each alternative an access line of its own"
                if word == "or"
                else f"conditions are {_GRAMMAR}"
            )
            raise ConditionSyntaxError(f"`{word}` is not expected here", hint)
        position += 1


def _tokens(text: str) -> list[Word]:
    tokens: list[Word] = []
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise ConditionSyntaxError(
                f"`{text[position:].strip()}` cannot be read", f"conditions are {_GRAMMAR}"
            )
        double, single, sign, bare = found.groups()
        if double is not None:
            tokens.append(Word(text=re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL), quoted=True))
        elif single is not None:
            tokens.append(Word(text=single.replace("''", "'"), quoted=True))
        else:
            tokens.append(Word(text=sign or bare))
        position = found.end()
    return tokens


def _condition(tokens: list[Word], at: int) -> tuple[Condition, int]:
    words = [word.text if not word.quoted else "" for word in tokens[at:]]
    if words[:2] == ["member_of", "("] and len(words) > 3 and words[3] == ")":
        return MemberOf(relation=words[2]), at + 4
    if len(words) >= 3 and re.fullmatch(r"[A-Za-z_]\w*", words[0]) and words[1] == "=":
        value = tokens[at + 2]
        if value == Word(text="me"):
            return Comparison(field=words[0], me=True), at + 3
        if value == Word(text="tenant"):
            return Comparison(field=words[0], tenant=True), at + 3
        if value.quoted or value.text not in ("(", ")", ",", "="):
            return Comparison(field=words[0], values=(value,)), at + 3
    if len(words) >= 5 and words[1:3] == ["in", "("]:
        return _in_list(tokens, at)
    raise ConditionSyntaxError(
        f"`{' '.join(word.text for word in tokens[at:])}` is not a condition", f"conditions are {_GRAMMAR}"
    )


def _in_list(tokens: list[Word], at: int) -> tuple[Condition, int]:
    values: list[Word] = []
    position = at + 3
    while position + 1 < len(tokens):
        value, following = tokens[position], tokens[position + 1]
        if not value.quoted and value.text in ("(", ")", ",", "="):
            break
        values.append(value)
        position += 2
        if following == Word(text=")"):
            if len(values) > MAX_VALUES:
                raise ConditionSyntaxError(f"the list has more than {MAX_VALUES} values")
            return Comparison(field=tokens[at].text, values=tuple(values)), position
        if following != Word(text=","):
            break
    raise ConditionSyntaxError("the list is not closed, or has an empty place", "write `field in (a, b)`")
