"""A Prisma schema as ours, read by Prisma's own parser, which npm fetches the first time."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from freehold.config import Refusal
from freehold.schema import names
from freehold.schema.document import MAX_BYTES
from freehold.schema.model import Field
from freehold.schema.sketch import Imported, Sketch, field_name, member_list
from freehold.schema.types import MAX_LENGTH, TypeSyntaxError, parse_type
from freehold.schema.values import Misfit, fit

SUFFIX = ".prisma"
PARSER = Path(__file__).parent / "prisma_parser"
PARSER_FILES = ("package.json", "package-lock.json", "parse.js")
FETCH_TIMEOUT_S = 120
PARSE_TIMEOUT_S = 60
MAX_FILES = 200


class PrismaUnreadable(Refusal):
    """The schema is none to Prisma, or its parser cannot be had."""


class Member(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    db_name: str | None = None


class Enum(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    values: list[Member]


class ModelField(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    kind: str
    """`scalar`, `enum`, `object` (a relation) or `unsupported`."""
    type: str
    db_name: str | None = None
    is_list: bool = False
    is_required: bool = False
    is_unique: bool = False
    is_id: bool = False
    is_updated_at: bool = False
    native_type: tuple[str, list[str]] | None = None
    default: Any = None
    relation_name: str | None = None
    relation_from_fields: list[str] = []
    relation_to_fields: list[str] = []
    relation_on_delete: str | None = None
    documentation: str | None = None


class PrimaryKey(msgspec.Struct, frozen=True, kw_only=True):
    fields: list[str]


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    fields: list[ModelField]
    db_name: str | None = None
    primary_key: PrimaryKey | None = None
    unique_fields: list[list[str]] = []
    documentation: str | None = None

    def field(self, name: str) -> ModelField | None:
        return next((field for field in self.fields if field.name == name), None)


class IndexField(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    sort_order: str | None = None


class Index(msgspec.Struct, frozen=True, kw_only=True):
    model: str
    type: str
    fields: list[IndexField]


class Datamodel(msgspec.Struct, frozen=True, kw_only=True):
    models: list[Model] = []
    enums: list[Enum] = []
    types: list[Model] = []
    """Composite types, of MongoDB."""
    indexes: list[Index] = []


TYPES = {
    "String": "text", "Boolean": "bool", "Int": "int", "BigInt": "bigint", "Float": "float",
    "Decimal": "decimal(65,30)", "DateTime": "datetime", "Json": "json", "Bytes": "bytes",
}  # fmt: skip
NATIVE = {
    "Uuid": "uuid", "Date": "date", "Time": "time", "Timetz": "time", "Inet": "ip", "Citext": "text",
    "Xml": "text", "Money": "decimal(19,2)", "SmallInt": "int", "Oid": "bigint",
}  # fmt: skip
ON_DELETE = {"Cascade": "cascade", "SetNull": "set_null", "Restrict": "restrict", "NoAction": "restrict"}
STAMPS = ("created_at", "updated_at")


def imported(path: Path, *, service: str) -> Imported:
    """The schema of a file, and of those beside it when it lies in a folder of several."""
    return sketch_of(parsed(path), service=service).finished()


def parsed(path: Path) -> Datamodel:
    """What Prisma's parser makes of a schema. Raises PrismaUnreadable."""
    node = shutil.which("node")
    if node is None:
        raise PrismaUnreadable("Prisma's parser needs Node, which is not here. Install Node 18 or newer.")
    files = [(each.name, without_connections(_text(each))) for each in _files(path)]
    folder = _fetched()
    try:
        done = subprocess.run(
            [node, "parse.js"],
            cwd=folder,
            input=json.dumps(files),
            capture_output=True,
            text=True,
            timeout=PARSE_TIMEOUT_S,
            check=False,
            env={"PATH": os.environ.get("PATH", "")},
        )
    except subprocess.TimeoutExpired as error:
        raise PrismaUnreadable(f"Prisma's parser was not done after {PARSE_TIMEOUT_S} seconds.") from error
    try:
        answer = msgspec.json.decode(done.stdout or b"{}")
        if "error" in answer:
            raise PrismaUnreadable(f"{path} is no schema to Prisma:\n{_readable(answer['error'])}")
        return msgspec.convert(answer["model"], Datamodel)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise PrismaUnreadable(
            f"Prisma's parser did not answer: {(done.stderr or str(error))[-500:]}"
        ) from error


def _files(path: Path) -> list[Path]:
    """The file, or all of its folder when none of them is called schema.prisma alone."""
    beside = sorted(path.resolve().parent.glob(f"*{SUFFIX}"))
    return beside[:MAX_FILES] if path.name == f"schema{SUFFIX}" else [path]


def _text(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise PrismaUnreadable(f"{path} is larger than {MAX_BYTES // 1024} KiB, which is no schema.")
    return text.decode("utf-8-sig", "replace")


def without_connections(text: str) -> str:
    """The schema less what says how it is connected and generated; lines keep their numbers.

    Newer parsers refuse what older schemas say there, and no secret need go anywhere.
    """
    lines, block = [], ""
    for line in text.splitlines():
        opened = re.match(r"\s*(datasource|generator)\s+\w+\s*\{", line)
        block = opened.group(1) if opened else block
        is_setting = re.match(r"\s*(url|directUrl|shadowDatabaseUrl|extensions)\s*=", line)
        dropped = block == "generator" or (block == "datasource" and is_setting)
        lines.append("" if dropped else line)
        if block and "}" in line:
            block = ""
    return "\n".join(lines) + "\n"


def _fetched() -> Path:
    """The folder with the parser, in the user's cache. Fetched once, by its lock, and running no script."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "freehold" / "prisma-parser"
    locked = (PARSER / "package-lock.json").read_bytes()
    ready = cache / "node_modules" / "@prisma" / "prisma-schema-wasm" / "package.json"
    if ready.exists() and _is(cache / "package-lock.json", locked):
        shutil.copy(PARSER / "parse.js", cache)
        return cache
    npm = shutil.which("npm")
    if npm is None:
        raise PrismaUnreadable(
            "Prisma's parser is fetched with npm, which is not here. Install it with Node."
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for name in PARSER_FILES:
            shutil.copy(PARSER / name, cache)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"],
            cwd=cache,
            capture_output=True,
            text=True,
            timeout=FETCH_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PrismaUnreadable(f"npm did not fetch Prisma's parser in {FETCH_TIMEOUT_S} seconds.") from error
    except OSError as error:
        raise PrismaUnreadable(
            f"{cache} cannot be written: {error.strerror}. Say another XDG_CACHE_HOME."
        ) from error
    if done.returncode != 0 or not ready.exists():
        raise PrismaUnreadable(
            "npm could not fetch Prisma's parser (@prisma/prisma-schema-wasm). Is the registry reachable?\n"
            + done.stderr.strip()[-800:]
        )
    return cache


def _is(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _readable(error: str) -> str:
    """An error of the parser's for people: without colours and without its envelope."""
    with suppress(ValueError, KeyError, TypeError):
        error = json.loads(error)["message"]
    return re.sub(r"\x1b\[[0-9;]*m", "", error)[:4_000]


def sketch_of(model: Datamodel, *, service: str) -> Sketch:
    return _Reader(model, service).sketch_all()


class _Reader:
    def __init__(self, datamodel: Datamodel, service: str) -> None:
        self.datamodel = datamodel
        self.sketch = Sketch(service)
        self.models = {model.name: model for model in datamodel.models}
        self.enums = {enum.name: enum for enum in datamodel.enums}
        self.entities: dict[str, str] = {}
        self.fields: dict[tuple[str, str], str] = {}
        """Of each field of a model, which field it is here; of a key, the relation that has it."""
        self.linked: set[str] = set()

    def sketch_all(self) -> Sketch:
        for model in self.datamodel.models:
            self._entity(model)
        for model in self.datamodel.models:
            for field in model.fields:
                self._field(model, field)
        for model in self.datamodel.models:
            self._indexes(model)
        for each in self.datamodel.types:
            self.sketch.left_out(each.name, "the composite type: its values are kept as `json`")
        self.sketch.decide_tenancy()
        self.sketch.decide_access()
        return self.sketch

    def _entity(self, model: Model) -> None:
        name = self.entities[model.name] = self.sketch.add_entity(
            model.name, table=model.db_name or model.name
        )
        body = self.sketch.entities[name]
        if model.documentation:
            body["description"] = model.documentation
        body["id"] = self._id(model, name)
        stamps = [field for field in model.fields if self._is_stamp(field)]
        body["timestamps"] = bool(stamps)
        if len(stamps) == 1:
            self.sketch.changed(name, f"has created_at and updated_at, where it had {stamps[0].name} alone")
        for field in stamps:
            self.fields[(model.name, field.name)] = "updated_at" if field.is_updated_at else _stamp(field)
        body["version"] = False
        deleted = next((field for field in model.fields if _plain(field) == "deleted_at"), None)
        if deleted is not None and deleted.type == "DateTime" and not deleted.is_required:
            body["soft_delete"] = True
            self.fields[(model.name, deleted.name)] = "deleted_at"

    def _is_stamp(self, field: ModelField) -> bool:
        return field.type == "DateTime" and (field.is_updated_at or _stamp(field) in STAMPS)

    def _id(self, model: Model, name: str) -> str:
        keys = [field for field in model.fields if field.is_id]
        if not keys:
            listed = model.primary_key.fields if model.primary_key is not None else []
            self.sketch.changed(
                name, f"has an id of its own; what was its key is unique: {', '.join(listed)}"
            )
            return "uuid"
        key = keys[0]
        self.fields[(model.name, key.name)] = "id"
        if _plain(key) != "id":
            self.sketch.changed(name, f"the key `{key.name}` is called `id`")
        if key.type in ("Int", "BigInt"):
            return "serial"
        generated = key.default.get("name") if isinstance(key.default, dict) else None
        is_uuid = generated in ("uuid", "dbgenerated") or (key.native_type or ("",))[0] == "Uuid"
        return "uuid" if is_uuid else "text"

    # Fields

    def _field(self, model: Model, field: ModelField) -> None:
        entity = self.entities[model.name]
        if (model.name, field.name) in self.fields:
            return
        if field.kind == "object" and field.type in self.models:
            self._relation(model, entity, field)
            return
        if self._relation_of(model, field) is not None:
            return  # a key, which comes with its relation
        where = f"{entity}.{field_name(field.name, self.sketch.entities[entity]['fields'])}"
        type_ = self._type(where, field)
        settings = {
            "type": type_,
            "nullable": not field.is_required and not field.is_list,
            "unique": field.is_unique,
            "description": field.documentation,
        }
        name = self.sketch.add_field(entity, field.name, settings, column=field.db_name or field.name)
        self.fields[(model.name, field.name)] = name
        if field.default is not None:
            self._default(entity, name, type_, field.default)

    def _relation_of(self, model: Model, field: ModelField) -> ModelField | None:
        """The relation that a field is the one key of."""
        return next((each for each in model.fields if each.relation_from_fields == [field.name]), None)

    def _type(self, where: str, field: ModelField) -> str:
        array = "[]" if field.is_list else ""
        if field.kind == "enum":
            members = [member.db_name or member.name for member in self.enums[field.type].values]
            type_ = member_list(members)
            try:
                parse_type(type_)
            except TypeSyntaxError as error:
                longest = max(map(len, members))
                self.sketch.decide(
                    where, f"{error.message}; until one is changed it is a text of {longest} characters"
                )
                return f"string({longest}){array}"
            return type_ + array
        if field.kind not in ("scalar", "enum"):
            self.sketch.changed(where, f"there is no type `{field.type}`: it is kept as `json`")
            return "json"
        native, parameters = field.native_type or ("", [])
        type_ = NATIVE.get(native, TYPES.get(field.type, "text"))
        if native in ("VarChar", "Char", "NVarChar", "NChar") and parameters:
            type_ = f"string({min(int(parameters[0]), MAX_LENGTH)})"
        elif field.type == "Decimal" and native == "Decimal" and len(parameters) == 2:
            type_ = f"decimal({parameters[0]},{parameters[1]})"
        elif type_ == "decimal(65,30)":
            self.sketch.decide(where, f"does not say how many digits it has: taken as `{type_}`")
        if native == "Citext":
            self.sketch.changed(where, "compares capitals too: before, they made no difference")
        return "json" if array and type_ == "json" else type_ + array

    def _default(self, entity: str, name: str, type_: str, default: Any) -> None:
        where = f"{entity}.{name}"
        if isinstance(default, dict):
            self.sketch.decide(
                where, f"the default {default.get('name')}() is worked out, so there is none here"
            )
            return
        parsed_type = parse_type(type_)
        value = _member(self.enums, default, parsed_type.values)
        if type_ == "json" and isinstance(value, str):
            with suppress(ValueError):
                value = json.loads(value)
        elif type_ in ("int", "bigint", "float") and isinstance(value, str):
            value = (
                float(value)
                if type_ == "float"
                else int(value)
                if re.fullmatch(r"-?[0-9]+", value)
                else value
            )
        elif type_ == "float" and isinstance(value, int):
            value = float(value)
        field = Field(id="", name=name, type=parsed_type, column=name)
        try:
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            kept = fit(field, value, str(value) if is_number else "")
        except Misfit as error:
            self.sketch.decide(where, f"the default {error.message}, so there is none here")
        else:
            self.sketch.entities[entity]["fields"][name]["default"] = kept

    # Relations

    def _relation(self, model: Model, entity: str, field: ModelField) -> None:
        other = self._other_side(model, field)
        target = self.entities[field.type]
        if field.is_list and other is not None and other.is_list:
            if str(field.relation_name) not in self.linked:
                self.linked.add(str(field.relation_name))
                linked = {"type": f"many({target})", "inverse": self._inverse(entity, target, other)}
                self.fields[(model.name, field.name)] = self.sketch.add_field(entity, field.name, linked)
            return
        if not field.relation_from_fields:
            return  # the other side has the key
        if len(field.relation_from_fields) > 1:
            self.sketch.left_out(f"{entity}.{field.name}", "the relation: its key is of several fields")
            return
        key = model.field(field.relation_from_fields[0])
        wanted = [self.fields.get((field.type, each)) for each in field.relation_to_fields]
        if key is None or wanted != ["id"]:
            self.sketch.left_out(f"{entity}.{field.name}", "the relation: it does not point at an id")
            return
        default = "set_null" if not key.is_required else None
        on_delete = ON_DELETE.get(field.relation_on_delete or "", default)
        own_key = key.is_id or (model.primary_key is not None and model.primary_key.fields == [key.name])
        settings: dict[str, Any] = {
            "type": f"ref({target})",
            "nullable": not key.is_required,
            "unique": key.is_unique or (own_key and not key.is_id),
            "on_delete": None if on_delete == "restrict" else on_delete,
            "inverse": self._inverse(entity, target, other) if other is not None else None,
            "description": field.documentation,
        }
        name = self.sketch.add_field(entity, field.name, settings, column=key.db_name or key.name)
        self.fields[(model.name, field.name)] = self.fields[(model.name, key.name)] = name

    def _other_side(self, model: Model, field: ModelField) -> ModelField | None:
        return next(
            (
                each
                for each in self.models[field.type].fields
                if each.relation_name == field.relation_name
                and each.type == model.name
                and (field.type != model.name or each.name != field.name)
            ),
            None,
        )

    def _inverse(self, entity: str, target: str, other: ModelField) -> str:
        return field_name(other.name, self.sketch.entities[target]["fields"])

    # Indexes

    def _indexes(self, model: Model) -> None:
        body = self.sketch.entities[self.entities[model.name]]
        uniques = [
            *model.unique_fields,
            *([model.primary_key.fields] if model.primary_key is not None else []),
        ]
        for unique in uniques:
            fields = [self.fields.get((model.name, each)) for each in unique]
            if all(fields):
                body.setdefault("unique", []).append(fields)
        for index in self.datamodel.indexes:
            if index.model != model.name or index.type not in ("normal", "fulltext"):
                continue
            found = [
                (self.fields.get((model.name, each.name)), each.sort_order == "desc") for each in index.fields
            ]
            named = [(name, down) for name, down in found if name is not None]
            if index.type == "fulltext":
                for name, _ in named:
                    body["fields"][name]["search"] = True
            elif len(named) == 1 and named[0][0] in body["fields"]:
                field = body["fields"][named[0][0]]
                if not str(field["type"]).startswith("ref(") and not field.get("unique"):
                    field["index"] = True
            elif named:
                body.setdefault("index", []).append([f"-{name}" if down else name for name, down in named])


def _plain(field: ModelField) -> str:
    return names.snake_case(field.name)


def _stamp(field: ModelField) -> str:
    """The name of a field, or of its column when that is the one that is known."""
    column = names.snake_case(field.db_name or "")
    return column if column in STAMPS else _plain(field)


def _member(enums: dict[str, Enum], default: Any, values: tuple[str, ...]) -> Any:
    """A default of an enum as the database has it, where it is called otherwise there."""
    if not values:
        return default
    renamed = {
        member.name: member.db_name or member.name for enum in enums.values() for member in enum.values
    }
    if isinstance(default, list):
        return [renamed.get(each, each) if each not in values else each for each in default]
    return default if default in values else renamed.get(default, default)
