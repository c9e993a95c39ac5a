"""docs/benchmarks.md: a section of each command that measures, which a run of it can write anew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
SECTIONS = {
    "bench": "The platform beside others",
    "bench.sockets": "Realtime",
    "bench.files": "Files",
    "bench.services": "Generated services",
    "bench.generate": "The generator",
}
"""The commands, in the order of their sections, and what these are called."""

_PREFACE = """# Benchmarks

Each section is written by its command with `--write`; `make bench` runs them all, and only prints. What is
measured, and how, is in `bench/`. A target that is missed is told, not punished: the numbers of a shared
machine are no reason to fail.
"""


def publish(command: str, text: str, *, written: bool) -> None:
    """Print what a command found; `written` puts it in the place of what its last run found."""
    section = f"## {SECTIONS[command]}\n\nBy `python -m {command}`.\n\n{text.strip()}\n"
    print(section, flush=True)
    if written:
        PAGE.write_text(replaced(PAGE.read_text() if PAGE.exists() else "", command, section))
        sys.stderr.write(f"bench: wrote {PAGE.name}\n")


def replaced(page: str, command: str, section: str) -> str:
    """The page with another section of a command. What it holds besides its sections is not kept."""
    found = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    by_title = {each.partition("\n")[0].removeprefix("## "): each for each in found}
    by_title[SECTIONS[command]] = section
    return "\n".join(
        [_PREFACE, *(by_title[title].rstrip() + "\n" for title in SECTIONS.values() if title in by_title)]
    )


def verdict(found: float, bound: float, *, at_most: bool) -> str:
    """Whether a target is met."""
    return "met" if (found <= bound if at_most else found >= bound) else "missed"
