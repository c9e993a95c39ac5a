"""The one place that turns changes of a schema into SQL, runs it, and reads back what a database has."""

from freehold.db.ddl.planning import create, create_namespace, steps
from freehold.db.ddl.running import StepFailed, apply, timeouts_sql, undo
from freehold.db.ddl.spelling import check_sql, qualified, quote, text_literal
from freehold.db.ddl.step import Step

__all__ = [
    "Step",
    "StepFailed",
    "apply",
    "check_sql",
    "create",
    "create_namespace",
    "qualified",
    "quote",
    "steps",
    "text_literal",
    "timeouts_sql",
    "undo",
]
