"""The types of fields on the wire, and the strictness that JSON and query strings need."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError, to_json

from app.core.codecs import Ring


class Body(BaseModel):
    """What a caller sends. A key that is not a field is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    def sent(self) -> dict[str, Any]:
        """The fields that were in the body, by the names that the API gives them."""
        return {
            info.alias or name: getattr(self, name)
            for name, info in type(self).model_fields.items()
            if name in self.model_fields_set
        }


Item = TypeVar("Item")


class Items(Body, Generic[Item]):
    """Many items of a batch."""

    items: Annotated[list[Item], Field(min_length=1, max_length=500)]


class Ids(Body, Generic[Item]):
    """Which rows a batch is about."""

    ids: Annotated[list[Item], Field(min_length=1, max_length=500)]


class Change(Body):
    """What should change about one of many rows."""

    def sent(self) -> dict[str, Any]:
        """The fields that were in the body, less those that say which row it is."""
        return {name: value for name, value in super().sent().items() if name not in ("id", "version")}


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(populate_by_name=True)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """A row of the database, which is believed. It is model_construct for lists, less what that looks up anew."""
        names, renamed = _attributes(cls)
        values = {renamed.get(name, name): value for name, value in row.items()} if renamed else dict(row.items())
        made = cls.__new__(cls)
        _set(made, "__dict__", values)
        _set(made, "__pydantic_fields_set__", names)
        _set(made, "__pydantic_extra__", None)
        _set(made, "__pydantic_private__", None)
        return made


_set = object.__setattr__


@lru_cache(maxsize=1024)
def _attributes(view: type[BaseModel]) -> tuple[set[str], dict[str, str]]:
    """The attributes of a view, all of which every row sets; and what the API calls otherwise, with its attribute."""
    fields = view.model_fields
    return set(fields), {info.alias: name for name, info in fields.items() if info.alias}


def _storable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("invalid", "a NUL character cannot be stored")
    return text


def decimal_digits(precision: int, scale: int) -> BeforeValidator:
    """Of a decimal: so many digits at most, written as a string, since a number of JSON would lose some."""
    fraction = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
    message = f"should be a string with at most {precision - scale} digits before the point and {scale} after it"
    return _matching(rf"-?[0-9]{{1,{max(precision - scale, 1)}}}{fraction}", message)


def _text_only(value: Any) -> Any:
    if isinstance(value, (str, date, time, Decimal, UUID)):
        return value
    raise PydanticCustomError("invalid", "should be written as a string")


def _matching(pattern: str, message: str) -> BeforeValidator:
    expression = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if isinstance(value, str) and not expression.fullmatch(value):
            raise PydanticCustomError("invalid", "%s" % message)  # noqa: UP031
        return _text_only(value)

    return BeforeValidator(check)


def _spelled(pattern: str, message: str) -> BeforeValidator:
    """Of a number in a query string or a path, where Python would take more spellings than other languages do."""
    expression = re.compile(pattern, re.ASCII)

    def check(value: Any) -> Any:
        if isinstance(value, str) and not expression.fullmatch(value):
            raise PydanticCustomError("invalid", "%s" % message)  # noqa: UP031
        return value

    return BeforeValidator(check)


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError("not_null", "may not be null")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise PydanticCustomError("invalid", "is out of range") from error


def rfc3339(moment: datetime) -> str:
    """UTC with exactly three digits: what every language can keep."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    text = to_json(moment).decode()  # rows hold several of them, and isoformat takes longer
    return f"{text[1:24]}Z" if moment.microsecond else f"{text[1:20]}.000Z"


def _commas(value: Any) -> Any:
    """`a,b` and repeated keys mean the same."""
    if isinstance(value, list):
        return [part for item in value for part in (item.split(",") if isinstance(item, str) else [item])]
    return value


def _decode(value: Any) -> bytes:
    try:
        return value if isinstance(value, bytes) else base64.b64decode(_text_only(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PydanticCustomError("invalid", "should be base64") from error


def _address(value: str) -> str:
    try:
        found = ip_address(value)
    except ValueError as error:
        raise PydanticCustomError("invalid", "should be an IP address") from error
    if "%" in value:  # a zone means something on one machine only
        raise PydanticCustomError("invalid", "should be an IP address")
    return str(found)


NotNull = BeforeValidator(_refuse_null)
"""In a merge patch: the key may be absent, but not null."""

OneOf = Annotated[list[Item], BeforeValidator(_commas), Field(max_length=100)]
"""The values of a filter such as `status.in`: the parameter repeated, or commas in one."""

OneOfTexts = Annotated[list[Item], Field(max_length=100)]
"""The same for values that can have commas in them."""

Text = Annotated[str, AfterValidator(_storable)]
TextId = Annotated[Text, Field(min_length=1, max_length=255)]
Email = Annotated[Text, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Url = Annotated[Text, Field(max_length=2048, pattern=r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$")]
Int32 = Annotated[StrictInt, Field(ge=-(2**31), le=2**31 - 1)]
Int53 = Annotated[StrictInt, Field(ge=-(2**53) + 1, le=2**53 - 1)]
Whole = _spelled("-?[0-9]+", "should be a whole number")
Int32Parameter = Annotated[int, Whole, Field(ge=-(2**31), le=2**31 - 1)]
Int53Parameter = Annotated[int, Whole, Field(ge=-(2**53) + 1, le=2**53 - 1)]
Float = Annotated[float, Field(strict=True, allow_inf_nan=False)]
FloatParameter = Annotated[
    float,
    _spelled(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", "should be a number"),
    Field(allow_inf_nan=False),
]
Bool = StrictBool
BoolParameter = Annotated[bool, _matching("true|false", "should be true or false")]
Uuid = Annotated[UUID, _matching("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "should be a UUID")]
Date = Annotated[date, _matching(r"\d{4}-\d{2}-\d{2}", "should be a date such as 2026-01-31")]
Time = Annotated[
    time,
    _matching(r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", "should be a time such as 09:30:00"),
    PlainSerializer(lambda value: value.isoformat(), return_type=str),
]
Timestamp = Annotated[
    AwareDatetime,
    _matching(
        r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})",
        "should be a time with its zone, such as 2026-01-31T09:30:00.000Z",
    ),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str),
]
DecimalText = Annotated[Decimal, PlainSerializer(lambda value: f"{value:f}", return_type=str)]
Bytes = Annotated[
    bytes,
    BeforeValidator(_decode),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str),
]
Ip = Annotated[str, AfterValidator(_address)]
Json = dict[str, Any] | list[Any]
Point = Annotated[tuple[Float, Float], Field(strict=False)]
Line = Annotated[list[Point], Field(min_length=2, max_length=10_000)]
RingPoints = Annotated[list[Point], Field(min_length=4, max_length=10_000)]
Polygon = Annotated[
    list[RingPoints],
    Field(min_length=1, max_length=100),
    AfterValidator(lambda rings: [Ring(points) for points in rings]),
]
