"""A table of rows: the SQL that reads and writes it, for any entity of the schema model.

A statement's text depends on its shape alone; every value is bound. So a statement is prepared once for
each shape, and nothing that a caller sends can become SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from freehold.db.ddl.spelling import qualified, quote
from freehold.db.pool import Record
from freehold.db.queries import GROUPS, MAX_TOTAL, Page, Query
from freehold.db.rows.columns import (
    ID_ENCODERS,
    Column,
    Operand,
    column_of,
    operand_of,
    sequence_number,
)
from freehold.db.rows.filters import condition, rank
from freehold.db.rows.operators import Change
from freehold.db.rows.order import Ordered, beyond, order_by, place
from freehold.db.rows.reach import either, own, readable, within
from freehold.db.rows.references import Reference, known, known_or_kept
from freehold.db.rows.relations import Related, matching, ordered_by
from freehold.db.rows.statement import Scope, Statement, Values, planned_anew
from freehold.db.rows.words import searched
from freehold.db.sealing import Seal
from freehold.db.values import Decoder, read_datetime, wire_moment
from freehold.errors import BadRequest, InvalidQuery
from freehold.schema.model import Entity, IdKind
from freehold.schema.sql_types import ID_TYPES
from freehold.schema.table_names import primary_key_name

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


MAX_ORDERS = 20


class OrderHasNull(BadRequest, type="database_query_order_null"):
    """The row that the cursor names has no value in `{attribute}`, which the list is ordered by."""


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
        secret: str = "",
        hidden: Sequence[str] = (),
    ) -> None:
        """`id_kinds` are of the entities that refs point at; `constants` stand in every row on the wire.

        `secret` is the installation's, for columns that are encrypted. `hidden` are the table's columns that
        the entity is shown without.
        """
        self.tenant_type = ID_TYPES[tenant]
        layout = entity.layout
        self.entity = entity
        self.layout = layout
        # With the state of the entity: statements that were prepared for another one would take its types.
        state = crc32(msgspec.json.encode(entity))
        self.relation = f"{qualified(namespace, entity.table)} /* {state:08x} */"
        self.columns = {
            key: column_of(
                key,
                field,
                id_kinds.get(field.type.target or "", "uuid"),
                Seal(secret, entity.id, field.id, key) if field.encrypted else None,
            )
            for key, field in ((entity.wire_name(field), field) for field in entity.columns)
        }
        self.id_sql = quote(layout.id)
        self.encode_id = ID_ENCODERS[entity.id_kind]
        self._constants = dict(constants)
        self._related: Mapping[str, Related] = {}
        self._operands = {
            key: operand_of(column, searched(entity, column.field))
            for key, column in self.columns.items()
            if column.comparable
        }
        self._operands["$id"] = Operand(quote(layout.id), self.encode_id, False, entity.id_kind == "text")
        if layout.created_at is not None:
            self._operands["$createdAt"] = Operand(quote(layout.created_at), read_datetime, False, False)
        if layout.updated_at is not None:
            self._operands["$updatedAt"] = Operand(quote(layout.updated_at), read_datetime, False, False)
        self.tie = quote(layout.sequence or layout.id)
        self._operands["$sequence"] = Operand(
            self.tie, sequence_number if layout.sequence else self.encode_id, False, False
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
        self.shape = self._shape(list(self.columns.values()))
        self.returned = ", ".join([self.shape.select, *map(quote, self._told_beside(hidden))])
        """What a change returns of each row: the shape, and behind it what else its event tells."""
        self.get_sql = f"select {self.shape.select} from {self.relation} where "

    def _shape(self, columns: Sequence[Column]) -> Shape:
        names = [column.key for column in columns] + [wire for wire, *_ in self._system]
        sql = [column.sql for column in columns] + [quote(name) for _, name, _ in self._system]
        decoders = [(column.key, column.decode) for column in columns if column.decode is not None]
        decoders += [(wire, decode) for wire, _, decode in self._system if decode is not None]
        return Shape(", ".join(sql), tuple(names), tuple(decoders), self._constants)

    def _told_beside(self, hidden: Sequence[str]) -> list[str]:
        # An event is told to others than its cause: by the row's tenant, and with what those may see.
        columns = [each for each in (*hidden, self.layout.tenant) if each is not None]
        return [
            each for each in columns if quote(each) not in {column.sql for column in self.columns.values()}
        ]

    def selected(self, select: Sequence[str]) -> Shape:
        """The shape of rows with only these columns, and always the system columns. Raises InvalidQuery."""
        if not select or "*" in select:
            return self.shape
        for name in select:
            if name not in self.columns and name not in SYSTEM_NAMES:
                raise InvalidQuery(reason=f"`{name[:100]}` is not a column of this table.")
        return self._shape([column for key, column in self.columns.items() if key in select])

    def related_to(self, related: Mapping[str, Related]) -> RowTable:
        """The same table, as one that can be asked about related rows too, by the keys of the relations."""
        view = copy(self)
        view._related = related
        return view

    def relation_in(self, attribute: str) -> tuple[str, Related | None]:
        """The relation that an attribute leads through, and its key; none when it is a column's."""
        if attribute not in self._operands:
            for key, related in self._related.items():
                if attribute == key or attribute.startswith(f"{key}."):
                    return key, related
        return "", None

    # -- reading ---------------------------------------------------------------------------------------

    def get(self, row_id: Any, scope: Scope, shape: Shape | None = None) -> Statement:
        """Read one row."""
        values = Values()
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        head = self.get_sql if shape is None else f"select {shape.select} from {self.relation} where "
        return Statement(head + where, values.bound)

    def get_each(self, row_ids: Sequence[Any], scope: Scope) -> Statement:
        """Read some rows, in no order."""
        values = Values()
        where = f"{self.id_sql} = any({values.bind(list(row_ids))}){within(self, scope, values)}"
        return Statement(self.get_sql + where, values.bound)

    def find(self, page: Page, scope: Scope, shape: Shape, *, cursor: Any, counted: bool) -> Statement:
        """Read a page of rows; with `counted`, a last column says how many there are (at most MAX_TOTAL).

        `cursor` is the page's, as an id. Rows before it come backwards. An empty page may mean that the
        cursor stands nowhere: see `cursor`.
        """
        values = Values()
        fitting = self._fit(page, scope, values)
        where = fitting.all
        # Named as no column can be: an order by one called `count` would be ambiguous.
        select = f'{shape.select}, ({self._count(fitting)}) as "#total"' if counted else shape.select
        order = self.order(page, values)
        paged = f"{order_by(order)} limit {values.bind(page.limit)}"
        if page.offset:
            paged += f" offset {values.bind(page.offset)}"
        if not page.cursor:
            return Statement(f"select {select} from {self.relation} where {where} {paged}", values.bound)
        known = _known(order)
        stands = f"{quote(self.layout.id)} = {values.bind(cursor)}{within(self, scope, values)}"
        head = place(known, f"{self.relation} where {stands}")
        ranges = [f"{self.relation} where {where} and {each}" for each in beyond(known)]
        if len(ranges) == 1:
            return Statement(f"{head}select {select} from {ranges[0]} {paged}", values.bound)
        enough = f"{order_by(order)} limit {values.bind(page.limit + page.offset)}"
        parts = " union all ".join(f"(select * from {each} {enough})" for each in ranges)
        return Statement(
            f"{head}select {select} from ({parts}) as {quote(self.entity.table)} {paged}", values.bound
        )

    def count(self, page: Page, scope: Scope) -> Statement:
        """Count the rows that fit, up to MAX_TOTAL."""
        values = Values()
        return Statement(self._count(self._fit(page, scope, values)), values.bound)

    def _count(self, fitting: _Fitting) -> str:
        each = " union all ".join(f"select 1 from {self.relation} where {where}" for where in fitting.parts)
        return f"select count(*) from ({each} limit {MAX_TOTAL}) counted"

    def cursor(self, page: Page, row_id: Any, scope: Scope) -> Statement:
        """Look up where a cursor stands in the page's order."""
        values = Values()
        columns = ", ".join(each.sql for each in _known(self.order(page, values)))
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        return Statement(f"select {columns} from {self.relation} where {where}", values.bound)

    def check_cursor(self, page: Page, found: Record) -> None:
        """Refuse a cursor that has no value in a column of the order. Raises OrderHasNull."""
        for each, value in zip(self.order(page, Values()) or (), found, strict=True):
            if value is None:
                raise OrderHasNull(attribute=each.attribute)

    def order(self, page: Page, values: Values) -> list[Ordered] | None:
        """The order, ending with a unique column; None is random.

        Rows that are searched for, in no order, come as well as they fit.
        """
        order: list[Ordered] = []
        descending = False
        unique = (quote(self.layout.id), self.tie)
        if not page.orders:
            searches = (
                query
                for query in page.filters
                if query.method == "search" and self.relation_in(query.attribute)[1] is None
            )
            order += [
                Ordered(rank(self.operand(query.attribute), query, values), True, query.attribute)
                for query in searches
            ]
        for query in page.orders:
            if query.method == "orderRandom":
                return None
            descending = query.method == "orderDesc"
            attribute = query.attribute or "$sequence"
            sql = ordered_by(self, attribute, values)
            nullable = attribute not in self._operands or self._operands[attribute].nullable
            if all(sql != each.sql for each in order):
                order.append(Ordered(sql, descending, attribute, nullable))
        if len(order) > MAX_ORDERS:
            raise InvalidQuery(reason=f"a list is in the order of at most {MAX_ORDERS} columns.")
        ends = next((at for at, each in enumerate(order) if each.sql in unique), None)
        if ends is None:
            order.append(Ordered(self.tie, descending, "$sequence"))
        else:
            del order[ends + 1 :]
        return [each.reversed() for each in order] if page.backwards else order

    def operand(self, attribute: str) -> Operand:
        """What a query calls so, to order by it or to put it together. Raises InvalidQuery."""
        operand = self.asked(attribute)
        if operand.place is not None:
            raise InvalidQuery(
                reason=f"`{attribute[:100]}` is a place, which cannot be ordered by or put together."
            )
        return operand

    def asked(self, attribute: str) -> Operand:
        """What a filter calls so, which may be a place. Raises InvalidQuery."""
        operand = self._operands.get(attribute)
        if operand is None:
            raise InvalidQuery(reason=f"`{attribute[:100]}` {self._not_asked(attribute)}.")
        return operand

    def _not_asked(self, attribute: str) -> str:
        column = self.columns.get(attribute)
        if column is None:
            return "is not a column of this table"
        if column.field.encrypted:
            return "is encrypted, so nothing can be asked about it"
        return "cannot be compared"

    def where(self, page: Page, scope: Scope, values: Values) -> str:
        """The predicate of the rows that fit a page's filters, of those that the caller may reach."""
        return self._fit(page, scope, values).all

    def _fit(self, page: Page, scope: Scope, values: Values) -> _Fitting:
        """The predicate of the rows that fit, and what can be asked one after the other in its place.

        Indexes hold permissions to read where they are short, so that rows can be counted from an index
        alone: not if the others are asked about in the same breath.
        """
        may = readable(self, scope, values)
        rest = own(self, scope, values)
        rest += "".join(f" and {self.filter(query, values)}" for query in page.filters)
        if values.decide_plan:
            rest += planned_anew(values)
        return _Fitting(f"true{either(may)}{rest}", [f"true{each}{rest}" for each in may] or [f"true{rest}"])

    def filter(self, query: Query, values: Values) -> str:
        """The predicate that a filter is."""
        if self._related:
            if query.method in GROUPS:
                joined = f" {query.method} ".join(self.filter(each, values) for each in query.values)
                return f"({joined})"
            key, related = self.relation_in(query.attribute)
            if related is not None:
                return matching(self, key, related, query, values)
        return condition(query, self.asked, values)

    # -- writing ---------------------------------------------------------------------------------------

    def insert(
        self,
        assigned: Mapping[str, Any],
        *,
        unless_there: bool = False,
        references: Sequence[Reference] = (),
    ) -> Statement:
        """Insert a row from SQL names and the driver's values, if all that it refers to may be known of."""
        values = Values()
        names = ", ".join(assigned)
        bound = ", ".join(
            value.of_default(values) if isinstance(value, Change) else values.bind(value)
            for value in assigned.values()
        )
        given = f"({names}) values ({bound})" if assigned else "default values"
        if references:
            given = f"({names}) select {bound} where {' and '.join(known(references, values))}"
        if unless_there:
            given += f" on conflict on constraint {quote(primary_key_name(self.entity.table))} do nothing"
        return Statement(
            f"insert into {self.relation} {given} returning {self.returned}",
            values.bound,
        )

    def update(
        self, row_id: Any, assigned: Mapping[str, Any], scope: Scope, references: Sequence[Reference] = ()
    ) -> Statement:
        """Change a row; `updated_at` and `version` move along.

        What it is to refer to, and did not already, has to be known of.
        """
        values = Values()
        sets = assignments(assigned, values)
        sets += self.touched(assigned)
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        where += "".join(f" and {each}" for each in known_or_kept(references, values))
        return Statement(
            f"update {self.relation} set {', '.join(sets)} where {where} returning {self.returned}",
            values.bound,
        )

    def increment(
        self, row_id: Any, column: Column, by: Any, bound: Any, scope: Scope, *, extra: Mapping[str, Any]
    ) -> Statement:
        """Add to a number, unless the sum would pass the bound (above it for `by` > 0, else below)."""
        values = Values()
        total = f"coalesce({column.sql}, 0) + {values.bind(by)}"
        sets = [f"{column.sql} = {total}"]
        sets += [f"{name} = {values.bind(value)}" for name, value in extra.items()]
        sets += self.touched(extra)
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        if bound is not None:
            where += f" and {total} {'<=' if by > 0 else '>='} {values.bind(bound)}"
        return Statement(
            f"update {self.relation} set {', '.join(sets)} where {where} returning {self.returned}",
            values.bound,
        )

    def touched(self, assigned: Mapping[str, Any]) -> list[str]:
        """What moves along with every change of a row."""
        updated_at, version = self.layout.updated_at, self.layout.version
        sets = []
        if updated_at is not None and quote(updated_at) not in assigned:
            sets.append(f"{quote(updated_at)} = now()")
        if version is not None:
            sets.append(f"{quote(version)} = {quote(version)} + 1")
        return sets

    def default_of(self, name: str) -> Any:
        """What is in a column, by its SQL name, of a row that says nothing of it: the driver's value."""
        for column in self.columns.values():
            if column.sql == name and column.field.default is not None:
                return column.encode(column.field.default)
        return None

    def type_of(self, name: str) -> str:
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
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        return Statement(f"{self.deletion()} where {where} returning {self.returned}", values.bound)

    def deletion(self) -> str:
        """What a statement that deletes rows begins with."""
        if self.layout.deleted_at is None:
            return f"delete from {self.relation}"
        sets = [f"{quote(self.layout.deleted_at)} = now()", *self.touched({})]
        return f"update {self.relation} set {', '.join(sets)}"

    def delete_softly_with(self, column: str, parents: Sequence[Any], scope: Scope) -> Statement:
        """Mark the rows that refer to rows which are being marked as deleted. Gives their ids."""
        assert self.layout.deleted_at is not None
        values = Values()
        where = f"{quote(column)} = any({values.bind(list(parents))}){within(self, scope, values)}"
        return Statement(f"{self.deletion()} where {where} returning {quote(self.layout.id)}", values.bound)

    def versions(self, ids: Sequence[Any], scope: Scope, *, lock: bool) -> Statement:
        """Tell which versions of rows there are, by their ids; and keep them so, with `lock`."""
        values = Values()
        key = quote(self.layout.id)
        where = f"{key} = any({values.bind(list(ids))}){within(self, scope, values)}"
        locked = f" order by {key} for update" if lock else ""
        return Statement(
            f"select {key}::text, xmin::text from {self.relation} where {where}{locked}", values.bound
        )

    def exists(self, row_id: Any, scope: Scope) -> Statement:
        """Tell whether there is such a row within the scope."""
        values = Values()
        where = f"{quote(self.layout.id)} = {values.bind(row_id)}{within(self, scope, values)}"
        return Statement(f"select 1 from {self.relation} where {where}", values.bound)


class _Fitting(NamedTuple):
    """Which rows fit, as a predicate, and as some that each fit a part of them."""

    all: str
    parts: list[str]


def assignments(assigned: Mapping[str, Any], values: Values) -> list[str]:
    """What columns are set to, by their SQL names, in a row that is there."""
    return [
        f"{name} = {value.of_present(values) if isinstance(value, Change) else values.bind(value)}"
        for name, value in assigned.items()
    ]


def _known(order: list[Ordered] | None) -> list[Ordered]:
    if order is None:
        raise InvalidQuery(reason="a cursor has no place in a random order.")
    return order


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
