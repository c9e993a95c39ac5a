"""Regular expressions of callers, refused before PostgreSQL when matching them could take very long."""

from __future__ import annotations

import re

from freehold.schema.values import Misfit

MAX_CHARACTERS = 256
MAX_COPIES = 100

_TOKEN = re.compile(
    r"\\(?P<escaped>.)"
    # A bracket expression: with escapes, and with classes such as [:alpha:], that may hold its end.
    r"|\[\^?\]?(?:\\.|\[(?P<class>[:.=]).*?(?P=class)\]|[^\]\\])*+\]"
    r"|\{(?P<least>\d+)(?P<range>,(?P<most>\d*))?\}"
    r"|(?P<look>\(\?<?[=!])"
    r"|(?P<group>\(\?:)"
    r"|(?P<flags>\A\(\?[cimnpstw]+\))"
    r"|(?P<other>\A\*\*\*|\(\?)"
    r"|.",
    re.DOTALL,
)


def check(pattern: str) -> None:
    """Refuse a pattern that is costly by its form. Raises Misfit.

    Back references are matched by trying; looking around is done again at each character; and `x{90}` is 90
    copies of `x`, which nested ones multiply. What would give the rest of a pattern another syntax, or stand
    between an `x` and its `{90}`, is refused so that all of them are seen.
    """
    if len(pattern) > MAX_CHARACTERS:
        raise Misfit(f"is a pattern of more than {MAX_CHARACTERS} characters")
    groups = [0]
    last = copies = 0
    for token in _TOKEN.finditer(pattern):
        if token["look"]:
            raise Misfit("is a pattern that looks around, which is not offered")
        if token["escaped"] in tuple("123456789"):
            raise Misfit("is a pattern with back references, which are not offered")
        if token["other"]:
            raise Misfit("is a pattern with a comment or in a syntax of its own, which is not offered")
        text = token[0]
        if token["flags"]:
            continue
        if text == "(" or token["group"]:
            groups.append(0)
        elif text == ")" and len(groups) > 1:
            last = max(groups.pop(), 1)
            groups[-1] += last
        elif token["least"]:
            times = max(int(token["least"]), int(token["most"] or 0))
            copies = max(copies, last * times)
            groups[-1] += last * max(times - 1, 0)
            last *= times
        elif text not in "*+?|^$":
            last = 1
            groups[-1] += 1
        if copies > MAX_COPIES or max(groups) > MAX_CHARACTERS + MAX_COPIES:
            raise Misfit(f"is a pattern that stands for more than {MAX_COPIES} copies of its parts")
