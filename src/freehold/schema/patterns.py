"""Patterns that mean the same to Python, TypeScript, Go and PostgreSQL.

Of regular expressions the language takes what all four agree on: characters, `.`, classes, groups, `|`,
`^`, `$`, and the quantifiers `* + ? {m,n}`. What they read differently is refused with a proposal.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_PATTERN = 500
MAX_REPEAT = 255
"""PostgreSQL counts no further."""
MAX_NESTED = 1000
"""Go counts no further, repetitions within repetitions multiplied."""

_PROPOSALS = {
    "d": "`[0-9]`",
    "D": "`[^0-9]`",
    "w": "`[A-Za-z0-9_]`",
    "W": "`[^A-Za-z0-9_]`",
    "s": "`[ \\t]`",
    "S": "`[^ \\t]`",
    "A": "`^`",
    "Z": "`$`",
    "z": "`$`",
    "b": "the characters around it",
}
_QUANTIFIER = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")


def refusal(pattern: str) -> tuple[str, str] | None:
    """Why a pattern cannot be used everywhere, and what to write instead. None when it can."""
    if len(pattern) > MAX_PATTERN:
        return f"the pattern is longer than {MAX_PATTERN} characters", ""
    if "\0" in pattern:
        return "the pattern has a zero character", "leave it out"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"the pattern is not a regular expression: {error}", ""
    return _walk(pattern) or _nested(pattern)


def is_quick(pattern: str, text: str) -> bool:
    """Whether a backtracking matcher is done in no time, whatever the text holds.

    A pattern may come from anyone, and Python's matcher can be kept busy for ever by `(a+)+b`.
    """
    outside = re.sub(r"\\.|\[[^\]]*\]", "_", pattern.replace("\\]", "_"))
    return (
        len(text) <= 200 and len(re.findall(r"[*+?{]", outside)) <= 3 and not re.search(r"\)[*+?{]", outside)
    )


def matches(pattern: str, text: str) -> bool:
    """Whether a text fits, read as PostgreSQL reads it: `$` is the very end, `.` is not a line break."""
    return re.search(for_python(pattern), text) is not None


def for_python(pattern: str) -> str:
    """The pattern as Python's `re.search` has to be given it to mean the same."""
    return _translated(pattern, end=r"\Z")


def for_postgres(pattern: str) -> str:
    """The pattern as PostgreSQL's `~` understands it."""
    return (
        "(?:" + _translated(pattern, end="$") + ")"
        if pattern.startswith("*")
        else _translated(pattern, end="$")
    )


@lru_cache(maxsize=512)
def _translated(pattern: str, *, end: str) -> str:
    spelled: list[str] = []
    in_class = False
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            spelled.append(pattern[position : position + 2])
            position += 2
            continue
        if character == "[" and not in_class:
            in_class = True
        elif character == "]" and in_class:
            in_class = False
        elif character == "." and not in_class:
            character = "[^\n]"
        elif character == "$" and not in_class:
            character = end
        spelled.append(character)
        position += 1
    return "".join(spelled)


def _walk(pattern: str) -> tuple[str, str] | None:
    position = 0
    in_class = False
    while position < len(pattern):
        character = pattern[position]
        rest = pattern[position:]
        if character == "\\":
            following = pattern[position + 1]
            if following.isalnum() and following not in "nrt":
                proposal = _PROPOSALS.get(following)
                return (
                    f"`\\{following}` does not mean the same in every language",
                    f"write {proposal}" if proposal else "write what it stands for",
                )
            position += 2
            continue
        if in_class:
            if character == "[":
                return "`[` inside of a class does not mean the same in every language", r"write `\[`"
            if rest.startswith(("&&", "||", "~~", "--")):
                return f"`{rest[:2]}` inside of a class does not mean the same in every language", ""
            in_class = character != "]"
        elif character == "[":
            in_class = True
            if rest.startswith(("[]", "[^]")):
                return "a class that begins with `]` does not mean the same in every language", r"write `\]`"
            if rest.startswith("[^"):
                position += 1
        elif rest.startswith("(?") and not rest.startswith("(?:"):
            return f"`{rest[:3]}` is not known to every language", "use plain groups, `(...)` or `(?:...)`"
        elif character == "{":
            found = _QUANTIFIER.match(rest)
            if found is None:
                return "`{` alone does not mean the same in every language", r"write `\{`"
            if any(int(each) > MAX_REPEAT for each in (found.group(1), found.group(3)) if each):
                return f"a repetition may count to {MAX_REPEAT}", "use `max` for longer texts"
            position += len(found.group()) - 1
        elif character == "}":
            return "`}` alone does not mean the same in every language", r"write `\}`"
        if character in "*+?}" and not in_class and pattern[position + 1 : position + 2] in ("+", "?", "*"):
            return (
                "lazy and possessive quantifiers are not known to every language",
                "leave the second sign out",
            )
        position += 1
    return None


def _nested(pattern: str) -> tuple[str, str] | None:
    """Refuses repetitions that multiply beyond what Go counts, as in `(a{100}){100}`."""
    groups, atom = [1], 1
    for found in re.finditer(r"\\.|\[(?:\\.|[^\]\\])*\]|\{[^}]*\}|.", pattern, re.DOTALL):
        sign = found.group()
        if sign == "(":
            groups.append(1)
        elif sign == ")":
            atom = groups.pop()
            groups[-1] = max(groups[-1], atom)
        elif counted := _QUANTIFIER.fullmatch(sign):
            atom *= max(int(counted.group(3) or counted.group(1)), 1)
            if atom > MAX_NESTED:
                return (
                    f"repetitions within repetitions may multiply to {MAX_NESTED}",
                    "count in one place only",
                )
            groups[-1] = max(groups[-1], atom)
        else:
            atom = 1
    return None
