"""Rows of users' tables: the SQL that reads and writes them, for any entity of the schema model.

A statement's text depends on its shape alone; every value is bound. So a statement is prepared once for
each shape, and nothing that a caller sends can become SQL.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from freehold.db.ddl.spelling import qualified, quote
from freehold.db.pool import Record
from freehold.db.queries import GROUPS, MAX_TOTAL, Page, Query, escaped_like
from freehold.db.values import Decoder, Encoder, decoder, encoder, filter_encoder, read_datetime, wire_moment
from freehold.errors import BadRequest, InvalidQuery
from freehold.schema.model import Comparison, Condition, Entity, Field, IdKind, Kind, Type
from freehold.schema.tables import ID_TYPES, sql_type
from freehold.schema.values import Misfit

SYSTEM_NAMES = frozenset(
    (
        "$id",
        "$sequence",
        "$createdAt",
        "$updatedAt",
        "$permissions",
        "$databaseId",
        "$tableId",
        "$collectionId",
    )
)
"""What every row has on the wire, whatever is selected."""


class OrderHasNull(BadRequest, type="database_query_order_null"):
    """The row that the cursor names has no value in `{attribute}`, which the list is ordered by."""


class Column(NamedTuple):
    """A column that holds data of the caller's, ready for use."""

    key: str
    """What it is called on the wire."""
    sql: str
    sql_type: str
    field: Field
    encode: Encoder
    encode_filter: Encoder
    decode: Decoder | None
    comparable: bool

    @property
    def required(self) -> bool:
        return not self.field.nullable and self.field.default is None and not self.field.default_me


class Operand(NamedTuple):
    """What a query may compare or order by: a data column or a system column."""

    sql: str
    encode: Encoder
    is_array: bool
    is_text: bool


class Statement(NamedTuple):
    """A statement and its values, in the order of its placeholders."""

    sql: str
    values: list[Any]


class Values:
    """The values of a statement that is being written."""

    def __init__(self) -> None:
        self.bound: list[Any] = []

    def bind(self, value: Any) -> str:
        """Add a value; gives its placeholder."""
        self.bound.append(value)
        return f"${len(self.bound)}"


class Scope(NamedTuple):
    """Which rows a caller may reach at all. An empty scope is every row of the table."""

    asks: list[str] | None = None
    """One of these permissions has to stand on the row."""
    tenant: Any = None
    """The tenant that the row has to be of; for tenant-scoped tables."""
    grants: tuple[tuple[Condition, ...], ...] | None = None
    """One of these conjunctions has to hold of the row, from the schema's access rules."""
    user_id: str = ""
    """Who `me` is in the conditions."""


class RowTable:
    """A table of rows, with everything about it that can be worked out once."""

    def __init__(
        self,
        namespace: str,
        entity: Entity,
        id_kinds: Mapping[str, IdKind],
        constants: Mapping[str, Any],
        *,
        tenant: IdKind = "uuid",
    ) -> None:
        """`id_kinds` are of the entities that refs point at; `constants` stand in every row on the wire."""
        self.tenant_type = ID_TYPES[tenant]
        layout = entity.layout
        self.entity = entity
        self.layout = layout
        # With the state of the entity: statements that were prepared for another one would take its types.
        state = crc32(msgspec.json.encode(entity))
        self.relation = f"{qualified(namespace, entity.table)} /* {state:08x} */"
        self.columns = {
            field.wire_name: _column(field, id_kinds.get(field.type.target or "", "uuid"))
            for field in entity.columns
        }
        self.encode_id = ID_ENCODERS[entity.id_kind]
        self._constants = dict(constants)
        self._operands = {key: _operand(column) for key, column in self.columns.items() if column.comparable}
        self._operands["$id"] = Operand(quote(layout.id), self.encode_id, False, entity.id_kind == "text")
        if layout.created_at is not None:
            self._operands["$createdAt"] = Operand(quote(layout.created_at), read_datetime, False, False)
        if layout.updated_at is not None:
            self._operands["$updatedAt"] = Operand(quote(layout.updated_at), read_datetime, False, False)
        self._tie = quote(layout.sequence or layout.id)
        self._operands["$sequence"] = Operand(
            self._tie, _sequence if layout.sequence else self.encode_id, False, False
        )
        self._system = [
            (wire, name, decode)
            for wire, name, decode in (
                ("$id", layout.id, None if entity.id_kind == "text" else str),
                ("$sequence", layout.sequence, str),
                ("$createdAt", layout.created_at, wire_moment),
                ("$updatedAt", layout.updated_at, wire_moment),
                ("$permissions", layout.permissions, None),
            )
            if name is not None
        ]
        missing = {wire for wire, *_ in self._system}
        self._constants |= {
            wire: empty
            for wire, empty in (("$sequence", ""), ("$createdAt", ""), ("$updatedAt", ""))
            if wire not in missing
        }
        if "$permissions" not in missing:
            self._constants["$permissions"] = []
        self.travels_as_json = all(
            column.field.type.kind not in _NOT_IN_JSON for column in self.columns.values()
        )
        """Whether `insert_many` can make the table's rows."""
        self.shape = self._shape(list(self.columns.values()))
        self.get_sql = f"select {self.shape.select} from {self.relation} where "

    def _shape(self, columns: Sequence[Column]) -> Shape:
        names = [column.key for column in columns] + [wire for wire, *_ in self._system]
        sql = [column.sql for column in columns] + [quote(name) for _, name, _ in self._system]
        decoders = [(column.key, column.decode) for column in columns if column.decode is not None]
        decoders += [(wire, decode) for wire, _, decode in self._system if decode is not None]
        return Shape(", ".join(sql), tuple(names), tuple(decoders), self._constants)

    def selected(self, select: Sequence[str]) -> Shape:
        """The shape of rows with only these columns, and always the system columns. Raises InvalidQuery."""
        if not select or "*" in select:
            return self.shape
        for name in select:
            if name not in self.columns and name not in SYSTEM_NAMES:
                raise InvalidQuery(reason=f"`{name[:100]}` is not a column of this table.")
        return self._shape([column for key, column in self.columns.items() if key in select])

    # -- reading ---------------------------------------------------------------------------------------

    def get(self, row_id: Any, scope: Scope, shape: Shape | None = None) -> Statement:
        """Read one row."""
        values = Values()
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        head = self.get_sql if shape is None else f"select {shape.select} from {self.relation} where "
        return Statement(head + where, values.bound)

    def find(
        self, page: Page, scope: Scope, shape: Shape, *, after: Record | None, counted: bool
    ) -> Statement:
        """Read a page of rows; with `counted`, a last column says how many there are (at most MAX_TOTAL).

        `after` is what `cursor` found for the page's cursor. Rows before a cursor come backwards.
        """
        values = Values()
        where = "true" + self._within(scope, values)
        for query in page.filters:
            where += f" and {self._filter(query, values)}"
        select = f"{shape.select}, ({self._count(where)})" if counted else shape.select
        order = self._order(page)
        if after is not None:
            where += f" and {_beyond(order, list(after), values)}"
        order_by = "random()" if order is None else ", ".join(f"{sql} {way}" for sql, way, _ in order)
        sql = f"select {select} from {self.relation} where {where} order by {order_by}"
        sql += f" limit {values.bind(page.limit)}"
        if page.offset:
            sql += f" offset {values.bind(page.offset)}"
        return Statement(sql, values.bound)

    def count(self, page: Page, scope: Scope) -> Statement:
        """Count the rows that fit, up to MAX_TOTAL."""
        values = Values()
        where = "true" + self._within(scope, values)
        for query in page.filters:
            where += f" and {self._filter(query, values)}"
        return Statement(self._count(where), values.bound)

    def _count(self, where: str) -> str:
        return f"select count(*) from (select 1 from {self.relation} where {where} limit {MAX_TOTAL}) counted"

    def cursor(self, page: Page, row_id: Any, scope: Scope) -> Statement:
        """Look up where a cursor stands in the page's order."""
        values = Values()
        order = self._order(page)
        if order is None:
            raise InvalidQuery(reason="a cursor has no place in a random order.")
        columns = ", ".join(sql for sql, *_ in order)
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        return Statement(f"select {columns} from {self.relation} where {where}", values.bound)

    def check_cursor(self, page: Page, found: Record) -> None:
        """Refuse a cursor that has no value in a column of the order. Raises OrderHasNull."""
        for (_, _, attribute), value in zip(self._order(page) or (), found, strict=True):
            if value is None:
                raise OrderHasNull(attribute=attribute)

    def _order(self, page: Page) -> list[tuple[str, str, str]] | None:
        """The order as (SQL, `asc` or `desc`, attribute), ending with a unique column; None is random."""
        order: list[tuple[str, str, str]] = []
        way = "asc"
        for query in page.orders:
            if query.method == "orderRandom":
                return None
            way = "asc" if query.method == "orderAsc" else "desc"
            attribute = query.attribute or "$sequence"
            order.append((self._operand(attribute).sql, way, attribute))
        if not any(sql == self._tie for sql, *_ in order):
            order.append((self._tie, way, "$sequence"))
        if page.backwards:
            order = [(sql, "desc" if way == "asc" else "asc", attribute) for sql, way, attribute in order]
        return order

    def _operand(self, attribute: str) -> Operand:
        operand = self._operands.get(attribute)
        if operand is None:
            known = "cannot be compared" if attribute in self.columns else "is not a column of this table"
            raise InvalidQuery(reason=f"`{attribute[:100]}` {known}.")
        return operand

    def _filter(self, query: Query, values: Values) -> str:
        if query.method in GROUPS:
            joined = f" {query.method} ".join(self._filter(each, values) for each in query.values)
            return f"({joined})"
        operand = self._operand(query.attribute)
        compile_ = _COMPILERS[query.method]
        try:
            return compile_(operand, query, values)
        except Misfit as misfit:
            raise InvalidQuery(
                reason=f"a value of `{query.method}` on `{query.attribute}` {misfit.message}."
            ) from misfit

    def _within(self, scope: Scope, values: Values) -> str:
        """The predicates that keep a statement to the rows that the caller may reach."""
        sql = ""
        if self.layout.tenant is not None:
            sql += f" and {quote(self.layout.tenant)} = {values.bind(scope.tenant)}"
        elif self.entity.tenant == "self" and scope.tenant is not None:
            sql += f" and {quote(self.layout.id)} = {values.bind(scope.tenant)}"
        if self.layout.deleted_at is not None:
            sql += f" and {quote(self.layout.deleted_at)} is null"
        if scope.asks is not None:
            assert self.layout.permissions is not None
            sql += f" and {quote(self.layout.permissions)} && {values.bind(scope.asks)}"
        if scope.grants is not None:
            alternatives = [
                " and ".join(self._condition(condition, scope, values) for condition in grant)
                for grant in scope.grants
            ]
            sql += f" and ({' or '.join(f'({each})' for each in alternatives) or 'false'})"
        return sql

    def _condition(self, condition: Condition, scope: Scope, values: Values) -> str:
        if not isinstance(condition, Comparison):
            return "false"  # member_of is not offered here; see services.databases.schemas
        if condition.field == self.layout.id:
            name, encode = quote(self.layout.id), self.encode_id
        else:
            field = self.entity.field(condition.field)
            column = self.columns.get(field.wire_name) if field is not None else None
            if column is None:
                return "false"
            name, encode = column.sql, column.encode_filter
        wanted = [scope.user_id] if condition.me else [scope.tenant] if condition.tenant else condition.values
        try:
            encoded = [encode(value) for value in wanted]
        except Misfit:  # such as a user whose id cannot stand in the column: nothing is theirs
            return "false"
        return f"{name} = any({values.bind(encoded)})"

    # -- writing ---------------------------------------------------------------------------------------

    def insert(self, assigned: Mapping[str, Any]) -> Statement:
        """Insert a row from SQL names and the driver's values."""
        values = Values()
        names = ", ".join(assigned)
        bound = ", ".join(values.bind(value) for value in assigned.values())
        given = f"({names}) values ({bound})" if assigned else "default values"
        return Statement(
            f"insert into {self.relation} {given} returning {self.shape.select}",
            values.bound,
        )

    def update(self, row_id: Any, assigned: Mapping[str, Any], scope: Scope) -> Statement:
        """Change a row; `updated_at` and `version` move along."""
        values = Values()
        sets = [f"{name} = {values.bind(value)}" for name, value in assigned.items()]
        sets += self._touched(assigned)
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        return Statement(
            f"update {self.relation} set {', '.join(sets)} where {where} returning {self.shape.select}",
            values.bound,
        )

    def insert_many(self, rows: Sequence[Mapping[str, Any]]) -> Statement:
        """Insert rows that all set the same columns, by SQL names and the driver's values.

        The rows travel as one JSON document, so that one statement serves any number of them.
        """
        values = Values()
        names = list(rows[0])
        document = [{f"c{at}": _in_json(row[name]) for at, name in enumerate(names)} for row in rows]
        typed = ", ".join(f"c{at} {self._sql_type(name)}" for at, name in enumerate(names))
        columns = ", ".join(f"c{at}" for at in range(len(names)))
        source = f"jsonb_to_recordset({values.bind(msgspec.json.encode(document))}) as made({typed})"
        return Statement(
            f"insert into {self.relation} ({', '.join(names)}) select {columns} from {source}"
            f" returning {self.shape.select}",
            values.bound,
        )

    def update_many(self, assigned: Mapping[str, Any], page: Page, scope: Scope) -> Statement:
        """Change the rows that fit."""
        values = Values()
        sets = [f"{name} = {values.bind(value)}" for name, value in assigned.items()]
        sets += self._touched(assigned)
        where = self._fitting(page, scope, values)
        return Statement(
            f"update {self.relation} set {', '.join(sets)} where {where} returning {self.shape.select}",
            values.bound,
        )

    def delete_many(self, page: Page, scope: Scope) -> Statement:
        """Delete the rows that fit."""
        values = Values()
        where = self._fitting(page, scope, values)
        return Statement(f"{self._delete()} where {where} returning {self.shape.select}", values.bound)

    def _fitting(self, page: Page, scope: Scope, values: Values) -> str:
        """The predicate of a bulk change: filters, and with a limit the first so many of an order."""
        where = "true" + self._within(scope, values)
        for query in page.filters:
            where += f" and {self._filter(query, values)}"
        if page.limited or page.offset:
            order = self._order(page)
            order_by = "random()" if order is None else ", ".join(f"{sql} {way}" for sql, way, _ in order)
            key = quote(self.layout.id)
            limit = f" limit {values.bind(page.limit)}" if page.limited else ""
            where = (
                f"{key} in (select {key} from {self.relation} where {where}"
                f" order by {order_by}{limit} offset {values.bind(page.offset)})"
                f"{self._within(scope, values)}"
            )
        return where

    def increment(
        self, row_id: Any, column: Column, by: Any, bound: Any, scope: Scope, *, extra: Mapping[str, Any]
    ) -> Statement:
        """Add to a number, unless the sum would pass the bound (above it for `by` > 0, else below)."""
        values = Values()
        total = f"coalesce({column.sql}, 0) + {values.bind(by)}"
        sets = [f"{column.sql} = {total}"]
        sets += [f"{name} = {values.bind(value)}" for name, value in extra.items()]
        sets += self._touched(extra)
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        if bound is not None:
            where += f" and {total} {'<=' if by > 0 else '>='} {values.bind(bound)}"
        return Statement(
            f"update {self.relation} set {', '.join(sets)} where {where} returning {self.shape.select}",
            values.bound,
        )

    def _touched(self, assigned: Mapping[str, Any]) -> list[str]:
        """What moves along with every change of a row."""
        updated_at, version = self.layout.updated_at, self.layout.version
        sets = []
        if updated_at is not None and quote(updated_at) not in assigned:
            sets.append(f"{quote(updated_at)} = now()")
        if version is not None:
            sets.append(f"{quote(version)} = {quote(version)} + 1")
        return sets

    def _sql_type(self, name: str) -> str:
        """The type of a column by its SQL name."""
        for column in self.columns.values():
            if column.sql == name:
                return column.sql_type
        layout = self.layout
        if name == quote(layout.id):
            return ID_TYPES[self.entity.id_kind]
        if layout.permissions is not None and name == quote(layout.permissions):
            return "text[]"
        if name in [quote(each) for each in (layout.created_at, layout.updated_at) if each is not None]:
            return "timestamptz(3)"
        if layout.tenant is not None and name == quote(layout.tenant):
            return self.tenant_type
        return "text"

    def delete(self, row_id: Any, scope: Scope) -> Statement:
        """Delete a row; one that is deleted softly is marked."""
        values = Values()
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        return Statement(f"{self._delete()} where {where} returning {self.shape.select}", values.bound)

    def _delete(self) -> str:
        if self.layout.deleted_at is None:
            return f"delete from {self.relation}"
        sets = [f"{quote(self.layout.deleted_at)} = now()", *self._touched({})]
        return f"update {self.relation} set {', '.join(sets)}"

    def delete_softly_with(self, column: str, parents: Sequence[Any], scope: Scope) -> Statement:
        """Mark the rows that refer to rows which are being marked as deleted. Gives their ids."""
        assert self.layout.deleted_at is not None
        values = Values()
        where = f"{quote(column)} = any({values.bind(list(parents))}){self._within(scope, values)}"
        return Statement(f"{self._delete()} where {where} returning {quote(self.layout.id)}", values.bound)

    def exists(self, row_id: Any, scope: Scope) -> Statement:
        """Tell whether there is such a row within the scope."""
        values = Values()
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{self._within(scope, values)}"
        return Statement(f"select 1 from {self.relation} where {where}", values.bound)


class Shape(NamedTuple):
    """Which columns a statement reads, and how a row of them is spelled on the wire."""

    select: str
    names: tuple[str, ...]
    decoders: tuple[tuple[str, Decoder], ...]
    constants: Mapping[str, Any]

    def row(self, record: Record) -> dict[str, Any]:
        """A row as the wire has it. Columns of the record past the shape's own are left alone."""
        row = dict(zip(self.names, record, strict=False))
        for name, decode in self.decoders:
            row[name] = decode(row[name])
        row.update(self.constants)
        return row


def _column(field: Field, id_kind: IdKind) -> Column:
    if field.type.kind is Kind.REF:
        typed = Type(kind={"uuid": Kind.UUID, "serial": Kind.BIGINT, "text": Kind.STRING}[id_kind], length=36)
        resolved = _replace_type(field, typed)
    else:
        resolved = field
    return Column(
        key=field.wire_name,
        sql=quote(field.column),
        sql_type=sql_type(resolved.type),
        field=field,
        encode=encoder(resolved),
        encode_filter=filter_encoder(resolved),
        decode=decoder(resolved),
        comparable=resolved.type.kind not in _NOT_COMPARED,
    )


def _in_json(value: Any) -> Any:
    """A driver's value as JSON from which PostgreSQL reads the same value."""
    if isinstance(value, bytes):  # already JSON, of a jsonb column
        return msgspec.Raw(value)
    return [_in_json(each) for each in value] if isinstance(value, list) else value


def _replace_type(field: Field, type_: Type) -> Field:
    return Field(
        **{name: getattr(field, name) for name in field.__struct_fields__ if name != "type"}, type=type_
    )


_NOT_COMPARED = frozenset((Kind.JSON, Kind.BYTES, Kind.POINT, Kind.LINE, Kind.POLYGON))
_NOT_IN_JSON = frozenset((Kind.BYTES, Kind.POINT, Kind.LINE, Kind.POLYGON))
_TEXTS = frozenset((Kind.STRING, Kind.TEXT, Kind.ENUM, Kind.EMAIL, Kind.URL))


def _operand(column: Column) -> Operand:
    is_text = column.field.type.kind in _TEXTS
    return Operand(column.sql, column.encode_filter, column.field.type.array, is_text)


def _uuid_id(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError) as error:
        raise Misfit("is not a UUID, as the ids of this table are") from error


def _sequence(value: Any) -> int:
    try:
        number = int(value)
    except (ValueError, TypeError) as error:
        raise Misfit("is not a whole number") from error
    if not 0 <= number < 2**63:
        raise Misfit("is not a sequence number")
    return number


def _text_id(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise Misfit("is not an id")
    return value


ID_ENCODERS: dict[IdKind, Encoder] = {"uuid": _uuid_id, "serial": _sequence, "text": _text_id}
"""From an id as the wire has it to the driver's, by what kind of ids an entity has."""


# -- filters -----------------------------------------------------------------------------------------------

_Compiler = Callable[[Operand, Query, Values], str]


def _encoded(operand: Operand, query: Query, count: int | None = None) -> list[Any]:
    """The query's values as the driver takes them, none of them null."""
    if count is not None and len(query.values) != count:
        raise Misfit(f"is missing or too many: it takes {count}")
    if not query.values:
        raise Misfit("is missing")
    if None in query.values:
        raise Misfit("is null; ask with isNull or isNotNull")
    return [operand.encode(value) for value in query.values]


def _scalar(operand: Operand, query: Query) -> None:
    if operand.is_array:
        raise Misfit(f"cannot be compared: `{query.attribute}` is an array, which only contains* can ask")


def _equal(operand: Operand, query: Query, values: Values) -> str:
    _scalar(operand, query)
    encoded = _encoded(operand, query)
    if len(encoded) == 1:
        return f"{operand.sql} = {values.bind(encoded[0])}"
    return f"{operand.sql} = any({values.bind(encoded)})"


def _compare(operator: str) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        return f"{operand.sql} {operator} {values.bind(_encoded(operand, query, 1)[0])}"

    return compile_


def _between(negated: str) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        least, most = _encoded(operand, query, 2)
        return f"{operand.sql} {negated}between {values.bind(least)} and {values.bind(most)}"

    return compile_


def _null(test: str) -> _Compiler:
    return lambda operand, query, values: f"{operand.sql} {test}"


def _like(before: str, after: str, *, negated: bool = False) -> _Compiler:
    def compile_(operand: Operand, query: Query, values: Values) -> str:
        _scalar(operand, query)
        if not operand.is_text:
            raise Misfit("cannot be looked for: the column is not of text")
        patterns = []
        for value in query.values or (None,):
            if not isinstance(value, str) or "\0" in value:
                raise Misfit("is not a text")
            patterns.append(f"{before}{escaped_like(value)}{after}")
        if negated:
            return f"not {operand.sql} ilike any({values.bind(patterns)}::text[])"
        return f"{operand.sql} ilike any({values.bind(patterns)}::text[])"

    return compile_


def _contains(operator: str, *, negated: bool = False) -> _Compiler:
    in_text = _like("%", "%", negated=negated)

    def compile_(operand: Operand, query: Query, values: Values) -> str:
        if not operand.is_array:
            if operator == "@>":
                raise Misfit(f"cannot be asked: `{query.attribute}` is not an array")
            return in_text(operand, query, values)
        overlap = f"{operand.sql} {operator} {values.bind(_encoded(operand, query))}"
        return f"not {overlap}" if negated else overlap

    return compile_


_COMPILERS: dict[str, _Compiler] = {
    "equal": _equal,
    "notEqual": _compare("<>"),
    "lessThan": _compare("<"),
    "lessThanEqual": _compare("<="),
    "greaterThan": _compare(">"),
    "greaterThanEqual": _compare(">="),
    "between": _between(""),
    "notBetween": _between("not "),
    "isNull": _null("is null"),
    "isNotNull": _null("is not null"),
    "startsWith": _like("", "%"),
    "notStartsWith": _like("", "%", negated=True),
    "endsWith": _like("%", ""),
    "notEndsWith": _like("%", "", negated=True),
    "contains": _contains("&&"),
    "containsAny": _contains("&&"),
    "containsAll": _contains("@>"),
    "notContains": _contains("&&", negated=True),
}


def _beyond(order: list[tuple[str, str, str]] | None, at: list[Any], values: Values) -> str:
    """The rows that come after a place in an order: one row comparison when all columns go one way."""
    assert order is not None
    bound = [values.bind(value) for value in at]
    if len({way for _, way, _ in order}) == 1:
        operator = ">" if order[0][1] == "asc" else "<"
        return f"({', '.join(sql for sql, *_ in order)}) {operator} ({', '.join(bound)})"
    alternatives = []
    for position, (sql, way, _) in enumerate(order):
        same = [f"{order[i][0]} = {bound[i]}" for i in range(position)]
        alternatives.append(" and ".join([*same, f"{sql} {'>' if way == 'asc' else '<'} {bound[position]}"]))
    return "(" + " or ".join(f"({each})" for each in alternatives) + ")"
