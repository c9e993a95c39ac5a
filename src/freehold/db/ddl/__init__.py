"""The one place that turns changes of a schema into SQL, runs it, and reads back what a database has."""

from freehold.db.ddl.planning import Step, create, create_namespace, steps
from freehold.db.ddl.running import LOCK_TIMEOUT_MS, StepFailed, apply, undo
from freehold.db.ddl.spelling import current_tenant, default_sql, literal, qualified, quote, text_literal
from freehold.schema.tables import (
    check_name,
    column_type,
    design,
    entity_table,
    foreign_key_name,
    index_name,
    link_columns,
    link_name,
    link_table,
    primary_key_name,
    search_column,
    unique_name,
)

__all__ = [
    "LOCK_TIMEOUT_MS",
    "Step",
    "StepFailed",
    "apply",
    "check_name",
    "column_type",
    "create",
    "create_namespace",
    "current_tenant",
    "default_sql",
    "design",
    "entity_table",
    "foreign_key_name",
    "index_name",
    "link_columns",
    "link_name",
    "link_table",
    "literal",
    "primary_key_name",
    "qualified",
    "quote",
    "search_column",
    "steps",
    "text_literal",
    "undo",
    "unique_name",
]
