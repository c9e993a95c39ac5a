"""What a backend is, as a value: read from `freehold.yaml`, checked, compared, laid out as tables."""

from freehold.schema.changes import Change
from freehold.schema.comparison import compare
from freehold.schema.lock import (
    AmbiguousChange,
    Decisions,
    Lock,
    Question,
    lock_of,
    lock_text,
    read_lock,
    write_lock,
)
from freehold.schema.problems import Problem, SchemaError
from freehold.schema.read import parse_schema, read_schema

__all__ = [
    "AmbiguousChange",
    "Change",
    "Decisions",
    "Lock",
    "Problem",
    "Question",
    "SchemaError",
    "compare",
    "lock_of",
    "lock_text",
    "parse_schema",
    "read_lock",
    "read_schema",
    "write_lock",
]
