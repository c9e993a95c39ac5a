"""Fields as Go spells them: their types, and what reads, sorts and filters them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from freehold.db.ddl import quote
from freehold.generator.plan import EntityPlan, FieldPlan
from freehold.generator.render import go_string
from freehold.generator.targets.go.literals import literal, pattern_literal
from freehold.generator.targets.go.names import type_name
from freehold.generator.targets.go.shape import CELL
from freehold.schema.model import IdKind, Kind

ID_TYPES: dict[IdKind, str] = {"uuid": "uuid.UUID", "serial": "int64", "text": "string"}
ID_READERS: dict[IdKind, str] = {"uuid": "wire.UUID", "serial": "wire.Int53()", "text": "wire.ID"}
ID_PARSERS: dict[IdKind, str] = {
    "uuid": "wire.ParseUUID",
    "serial": "wire.ParseInt53",
    "text": "wire.ParseID",
}
_TYPES = {
    Kind.STRING: "string",
    Kind.TEXT: "string",
    Kind.INT: "int32",
    Kind.BIGINT: "int64",
    Kind.FLOAT: "float64",
    Kind.DECIMAL: "wire.Decimal",
    Kind.BOOL: "bool",
    Kind.DATE: "wire.Date",
    Kind.TIME: "wire.TimeOfDay",
    Kind.DATETIME: "wire.Timestamp",
    Kind.UUID: "uuid.UUID",
    Kind.JSON: "json.RawMessage",
    Kind.BYTES: "[]byte",
    Kind.EMAIL: "string",
    Kind.URL: "string",
    Kind.IP: "string",
    Kind.POINT: "wire.Point",
    Kind.LINE: "wire.Line",
    Kind.POLYGON: "wire.Polygon",
}
_READERS = {
    Kind.STRING: "wire.Text",
    Kind.TEXT: "wire.Text",
    Kind.INT: "wire.Int32",
    Kind.BIGINT: "wire.Int53",
    Kind.FLOAT: "wire.Float",
    Kind.BOOL: "wire.Bool",
    Kind.DATE: "wire.Day",
    Kind.TIME: "wire.Time",
    Kind.DATETIME: "wire.When",
    Kind.UUID: "wire.UUID",
    Kind.JSON: "wire.Document",
    Kind.BYTES: "wire.Bytes",
    Kind.EMAIL: "wire.Email",
    Kind.URL: "wire.URL",
    Kind.IP: "wire.IP",
    Kind.POINT: "wire.Place",
    Kind.LINE: "wire.Path",
    Kind.POLYGON: "wire.Area",
}

_MADE = frozenset({Kind.STRING, Kind.TEXT, Kind.INT, Kind.BIGINT, Kind.FLOAT})
"""Kinds whose reader is made with what bounds it."""

_PARSERS = {
    Kind.INT: "wire.ParseInt32",
    Kind.BIGINT: "wire.ParseInt53",
    Kind.FLOAT: "wire.ParseFloat",
    Kind.BOOL: "wire.ParseBool",
    Kind.DATE: "wire.ParseDate",
    Kind.TIME: "wire.ParseTime",
    Kind.DATETIME: "wire.ParseTimestamp",
    Kind.UUID: "wire.ParseUUID",
}
_COMMAS = frozenset({Kind.ENUM, Kind.UUID, Kind.INT, Kind.BIGINT, Kind.DECIMAL, Kind.DATE})

_SLICES = frozenset({Kind.JSON, Kind.BYTES, Kind.POLYGON})
"""Kinds of which nil is null."""


class GoField:
    """One field as Go spells it."""

    def __init__(self, entity: EntityPlan, plan: FieldPlan, go_name: str, enum_type: str) -> None:
        self.plan = plan
        self.name = plan.name
        self.go_name = go_name
        self.column = quote(plan.column)
        self.enum_type = enum_type
        self.members: list[str] = []
        self._row = type_name(entity) + ("Summary" if entity.heavy else "")
        self._id_kind = entity.id_kind

    @property
    def one_type(self) -> str:
        return self.enum_type or _TYPES[self.plan.kind]

    @property
    def go_type(self) -> str:
        return f"[]{self.one_type}" if self.plan.array else self.one_type

    @property
    def view_type(self) -> str:
        """The type in a row, of which nil is null."""
        is_slice = self.plan.array or self.plan.kind in _SLICES
        return f"*{self.go_type}" if self.plan.nullable and not is_slice else self.go_type

    @property
    def view_line(self) -> str:
        return CELL.join((self.go_name, self.view_type, f'`json:"{self.name}"`'))

    @property
    def create_line(self) -> str:
        if self.plan.default_me:
            return f"{self.go_name}{CELL}wire.Opt[{self.go_type}]"
        return f"{self.go_name}{CELL}{'*' if self.plan.nullable else ''}{self.go_type}"

    @property
    def update_line(self) -> str:
        return f"{self.go_name}{CELL}wire.Opt[{self.go_type}]"

    @property
    def created(self) -> str:
        """What a create sends of it; nil when that is nothing."""
        sent = f"body.{self.go_name}"
        if self.plan.default_me:
            return f"{sent}.Or(nil)"
        return f"api.Maybe({sent})" if self.plan.nullable else sent

    @property
    def enum_lines(self) -> list[str]:
        return [
            CELL.join((member, self.enum_type, f"= {go_string(value)}"))
            for member, value in zip(self.members, self.plan.values, strict=True)
        ]

    @property
    def parser_name(self) -> str:
        return f"parse{self.go_name}"

    @property
    def reader_name(self) -> str:
        return f"read{self.go_name}"

    @property
    def parser(self) -> str:
        """What reads the field from text, for filters and cursors."""
        if self.enum_type:
            return self.parser_name
        if self.plan.kind is Kind.DECIMAL:
            return f"wire.ParseDecimal({self.plan.precision}, {self.plan.scale})"
        if self.name == "id":
            return ID_PARSERS[self._id_kind]
        return _PARSERS.get(self.plan.kind, "wire.ParseText")

    @property
    def own_reader(self) -> str:
        """What reads the field from JSON, if it is more than a name."""
        plan = self.plan
        if self.enum_type:
            one = f"wire.Quoted({self.parser_name})"
        elif plan.kind is Kind.DECIMAL:
            one = f"wire.Exact({', '.join([str(plan.precision), str(plan.scale), *self._checks()])})"
        elif plan.kind in _MADE:
            one = f"{_READERS[plan.kind]}({', '.join(self._checks())})"
        elif plan.pattern is not None and plan.kind in (Kind.EMAIL, Kind.URL):
            one = f"wire.Also({_READERS[plan.kind]}, wire.Matching({pattern_literal(plan.pattern)}))"
        else:
            return f"wire.List({_READERS[plan.kind]})" if plan.array else ""
        return f"wire.List({one})" if plan.array else one

    @property
    def reader(self) -> str:
        return self.reader_name if self.own_reader else _READERS[self.plan.kind]

    def _checks(self) -> list[str]:
        plan = self.plan
        found = []
        if plan.kind is Kind.DECIMAL:
            found += [f"wire.LeastExact({go_string(str(plan.least))})"] if plan.least is not None else []
            found += [f"wire.MostExact({go_string(str(plan.most))})"] if plan.most is not None else []
        elif plan.kind in (Kind.STRING, Kind.TEXT):
            most = [int(each) for each in (plan.length, plan.most) if each is not None]
            found += [f"wire.AtLeast({int(plan.least)})"] if plan.least is not None else []
            found += [f"wire.AtMost({min(most)})"] if most else []
        else:
            kind = f"[{self.one_type}]"
            found += [f"wire.Least{kind}({plan.least!r})"] if plan.least is not None else []
            found += [f"wire.Most{kind}({plan.most!r})"] if plan.most is not None else []
        if plan.pattern is not None:
            found.append(f"wire.Matching({pattern_literal(plan.pattern)})")
        return found

    @property
    def create_reader(self) -> str:
        plan = self.plan
        start = f"(body, {go_string(self.name)}, {self.reader}"
        if plan.default_me:
            return f"wire.Cleared{start})"
        if plan.has_default:
            kind = "wire.NullableDefault" if plan.nullable else "wire.Default"
            return f"{kind}{start}, {self._default()})"
        return f"wire.Nullable{start})" if plan.nullable else f"wire.Required{start})"

    @property
    def update_reader(self) -> str:
        kind = "wire.Cleared" if self.plan.nullable else "wire.Patched"
        return f"{kind}(body, {go_string(self.name)}, {self.reader})"

    def _default(self) -> str:
        if not self.plan.array:
            return self._literal(self.plan.default)
        return f"{self.go_type}{{{', '.join(map(self._literal, self.plan.default))}}}"

    def _literal(self, value: Any) -> str:
        if self.enum_type:
            return self.members[self.plan.values.index(value)]
        return literal(self.plan.kind, value)

    @property
    def sort_key(self) -> str:
        by = "api.ByNullable" if self.plan.nullable else "api.By"
        start = f"{by}({go_string(self.name)}, {go_string(self.column)}, {self.parser}"
        return f"{start}, func(row *{self._row}) {self.view_type} {{ return row.{self.go_name} }})"

    def filters(self, operators: Collection[str]) -> str:
        """The filters of a list by this field."""
        kind = "api.FilterBy" if self.plan.kind in _COMMAS or "in" not in operators else "api.FilterText"
        told = [self.name, self.column]
        spelled = [*map(go_string, told), self.parser, *(go_string(each or "=") for each in operators)]
        return f"{kind}({', '.join(spelled)})"
