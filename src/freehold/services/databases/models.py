"""Shapes of databases, tables, columns, indexes and rows on the wire."""

from __future__ import annotations

from typing import Any

from msgspec import field

from freehold.web.wire import Metric, Open, Output, Resource


class Database(Resource, kw_only=True):
    name: str
    description: str
    enabled: bool
    type: str
    status: str = "ready"


class DatabaseList(Output):
    total: int
    databases: list[Database]


class Column(Output):
    """What columns of all types have in common."""

    key: str
    type: str
    status: str
    error: str
    required: bool
    array: bool
    description: str
    created_at: str = field(name="$createdAt")
    updated_at: str = field(name="$updatedAt")


class ColumnBoolean(Column, kw_only=True):
    default: bool | None = None


class ColumnInteger(Column, kw_only=True):
    min: int | None = None
    max: int | None = None
    default: int | None = None


class ColumnBigint(Column, kw_only=True):
    min: int | None = None
    max: int | None = None
    default: int | None = None


class ColumnFloat(Column, kw_only=True):
    min: float | None = None
    max: float | None = None
    default: float | None = None


class ColumnEmail(Column, kw_only=True):
    format: str
    default: str | None = None


class ColumnUrl(Column, kw_only=True):
    format: str
    default: str | None = None


class ColumnIp(Column, kw_only=True):
    format: str
    default: str | None = None


class ColumnEnum(Column, kw_only=True):
    format: str
    elements: list[str]
    default: str | None = None


class ColumnDatetime(Column, kw_only=True):
    format: str
    default: str | None = None


class ColumnString(Column, kw_only=True):
    size: int
    default: str | None = None
    encrypt: bool = False


class ColumnVarchar(Column, kw_only=True):
    size: int
    default: str | None = None
    encrypt: bool = False


class ColumnText(Column, kw_only=True):
    default: str | None = None
    encrypt: bool = False


class ColumnMediumtext(Column, kw_only=True):
    default: str | None = None
    encrypt: bool = False


class ColumnLongtext(Column, kw_only=True):
    default: str | None = None
    encrypt: bool = False


class ColumnPoint(Column, kw_only=True):
    default: list[float] | None = None


class ColumnLine(Column, kw_only=True):
    default: list[list[float]] | None = None


class ColumnPolygon(Column, kw_only=True):
    default: list[list[list[float]]] | None = None


class ColumnRelationship(Column, kw_only=True):
    related_table: str
    relation_type: str
    two_way: bool
    two_way_key: str
    on_delete: str
    side: str


class ColumnFormatted(Column, kw_only=True):
    """A field of a schema file whose type the wire has no column for: a text with a format."""

    size: int
    format: str
    default: Any = None


AnyColumn = (
    ColumnBoolean
    | ColumnInteger
    | ColumnBigint
    | ColumnFloat
    | ColumnEmail
    | ColumnUrl
    | ColumnIp
    | ColumnEnum
    | ColumnDatetime
    | ColumnString
    | ColumnVarchar
    | ColumnText
    | ColumnMediumtext
    | ColumnLongtext
    | ColumnPoint
    | ColumnLine
    | ColumnPolygon
    | ColumnRelationship
    | ColumnFormatted
)


class ColumnList(Output):
    total: int
    columns: list[AnyColumn]


class ColumnIndex(Resource, kw_only=True):
    key: str
    type: str
    status: str
    error: str
    description: str
    columns: list[str]
    lengths: list[int | None]
    orders: list[str]


class ColumnIndexList(Output):
    total: int
    indexes: list[ColumnIndex]


class Table(Resource, kw_only=True):
    permissions: list[str] = field(name="$permissions")
    database_id: str
    name: str
    description: str
    enabled: bool
    row_security: bool
    sql_events: bool
    """Whether what is written past this API is told as events."""
    columns: list[AnyColumn]
    indexes: list[ColumnIndex]
    bytes_max: int
    bytes_used: int


class TableList(Output):
    total: int
    tables: list[Table]


class Row(Open):
    """A row: what the platform knows of it, and the table's columns beside."""

    id: str = field(name="$id")
    sequence: str = field(name="$sequence")
    table_id: str = field(name="$tableId")
    database_id: str = field(name="$databaseId")
    created_at: str = field(name="$createdAt")
    updated_at: str = field(name="$updatedAt")
    permissions: list[str] = field(name="$permissions")


class RowList(Output):
    total: int
    rows: list[Row]


class Transaction(Resource, kw_only=True):
    status: str
    operations: int
    expires_at: str


class TransactionList(Output):
    total: int
    transactions: list[Transaction]


class UsageDatabases(Output):
    range: str
    databases_total: int
    collections_total: int
    tables_total: int
    documents_total: int
    rows_total: int
    storage_total: int
    """In bytes, indexes included."""
    databases_reads_total: int
    """In the range."""
    databases_writes_total: int
    databases: list[Metric]
    collections: list[Metric]
    tables: list[Metric]
    documents: list[Metric]
    rows: list[Metric]
    storage: list[Metric]
    databases_reads: list[Metric]
    databases_writes: list[Metric]


class UsageDatabase(Output):
    range: str
    collections_total: int
    tables_total: int
    documents_total: int
    rows_total: int
    storage_total: int
    """In bytes, indexes included."""
    database_reads_total: int
    """In the range."""
    database_writes_total: int
    collections: list[Metric]
    tables: list[Metric]
    documents: list[Metric]
    rows: list[Metric]
    storage: list[Metric]
    database_reads: list[Metric]
    database_writes: list[Metric]


class UsageTable(Output):
    range: str
    rows_total: int
    rows: list[Metric]
