"""The types of columns that the API offers, as a table: what each takes, how it is kept, how it is shown."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from freehold.db.pool import Record
from freehold.db.values import decoder, encoder
from freehold.ids import new_id
from freehold.schema.model import Entity, Field, Kind, Type
from freehold.schema.types import NO_ARRAYS
from freehold.schema.values import Misfit
from freehold.services.databases import models
from freehold.services.databases.errors import (
    ColumnDefaultUnsupported,
    ColumnTypeInvalid,
    ColumnValueInvalid,
)
from freehold.web import misfits
from freehold.web.wire import Description, Id, Input

Key = Id

VarcharSize = Annotated[int, Meta(ge=1, le=16_381)]
StringSize = Annotated[int, Meta(ge=1, le=1_073_741_824)]
Elements = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(min_length=1, max_length=100)
]

TEXT_CHARACTERS = {"text": 65_535, "mediumtext": 16_777_215, "longtext": 268_435_455}
"""How long the sized texts may be; a value of PostgreSQL's holds 1 GB, a character up to four bytes."""


class Create(Input, kw_only=True):
    key: Key
    required: bool
    array: bool = False
    description: Description = ""


class CreateBoolean(Create):
    default: bool | None = None


class CreateInteger(Create):
    min: int | None = None
    max: int | None = None
    default: int | None = None


class CreateFloat(Create):
    min: float | None = None
    max: float | None = None
    default: float | None = None


class CreateText(Create):
    """Of e-mails, URLs, IPs, moments."""

    default: str | None = None


class CreateEncryptable(CreateText):
    encrypt: bool = False


class CreateVarchar(CreateEncryptable, kw_only=True):
    size: VarcharSize


class CreateString(CreateEncryptable, kw_only=True):
    size: StringSize


class CreateEnum(CreateText, kw_only=True):
    elements: Elements


class CreatePlace(Create):
    """Of points, lines and polygons, whose default is lists of numbers in one another."""

    default: list[Any] | None = None


class Update(Input, kw_only=True):
    required: bool
    new_key: Key | None = None
    description: Description | UnsetType = UNSET


class UpdateBoolean(Update):
    default: bool | None = None


class UpdateInteger(Update):
    min: int | None = None
    max: int | None = None
    default: int | None = None


class UpdateFloat(Update):
    min: float | None = None
    max: float | None = None
    default: float | None = None


class UpdateText(Update):
    default: str | None = None


class UpdateVarchar(UpdateText):
    size: VarcharSize | None = None


class UpdateString(UpdateText):
    size: StringSize | None = None


class UpdateEnum(UpdateText, kw_only=True):
    elements: Elements


class UpdatePlace(Update):
    default: list[Any] | None = None


class ColumnType(NamedTuple):
    """One type: its names, its shapes on the wire, and the schema model's type that keeps it."""

    path: str
    """In the route, and in the names of the SDKs' methods."""
    method: str
    wire_type: str
    format: str
    create: type[Create]
    update: type[Update]
    model: type[models.AnyColumn]
    kept_as: Callable[[Any], Type]


def _kind(kind: Kind) -> Callable[[Any], Type]:
    return lambda _: Type(kind=kind)


def _sized(body: Any) -> Type:
    return Type(kind=Kind.STRING, length=body.size)


def _members(body: Any) -> Type:
    return Type(kind=Kind.ENUM, values=tuple(dict.fromkeys(body.elements)))


COLUMN_TYPES: tuple[ColumnType, ...] = (
    ColumnType(
        "boolean", "Boolean", "boolean", "",
        CreateBoolean, UpdateBoolean, models.ColumnBoolean, _kind(Kind.BOOL),
    ),
    ColumnType(
        "integer", "Integer", "integer", "",
        CreateInteger, UpdateInteger, models.ColumnInteger, _kind(Kind.BIGINT),
    ),
    ColumnType(
        "bigint", "BigInt", "bigint", "",
        CreateInteger, UpdateInteger, models.ColumnBigint, _kind(Kind.BIGINT),
    ),
    ColumnType(
        "float", "Float", "double", "",
        CreateFloat, UpdateFloat, models.ColumnFloat, _kind(Kind.FLOAT),
    ),
    ColumnType(
        "datetime", "Datetime", "datetime", "",
        CreateText, UpdateText, models.ColumnDatetime, _kind(Kind.DATETIME),
    ),
    ColumnType(
        "email", "Email", "string", "email",
        CreateText, UpdateText, models.ColumnEmail, _kind(Kind.EMAIL),
    ),
    ColumnType(
        "url", "Url", "string", "url",
        CreateText, UpdateText, models.ColumnUrl, _kind(Kind.URL),
    ),
    ColumnType(
        "ip", "Ip", "string", "ip",
        CreateText, UpdateText, models.ColumnIp, _kind(Kind.IP),
    ),
    ColumnType(
        "enum", "Enum", "string", "enum",
        CreateEnum, UpdateEnum, models.ColumnEnum, _members,
    ),
    ColumnType(
        "string", "String", "string", "",
        CreateString, UpdateString, models.ColumnString, _sized,
    ),
    ColumnType(
        "varchar", "Varchar", "varchar", "",
        CreateVarchar, UpdateVarchar, models.ColumnVarchar, _sized,
    ),
    ColumnType(
        "text", "Text", "text", "",
        CreateEncryptable, UpdateText, models.ColumnText, _kind(Kind.TEXT),
    ),
    ColumnType(
        "mediumtext", "Mediumtext", "mediumtext", "",
        CreateEncryptable, UpdateText, models.ColumnMediumtext, _kind(Kind.TEXT),
    ),
    ColumnType(
        "longtext", "Longtext", "longtext", "",
        CreateEncryptable, UpdateText, models.ColumnLongtext, _kind(Kind.TEXT),
    ),
    ColumnType(
        "point", "Point", "point", "",
        CreatePlace, UpdatePlace, models.ColumnPoint, _kind(Kind.POINT),
    ),
    ColumnType(
        "line", "Line", "linestring", "",
        CreatePlace, UpdatePlace, models.ColumnLine, _kind(Kind.LINE),
    ),
    ColumnType(
        "polygon", "Polygon", "polygon", "",
        CreatePlace, UpdatePlace, models.ColumnPolygon, _kind(Kind.POLYGON),
    ),
)  # fmt: skip

_BY_TYPE = {(each.wire_type, each.format): each for each in COLUMN_TYPES}
_BY_PATH = {each.path: each for each in COLUMN_TYPES}

# How the fields of a schema file are shown: those that the wire knows no type for are texts with a format.
_SHOWN_AS: dict[Kind, tuple[str, str]] = {
    Kind.STRING: ("varchar", ""),
    Kind.TEXT: ("text", ""),
    Kind.INT: ("integer", ""),
    Kind.BIGINT: ("bigint", ""),
    Kind.FLOAT: ("double", ""),
    Kind.BOOL: ("boolean", ""),
    Kind.DATETIME: ("datetime", ""),
    Kind.ENUM: ("string", "enum"),
    Kind.EMAIL: ("string", "email"),
    Kind.URL: ("string", "url"),
    Kind.IP: ("string", "ip"),
    Kind.POINT: ("point", ""),
    Kind.LINE: ("linestring", ""),
    Kind.POLYGON: ("polygon", ""),
}


def shown_as(field: Field) -> tuple[str, str]:
    """The type and format under which a field of a schema file is shown."""
    return _SHOWN_AS.get(field.type.kind, ("string", str(field.type.kind)))


class InlineColumn(Input):
    """A column inside the creation of a table. Its type is the path's or the wire's name of it."""

    type: str
    format: str = ""


def inline(column: dict[str, Any]) -> tuple[ColumnType, Create]:
    """Read a column that was sent with its table. Raises ColumnValueInvalid."""
    try:
        head = msgspec.convert(column, InlineColumn)
        found = _BY_TYPE.get((head.type, head.format)) or _BY_PATH.get(head.format or head.type)
        if found is None:
            raise ColumnValueInvalid(
                key=str(column.get("key", ""))[:100], reason=f"there is no type `{head.type[:50]}`"
            )
        given = {name: value for name, value in column.items() if value is not None}
        return found, msgspec.convert(given, found.create)
    except msgspec.ValidationError as error:
        reason = misfits.sentence(str(error)).rstrip(".")
        raise ColumnValueInvalid(key=str(column.get("key", ""))[:100], reason=reason) from error


def new_field(column_type: ColumnType, body: Any, entity: Entity | None = None) -> Field:
    """The field that a new column becomes. Raises ColumnValueInvalid and the like."""
    must_be_ours(body.key)
    field = Field(
        id=new_id(),
        name=body.key,
        column=body.key if entity is None else free_column(entity, body.key),
        type=msgspec.structs.replace(column_type.kept_as(body), array=body.array),
        nullable=not body.required,
        min=_least(body),
        max=_most(column_type, body),
        encrypted=getattr(body, "encrypt", False),
        description=body.description,
    )
    _must_hold_sealed(field)
    if field.type.array and field.type.kind in NO_ARRAYS:
        raise ColumnValueInvalid(key=field.name, reason=f"a {column_type.path} cannot be in an array")
    return _with_default(field, body)


def changed_field(column_type: ColumnType, entity: Entity, field: Field, body: Any) -> Field:
    """The field that a column becomes by an update. Raises ColumnValueInvalid and the like."""
    must_be_ours(body.new_key)
    kept_as = (
        column_type.kept_as(body)
        if getattr(body, "elements", None) or getattr(body, "size", None)
        else field.type
    )
    changed = msgspec.structs.replace(
        field,
        name=body.new_key or field.name,
        column=free_column(entity, body.new_key, but=field) if body.new_key else field.column,
        type=msgspec.structs.replace(kept_as, array=field.type.array),
        nullable=not body.required,
        default=None,
        min=_least(body),
        max=_most(column_type, body),
        description=field.description if body.description is UNSET else body.description,
    )
    _must_hold_sealed(changed)
    return _with_default(changed, body)


def is_shorter(field: Field, old: Field) -> bool:
    """Whether a text column has room for less than before."""
    length, before = field.type.length, old.type.length
    return length is not None and (before is None or length < before)


LEAST_ENCRYPTED = 150
"""Characters that an encrypted column has room for at least, as in the reference."""


def _must_hold_sealed(field: Field) -> None:
    if field.encrypted and field.type.length is not None and field.type.length < LEAST_ENCRYPTED:
        raise ColumnValueInvalid(
            key=field.name, reason=f"the size of an encrypted column is {LEAST_ENCRYPTED} or more"
        )


_OF_POSTGRESQL = frozenset(("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"))


def is_taken(key: str, entity: Entity, rows: Iterable[Record]) -> bool:
    """Whether a table has a column of this key already, be it one that is not shown."""
    taken = {row["key"].lower() for row in rows} | {entity.wire_name(each).lower() for each in entity.fields}
    return key.lower() in taken


def free_column(entity: Entity, *wanted: str, but: Field | None = None) -> str:
    """A name for a column in PostgreSQL that no other field's column has: the first wanted that is free."""
    taken = {field.column for field in entity.columns if field is not but} | _OF_POSTGRESQL
    names = itertools.chain(wanted, (f"{wanted[0]}_{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)


def must_be_ours(key: str | None) -> None:
    if key in _OF_POSTGRESQL:
        raise ColumnValueInvalid(key=key, reason="PostgreSQL has a column of that name in every table")


def of(type_: str, format_: str) -> ColumnType | None:
    """The column type of this name on the wire."""
    return _BY_TYPE.get((type_, format_))


def must_be(column_type: ColumnType, key: str, type_: str, format_: str) -> None:
    """Refuse to update a column by another type's route. Raises ColumnTypeInvalid."""
    if of(type_, format_) is not column_type:
        raise ColumnTypeInvalid(key=key, type=format_ or type_)


_INT64 = (-(2**63), 2**63 - 1)


def _least(body: Any) -> int | float | None:
    least: int | float | None = getattr(body, "min", None)
    most: int | float | None = getattr(body, "max", None)
    if least is not None and most is not None and least > most:
        raise ColumnValueInvalid(key=getattr(body, "key", ""), reason="`min` is greater than `max`")
    if isinstance(least, int) and least > _INT64[1]:
        raise ColumnValueInvalid(key=getattr(body, "key", ""), reason=f"`min` is greater than {_INT64[1]}")
    return None if isinstance(least, int) and least <= _INT64[0] else least


def _most(column_type: ColumnType, body: Any) -> int | float | None:
    if column_type.wire_type in TEXT_CHARACTERS:
        return TEXT_CHARACTERS[column_type.wire_type]
    most: int | float | None = getattr(body, "max", None)
    if isinstance(most, int) and most < _INT64[0]:
        raise ColumnValueInvalid(key=getattr(body, "key", ""), reason=f"`max` is less than {_INT64[0]}")
    return None if isinstance(most, int) and most >= _INT64[1] else most


def _with_default(field: Field, body: Any) -> Field:
    default = body.default
    if default is None:
        return field
    if body.required or field.type.array:
        raise ColumnDefaultUnsupported()
    try:
        encoded = encoder(field)(default)
    except Misfit as misfit:
        raise ColumnValueInvalid(key=field.name, reason=f"its default {misfit.message}") from misfit
    spell = decoder(field)
    return msgspec.structs.replace(field, default=spell(encoded) if spell is not None else encoded)


def model(
    field: Field, *, key: str, type_: str, format_: str, created_at: str, updated_at: str
) -> models.AnyColumn:
    """A column as the wire shows it."""
    shown = of(type_, format_)
    common: dict[str, Any] = {
        "key": key,
        "type": type_,
        "status": "available",
        "error": "",
        "required": not field.nullable and field.default is None and not field.default_me,
        "array": field.type.array,
        "description": field.description,
        "created_at": created_at,
        "updated_at": updated_at,
        "default": field.default,
    }
    kind = field.type.kind
    if shown is None:
        return models.ColumnFormatted(format=format_, size=0, **common)
    if kind in (Kind.INT, Kind.BIGINT):
        least, most = (-(2**31), 2**31 - 1) if kind is Kind.INT else _INT64
        common |= {
            "min": least if field.min is None else field.min,
            "max": most if field.max is None else field.max,
        }
    elif kind is Kind.FLOAT:
        common |= {"min": field.min, "max": field.max}
    elif kind is Kind.STRING:
        common["size"] = field.type.length
    elif kind is Kind.ENUM:
        common["elements"] = list(field.type.values)
    if field.encrypted:
        common["encrypt"] = True
    if "format" in shown.model.__struct_fields__:
        common["format"] = format_
    return shown.model(**common)
