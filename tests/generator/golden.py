"""`make golden`: the emitted tree of the small schema, kept here so that a change of it is read in review."""

from __future__ import annotations

import shutil
from pathlib import Path

from freehold.generator import TARGETS, generate
from freehold.schema.model import Schema
from freehold.schema.read import read_schema

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
LOCKS = ("requirements", "package-lock.json", "go.sum")


def schema(name: str) -> Schema:
    return read_schema(HERE / "schemas" / name / "freehold.yaml")


def tree(lang: str) -> dict[str, str]:
    """What is kept: everything but the locked requirements, in which there is nothing to read."""
    return {
        path: text for path, text in generate(schema("small"), lang).items() if not path.startswith(LOCKS)
    }


def main() -> None:
    for lang in TARGETS:
        folder = GOLDEN / lang
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in tree(lang).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
