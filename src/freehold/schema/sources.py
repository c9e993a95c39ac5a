"""A schema from its file, whichever language that is in: `freehold.yaml`, or an `.apsorc` as it is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from freehold.schema import apsorc, document
from freehold.schema.lock import Decisions, Lock, read_lock
from freehold.schema.model import Schema
from freehold.schema.problems import Problem, SchemaError
from freehold.schema.read import FILE, parse_schema, read_schema
from freehold.schema.sketch import Note

BUCKETS = "buckets"
LEFT_OUT = "`apply` makes these in a live project, and a service of your own has none."
NOT_THERE = (
    "nothing is made of these. The platform does not have them yet, and a service of your own neither."
)


class Source(NamedTuple):
    schema: Schema
    notes: tuple[Note, ...] = ()
    """What the file leaves to be decided, and what nothing is made of."""


def read_source(path: str | Path, *, decisions: Decisions | None = None, lock: Lock | None = None) -> Source:
    """The schema of a file, or of its folder, with the ids of the lock, or of the one beside it."""
    file = Path(path)
    if file.is_dir():
        inside = file / FILE
        file = inside if inside.exists() or not (file / apsorc.SUFFIX).exists() else file / apsorc.SUFFIX
    if not file.name.endswith(apsorc.SUFFIX):
        schema = read_schema(file, decisions=decisions, lock=lock)
        return Source(schema, _left_out(schema))
    try:
        with file.open("rb") as opened:
            text = opened.read(document.MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise SchemaError([Problem(file=str(file), line=1, column=1, path="", message=message)]) from error
    folder = file.resolve().parent
    imported = apsorc.convert(text, file=file.name, service=folder.name)
    schema = parse_schema(imported.text, file=file.name, lock=lock or read_lock(folder), decisions=decisions)
    return Source(schema, imported.notes)


def _left_out(schema: Schema) -> tuple[Note, ...]:
    """What the schema says of the platform besides tables, which a service of its own does not have."""
    return tuple(
        Note(
            kind="left_out",
            where=f"platform.{group}",
            what=f"{', '.join(things)}: {LEFT_OUT if group == BUCKETS else NOT_THERE}",
        )
        for group, things in schema.platform.items()
        if things
    )
