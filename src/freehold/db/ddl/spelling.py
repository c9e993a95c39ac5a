"""How names, values, columns, constraints, indexes and policies are spelled in PostgreSQL's SQL."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from freehold.schema.patterns import for_postgres
from freehold.schema.tables import (
    AuditTrigger,
    Check,
    Column,
    Constraint,
    EventTriggers,
    ForeignKey,
    Index,
    Now,
    Policy,
    PrimaryKey,
    Table,
    Unique,
)

POLICY = "tenant_isolation"
TRIGGER = "audit"
AUDIT_FUNCTION = "write_audit_log"
TENANT_SETTING = "app.tenant_id"
ACTOR_SETTING = "app.actor_id"
REQUEST_SETTING = "app.request_id"

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "between",
        "bigint",
        "binary",
        "bit",
        "boolean",
        "both",
        "case",
        "cast",
        "char",
        "character",
        "check",
        "coalesce",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "dec",
        "decimal",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "float",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "greatest",
        "group",
        "grouping",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "inout",
        "int",
        "integer",
        "intersect",
        "interval",
        "into",
        "is",
        "isnull",
        "join",
        "json",
        "json_array",
        "json_arrayagg",
        "json_exists",
        "json_object",
        "json_objectagg",
        "json_query",
        "json_scalar",
        "json_serialize",
        "json_table",
        "json_value",
        "lateral",
        "leading",
        "least",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "merge_action",
        "national",
        "natural",
        "nchar",
        "none",
        "normalize",
        "not",
        "notnull",
        "null",
        "nullif",
        "numeric",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "out",
        "outer",
        "overlaps",
        "overlay",
        "placing",
        "position",
        "precision",
        "primary",
        "real",
        "references",
        "returning",
        "right",
        "row",
        "select",
        "session_user",
        "setof",
        "similar",
        "smallint",
        "some",
        "substring",
        "symmetric",
        "system_user",
        "table",
        "tablesample",
        "then",
        "time",
        "timestamp",
        "to",
        "trailing",
        "treat",
        "trim",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "varchar",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
        "xmlattributes",
        "xmlconcat",
        "xmlelement",
        "xmlexists",
        "xmlforest",
        "xmlnamespaces",
        "xmlparse",
        "xmlpi",
        "xmlroot",
        "xmlserialize",
        "xmltable",
    ]
)


class NullCharacter(ValueError):
    """A text holds U+0000, which no text of PostgreSQL's can."""


@lru_cache(maxsize=8192)  # every statement on rows is spelled anew
def quote(name: str) -> str:
    """An identifier, in quotes where PostgreSQL needs them."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    if "\0" in name:
        raise NullCharacter(f"{name!r} cannot be a name in PostgreSQL")
    if not name:
        raise ValueError(f"{name!r} cannot be a name in PostgreSQL")
    return '"' + name.replace('"', '""') + '"'


def qualified(namespace: str | None, name: str) -> str:
    return quote(name) if namespace is None else f"{quote(namespace)}.{quote(name)}"


def text_literal(text: str) -> str:
    if "\0" in text:
        raise NullCharacter("PostgreSQL keeps no zero characters")
    return "'" + text.replace("'", "''") + "'"


def literal(value: Any, type_: str) -> str:
    """A JSON value as a constant of an SQL type."""
    if isinstance(value, Now):
        return "now()"
    if type_ == "polygon[]":
        rings = ", ".join(
            text_literal("(" + ",".join(_point(point) for point in ring) + ")") for ring in value
        )
        return f"ARRAY[{rings}]::polygon[]"
    if type_.endswith("[]"):
        element = type_.removesuffix("[]")
        if not value:
            return f"'{{}}'::{type_}"
        return f"ARRAY[{', '.join(literal(each, element) for each in value)}]::{type_}"
    return _scalar_literal(value, type_)


def _scalar_literal(value: Any, type_: str) -> str:
    if type_ == "boolean":
        return "true" if value else "false"
    if type_ in ("integer", "bigint"):
        return str(int(value))
    if type_ == "double precision":
        number = float(value)
        return f"'{number!r}'::double precision" if math.isfinite(number) else f"'{number}'::double precision"
    if type_ == "jsonb":
        return text_literal(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) + "::jsonb"
    if type_ == "bytea":
        return f"'\\x{base64.b64decode(value).hex()}'::bytea"
    if type_ == "point":
        return text_literal(_point(value)) + "::point"
    if type_ == "path":
        return text_literal("[" + ",".join(_point(point) for point in value) + "]") + "::path"
    if type_ == "text":
        return text_literal(str(value))
    if type_.startswith("numeric") and _NUMBER.fullmatch(str(value)):
        return str(value)
    return text_literal(str(value)) + f"::{type_}"


def _point(point: Any) -> str:
    return f"({float(point[0])!r},{float(point[1])!r})"


# Columns


def column_sql(column: Column) -> str:
    """A column as it stands in CREATE TABLE and ADD COLUMN."""
    words = [quote(column.name), column.type]
    if column.generated:
        value = words_of(column.searched) if column.searched else reads_of(column.reads_of)
        words.append(f"GENERATED ALWAYS AS ({value}) STORED")
        return " ".join(words)
    if column.identity:
        words.append("GENERATED ALWAYS AS IDENTITY")
    elif column.default is not None:
        words.append(f"DEFAULT {literal(column.default, column.type)}")
    if not column.nullable:
        words.append("NOT NULL")
    return " ".join(words)


def words_of(columns: Iterable[str]) -> str:
    """The expression for the words in some columns, as `search_vector` and word indexes hold them."""
    texts = " || ' ' || ".join(f"coalesce({quote(column)}, '')" for column in columns)
    return f"to_tsvector('simple'::regconfig, {texts})"


MOST_PERMISSIONS = 6
"""Of so many an index takes those to read beside its columns, however long their roles are."""


def reads_of(column: str) -> str:
    """The expression for those of a row's permissions that let somebody read it; null when it has many."""
    permissions = quote(column)
    each = [f"{permissions}[{number}]" for number in range(1, MOST_PERMISSIONS + 1)]
    found = ", ".join(f"CASE WHEN {one} LIKE 'read(%' THEN {one} END" for one in each)
    first, last = f"array_lower({permissions}, 1)", f"array_upper({permissions}, 1)"
    return (
        f"CASE WHEN {first} <> 1 OR {last} > {MOST_PERMISSIONS} THEN NULL"
        f" ELSE array_remove(ARRAY[{found}], NULL) END"
    )


def create_table_sql(table: Table, namespace: str | None) -> str:
    lines = [column_sql(column) for column in table.columns]
    constraints: tuple[Constraint, ...] = (table.primary_key, *table.uniques, *table.checks)
    lines += [constraint_sql(each, namespace) for each in constraints]
    body = ",\n".join(f"    {line}" for line in lines)
    return f"CREATE TABLE {qualified(namespace, table.name)} (\n{body}\n)"


# Constraints


def constraint_sql(constraint: Constraint, namespace: str | None) -> str:
    """A constraint as it stands in CREATE TABLE and ADD CONSTRAINT."""
    name = f"CONSTRAINT {quote(constraint.name)}"
    if isinstance(constraint, PrimaryKey):
        return f"{name} PRIMARY KEY ({names(constraint.columns)})"
    if isinstance(constraint, Unique):
        return f"{name} UNIQUE ({names(constraint.columns)})"
    if isinstance(constraint, ForeignKey):
        target = f"{qualified(namespace, constraint.target)} ({names(constraint.target_columns)})"
        action = constraint.on_delete.upper().replace("_", " ")
        cleared = f" ({names(constraint.clears)})" if constraint.clears else ""
        own = names(constraint.columns)
        return f"{name} FOREIGN KEY ({own}) REFERENCES {target} ON DELETE {action}{cleared}"
    return f"{name} CHECK ({check_sql(constraint)})"


def check_sql(check: Check) -> str:
    """What a check asks of its column."""
    column = quote(check.column)
    if check.rule == "values":
        members = ", ".join(text_literal(value) for value in check.values)
        return f"{column} <@ ARRAY[{members}]::text[]" if check.array else f"{column} IN ({members})"
    if check.rule == "present":
        return f"{column} IS NOT NULL"
    if check.rule == "items":
        return f"array_position({column}, NULL) IS NULL"
    if check.rule == "pattern":
        return f"{column} ~ {text_literal(for_postgres(check.pattern))}"
    if check.rule == "length":
        if check.array:
            # A cast to varchar(n) cuts, so that an array which survives it had nothing to cut.
            return f"{column}::varchar({int(check.most)})[]::text[] = {column}"
        least = [f"char_length({column}) >= {int(check.least)}"] if check.least is not None else []
        most = [f"char_length({column}) <= {int(check.most)}"] if check.most is not None else []
        return " AND ".join(least + most)
    element = check.type.removesuffix("[]")
    bounds = []
    if check.least is not None:
        bound = literal(check.least, element)
        bounds.append(f"{bound} <= ALL ({column})" if check.array else f"{column} >= {bound}")
    if check.most is not None:
        bound = literal(check.most, element)
        bounds.append(f"{bound} >= ALL ({column})" if check.array else f"{column} <= {bound}")
    return " AND ".join(bounds)


def names(columns: Iterable[str]) -> str:
    return ", ".join(quote(column) for column in columns)


# Indexes


def create_index_sql(table: str, index: Index, namespace: str | None, *, concurrently: bool = False) -> str:
    unique = "UNIQUE " if index.unique else ""
    online = "CONCURRENTLY " if concurrently else ""
    if index.method == "words":
        target = f"USING gin (({words_of(index.columns)}))"
    else:
        directions = index.descending or (False,) * len(index.columns)
        parts = ", ".join(
            (bounds_of(quote(column), index.place) if index.place else quote(column)) + " DESC" * down
            for column, down in zip(index.columns, directions, strict=True)
        )
        method = "" if index.method == "btree" else f"USING {index.method} "
        include = f" INCLUDE ({names(index.include)})" if index.include else ""
        target = f"{method}({parts}){include}"
    live = f" WHERE {quote(index.live)} IS NULL" if index.live else ""
    return f"CREATE {unique}INDEX {online}{quote(index.name)} ON {qualified(namespace, table)} {target}{live}"


_BOUNDS = {"point": "box({})", "path": "box(polygon(pclose({})))", "polygon[]": "box({}[1])"}


def bounds_of(column: str, type_: str) -> str:
    """The expression for the bounds of the places in a column, as spatial indexes hold them."""
    return _BOUNDS[type_].format(column)


# Tenancy and audit


def current_tenant(type_: str) -> str:
    """The tenant in whose name the transaction runs; null when there is none."""
    return f"nullif(current_setting('{TENANT_SETTING}', true), '')::{type_}"


def create_policy_sql(table: str, policy: Policy, namespace: str | None) -> str:
    column = quote(policy.column)
    own = f"{column} = {current_tenant(policy.type)}"
    written = f"{column} IS NULL OR {own}" if policy.writes_without_tenant else own
    on = qualified(namespace, table)
    return f"CREATE POLICY {POLICY} ON {on}\n    USING ({own})\n    WITH CHECK ({written})"


def create_trigger_sql(table: str, trigger: AuditTrigger, namespace: str | None) -> str:
    arguments = ", ".join(text_literal(each) for each in (trigger.entity, trigger.tenant, trigger.id))
    return (
        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {qualified(namespace, table)}\n"
        f"    FOR EACH ROW EXECUTE FUNCTION {qualified(namespace, AUDIT_FUNCTION)}({arguments})"
    )


def create_audit_function_sql(namespace: str | None) -> str:
    """The function finds the log beside the table that fires it, whatever the search path is."""
    return f"""CREATE FUNCTION {qualified(namespace, AUDIT_FUNCTION)}() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $audit$
DECLARE
    row_before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'search_vector' END;
    row_after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'search_vector' END;
    changed jsonb := coalesce(row_after, row_before);
BEGIN
    EXECUTE format(
        'INSERT INTO %I.audit_log (tenant_id, actor_id, request_id, entity, entity_id, action, before, after)'
        ' VALUES (%L, $1, $2, $3, $4, $5, $6, $7)',
        TG_TABLE_SCHEMA, changed ->> nullif(TG_ARGV[1], '')
    ) USING
        nullif(current_setting('{ACTOR_SETTING}', true), ''),
        nullif(current_setting('{REQUEST_SETTING}', true), ''),
        TG_ARGV[0],
        changed ->> TG_ARGV[2],
        CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END,
        row_before,
        row_after;
    RETURN NULL;
END
$audit$"""


# Events of what is written with SQL

EVENT_FUNCTION = "freehold.tell_what_was_written"
EVENT_TRIGGERS = {
    "events_of_inserts": "AFTER INSERT ON {} REFERENCING NEW TABLE AS rows_after",
    "events_of_updates": "AFTER UPDATE ON {} REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after",
    "events_of_deletes": "AFTER DELETE ON {} REFERENCING OLD TABLE AS rows_before",
    "events_of_truncates": "BEFORE TRUNCATE ON {}",
}
"""By their names. PostgreSQL has no trigger of several kinds of statements that gets their rows."""


def create_event_triggers_sql(table: str, triggers: EventTriggers, namespace: str | None) -> str:
    on = qualified(namespace, table)
    told = (triggers.entity, triggers.id, triggers.search, triggers.deleted_at)
    arguments = ", ".join(text_literal(each) for each in told)
    return ";\n".join(
        f"CREATE OR REPLACE TRIGGER {name} {when.format(on)}\n"
        f"    FOR EACH STATEMENT EXECUTE FUNCTION {EVENT_FUNCTION}({arguments})"
        for name, when in EVENT_TRIGGERS.items()
    )


def drop_event_triggers_sql(table: str, namespace: str | None) -> str:
    on = qualified(namespace, table)
    return ";\n".join(f"DROP TRIGGER IF EXISTS {name} ON {on}" for name in EVENT_TRIGGERS)
