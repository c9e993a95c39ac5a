"""Lists: what every list accepts, in which order rows come, and where the next page begins."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Generic, Literal, Self, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from app.core.access import Principal
from app.core.errors import Problem, invalid_parameter
from app.core.fields import Text, Whole
from app.core.sql import Columns, Statement

T = TypeVar("T")

_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode

PAGING = frozenset({"limit", "cursor", "offset", "count", "sort", "deleted", "include", "q"})


@dataclass(frozen=True)
class SortKey:
    """A column to sort by: the type of its values, and whether they can be null."""

    type: Any
    nullable: bool = False

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """How a value is written into a cursor and read from it. Making one takes longer than reading a page does."""
        return TypeAdapter(self.type | None)


class ListQuery(BaseModel):
    """The parameters that every list has. A filter of an entity is a field of its subclass: `a__gt` is `a.gt`."""

    model_config = ConfigDict(extra="forbid", alias_generator=lambda name: name.replace("__", "."))

    entity: ClassVar[str]
    sort_keys: ClassVar[Mapping[str, SortKey]]
    searched: ClassVar[frozenset[str]] = frozenset()
    """The fields that `q` looks into."""

    limit: Annotated[int, Whole, Field(ge=1, le=100)] = 25
    cursor: Annotated[str, Field(max_length=2000)] | None = None
    offset: Annotated[int, Whole, Field(ge=0, le=10_000)] | None = None
    count: Literal["none", "exact"] = "none"
    sort: Annotated[list[Text], Field(max_length=3)] = []
    include: Annotated[list[Text], Field(max_length=5)] = []

    @field_validator("sort")
    @classmethod
    def _known(cls, keys: list[str]) -> list[str]:
        for key in keys:
            if key.removeprefix("-") not in cls.sort_keys:
                raise PydanticCustomError("invalid", "there is no such field to sort by")
        return keys

    @classmethod
    def read(cls, request: Request) -> Self:
        """The query string. Anything unknown, given twice or out of range is refused by name."""
        sent: dict[str, Any] = {}
        twice = ""
        for name, value in request.query_params.multi_items():
            if name in ("sort", "include") or name.endswith(".in"):
                sent.setdefault(name, []).append(value)
                continue
            if name in sent:
                twice = twice or name
            sent[name] = value
        try:
            query = cls.model_validate(sent)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            raise RequestValidationError([{**each, "loc": ("query", *each["loc"])} for each in faults]) from error
        if twice:
            raise invalid_parameter(twice, "given more than once")
        return query

    def check(self, principal: Principal) -> None:
        """Refuse what contradicts itself, and fields that the caller may not see."""
        if self.cursor is not None and self.offset is not None:
            raise invalid_parameter("offset", "not together with cursor")
        hidden = principal.hidden(self.entity)
        for parameter, _ in self.filters():
            if parameter.partition(".")[0] in hidden:
                raise invalid_parameter(parameter, "your role may not filter by it")
        if self.searched & hidden and vars(self).get("q") is not None:
            raise invalid_parameter("q", "your role may not search here")
        for name, _ in self.order():
            if name in hidden:
                raise invalid_parameter("sort", f"your role may not sort by {name}")

    def filters(self) -> Iterator[tuple[str, Any]]:
        """The filters that were sent, by parameter name."""
        known = _filters(type(self))
        if known.keys().isdisjoint(self.model_fields_set):
            return
        for name, parameter in known.items():
            if name in self.model_fields_set:
                yield parameter, getattr(self, name)

    def order(self) -> list[tuple[str, bool]]:
        """The sort keys and whether each descends; `id` makes the order total."""
        keys = [(key.removeprefix("-"), key.startswith("-")) for key in self.sort]
        if all(name != "id" for name, _ in keys):
            keys.append(("id", keys[-1][1] if keys else False))
        return keys

    def fingerprint(self) -> str:
        """Tells two sets of filters apart: a cursor is only good for the list it came from."""
        own = vars(self)  # which not every list has, and getattr takes long to find missing
        text = _encode([own.get("deleted", "exclude"), own.get("q"), *sorted(self.filters())])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


@lru_cache(maxsize=1024)
def _filters(query: type[ListQuery]) -> dict[str, str]:
    """The attributes that are filters, and the parameters that they are read from."""
    named = [(name, info.alias or name) for name, info in query.model_fields.items()]
    return {name: parameter for name, parameter in named if parameter not in PAGING}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list."""

    data: list[T]
    limit: int
    next_cursor: str | None
    total: int | None = None


def order_by(query: ListQuery, columns: Columns) -> str:
    return ", ".join(
        columns[name] + (" desc" if descending else "") + (" nulls last" if _nullable(query, name) else "")
        for name, descending in query.order()
    )


def after_cursor(statement: Statement, query: ListQuery, columns: Columns) -> None:
    """Only the rows that come after the cursor's row."""
    if query.cursor is None:
        return
    keys = query.order()
    values = _read_cursor(query, keys)
    if len({descending for _, descending in keys}) == 1 and not any(_nullable(query, name) for name, _ in keys):
        sign = "<" if keys[0][1] else ">"
        left = ", ".join(columns[name] for name, _ in keys)
        statement.where(f"({left}) {sign} ({', '.join(statement.bind(value) for value in values)})")
        return
    ways: list[str] = []
    equal: list[str] = []
    for (name, descending), value in zip(keys, values, strict=True):
        column = columns[name]
        if value is None:  # nulls come last, so that nothing comes after them
            equal.append(f"{column} is null")
            continue
        bound = statement.bind(value)
        beyond = f"{column} {'<' if descending else '>'} {bound}"
        if _nullable(query, name):
            beyond = f"({beyond} or {column} is null)"
        ways.append(" and ".join([*equal, beyond]))
        equal.append(f"{column} = {bound}")
    statement.where(f"({' or '.join(ways)})")


def page(query: ListQuery, rows: Sequence[Mapping[str, Any]], total: int | None, shape: type[T]) -> Page[T]:
    """Rows that were read with `limit + 1`, as a page of the shape."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    made: Any = getattr(shape, "of")  # noqa: B009
    return Page(
        data=[made(row) for row in shown],
        limit=query.limit,
        next_cursor=_write_cursor(query, shown[-1]) if more else None,
        total=total,
    )


def _nullable(query: ListQuery, name: str) -> bool:
    return query.sort_keys[name].nullable


def _sort(query: ListQuery) -> str:
    return ",".join(("-" if descending else "") + name for name, descending in query.order())


def _write_cursor(query: ListQuery, row: Mapping[str, Any]) -> str:
    key = [query.sort_keys[name].adapter.dump_python(row[name], mode="json") for name, _ in query.order()]
    text = _encode({"v": 1, "s": _sort(query), "k": key, "f": query.fingerprint()})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(query: ListQuery, keys: list[tuple[str, bool]]) -> list[Any]:
    """The cursor's values. They are only ever bound as parameters, so a forged one shows nothing new."""
    text = (query.cursor or "").encode()
    try:
        cursor = json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
        version, sort, found, fingerprint = (cursor[key] for key in "vskf")
        values = [
            query.sort_keys[name].adapter.validate_python(value) for (name, _), value in zip(keys, found, strict=True)
        ]
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
        raise invalid_parameter("cursor", "not one that this list gave you") from error
    if version != 1 or sort != _sort(query) or fingerprint != query.fingerprint():
        raise Problem(400, "cursor_mismatch", "The cursor belongs to another sort or filter.")
    if any(value is None and not _nullable(query, name) for (name, _), value in zip(keys, values, strict=True)):
        raise invalid_parameter("cursor", "not one that this list gave you")
    return values
