"""The page of all settings."""

from __future__ import annotations

from dataclasses import fields

from freehold.config.settings import Settings, variable_name, written


def render_reference() -> str:
    """The page of all settings, as docs/settings.md holds it."""
    lines = [
        "# Settings",
        "",
        "Made from `src/freehold/config/settings.py` by `python -m freehold.config > docs/settings.md`;"
        " change it there.",
        "",
        "A setting is given as a variable, or under its lower-case name without the prefix in"
        " `freehold.toml` in the",
        "working directory (another file: `FREEHOLD_CONFIG`). The command line wins over the environment,"
        " and that over",
        "the file. Wrong values stop the start, with a message that says which and how to mend it.",
        "",
    ]
    for one in fields(Settings):
        facts = one.metadata
        also = "".join(f" or `{name}`" for name in facts["names"])
        default = facts["shown"] or f"`{written(one.default)}`"
        lines += [f"## `{variable_name(one)}`{also}", "", facts["says"], ""]
        lines += [
            f"{facts['kind'].says[0].upper()}{facts['kind'].says[1:]}. Default: {default}.",
            "",
        ]
    return "\n".join(lines)
