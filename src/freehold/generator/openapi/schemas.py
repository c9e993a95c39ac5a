"""Schemas: the bodies, rows and pages of each entity, and what several of them use."""

from __future__ import annotations

import re
from collections.abc import Sequence

from freehold.generator import names
from freehold.generator.documents import Json
from freehold.generator.limits import MAX_ARRAY, MAX_BATCH, MAX_INCLUDED, MAX_LINKS, MAX_TEXT
from freehold.generator.plan import ID_KINDS, EntityPlan, FieldPlan, Relation, ServicePlan
from freehold.schema.model import IdKind, Kind
from freehold.schema.types import member_identifier

_EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_URL_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$"


def shared(plan: ServicePlan) -> Json:
    """What several entities use, so that clients have one type for it."""
    found: Json = {
        "Problem": _problem(),
        "ProblemError": _problem_error(),
        "PageInfo": _page_info(),
        "CountMode": _choice("none", "exact"),
    }
    if any(entity.soft_delete for entity in plan.entities):
        found["DeletedMode"] = _choice("exclude", "include", "only")
    if any(entity.batches and entity.natural_key for entity in plan.entities):
        found["OnConflict"] = _choice("error", "update", "ignore")
    if any(each.kind is Kind.JSON for entity in plan.entities for each in entity.fields):
        # Said by what it is not: of "an object or an array" the generators of clients make types that do not
        # compile, and of this whatever their language has for anything.
        scalars = ["string", "number", "boolean", "null"]
        found["JsonValue"] = {"description": "Any JSON object or array.", "not": {"type": scalars}}
    return found


def of(plan: ServicePlan, entity: EntityPlan) -> Json:
    """What an entity has: its rows, its bodies, its pages and what lists are asked for."""
    found: Json = {f"{entity.class_name}Sort": _sort(entity)}
    if entity.relations:
        paths = list(plan.includes(entity))
        members = [path.replace(".", "__") for path in paths]
        found[f"{entity.class_name}Include"] = _choice(*paths) | _members(paths, members)
    for each in entity.fields:
        if each.kind is Kind.ENUM:
            members = [member_identifier(value).lower() for value in each.values]
            found[names.enum_class(entity.name, each.name)] = _choice(*each.values) | _members(
                each.values, members
            )
    name = entity.class_name
    if not entity.read_only:
        found |= _bodies(entity)
    views = [(name, entity.fields)] + ([(f"{name}Summary", entity.summary)] if entity.heavy else [])
    for title, fields in views:
        found[title] = _object(
            {each.name: _described(_nullable(_type(entity, each), each), each) for each in fields}
            | {each.name: _related(plan, each) for each in entity.relations},
            [each.name for each in fields if each.readers is None],
        )
    item = f"{name}Summary" if entity.heavy else name
    found[f"{name}Page"] = _object(
        {
            "data": {"type": "array", "items": ref(item), "maxItems": 100},
            "page": ref("PageInfo"),
        },
        ["data", "page"],
    )
    if entity.batches:
        found |= _batch(entity)
    if entity.description:
        found[name]["description"] = entity.description
    return found


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def scalar(entity: EntityPlan, each: FieldPlan, *, bounds: bool) -> Json:
    """One value of a field; with `bounds`, as bodies may hold it."""
    if each.kind is Kind.ENUM:
        return ref(names.enum_class(entity.name, each.name))
    found = _plain(each)
    if not bounds:
        found.pop("maxLength", None)
        if each.kind in (Kind.EMAIL, Kind.URL):
            found.pop("pattern", None)
        return found
    if each.kind in (Kind.INT, Kind.BIGINT, Kind.FLOAT):
        if each.least is not None:
            found["minimum"] = each.least
        if each.most is not None:
            found["maximum"] = each.most
    if each.kind in (Kind.STRING, Kind.TEXT):
        if each.least is not None:
            found["minLength"] = int(each.least)
        if each.most is not None:
            found["maxLength"] = min(int(each.most), found.get("maxLength", MAX_TEXT))
    if each.pattern is not None:
        found["pattern"] = each.pattern
    return found


def identifier(kind: IdKind) -> Json:
    """The id of a row."""
    return _plain(FieldPlan(name="id", column="id", kind=ID_KINDS[kind]))


def _problem() -> Json:
    string: Json = {"type": "string"}
    return {
        "type": "object",
        "description": "Why a request was refused (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail", "instance", "request_id", "errors"],
        "properties": {
            "type": string,
            "title": string,
            "status": {"type": "integer"},
            "code": string,
            "detail": string,
            "instance": string,
            "request_id": string,
            "errors": {"type": "array", "items": ref("ProblemError")},
        },
        "additionalProperties": False,
    }


def _problem_error() -> Json:
    string: Json = {"type": "string"}
    return {
        "type": "object",
        "description": "What is wrong with one place of a request.",
        "required": ["code", "message"],
        "properties": {"pointer": string, "parameter": string, "code": string, "message": string},
        "additionalProperties": False,
    }


def _page_info() -> Json:
    return {
        "type": "object",
        "required": ["limit", "has_more", "next_cursor"],
        "properties": {
            "limit": {"type": "integer"},
            "has_more": {"type": "boolean"},
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Send it as `cursor` to get the next page.",
            },
            "total": {"type": "integer", "description": "Only with `count=exact`."},
        },
        "additionalProperties": False,
    }


def _bodies(entity: EntityPlan) -> Json:
    """What is sent to create a row, and to change one."""
    links = {each.body: _link_ids(each) for each in entity.links}
    create = {each.name: _body(entity, each, patch=False) for each in entity.writable}
    update = {each.name: _body(entity, each, patch=True) for each in entity.writable}
    required = [each.name for each in entity.writable if each.required]
    return {
        f"{entity.class_name}Create": _object(create | links, required),
        f"{entity.class_name}Update": _object(update | links, []),
    }


def _link_ids(relation: Relation) -> Json:
    one = identifier(relation.id_kind)
    found = {"type": "array", "items": one, "maxItems": MAX_LINKS}
    return found | {
        "description": f"The ids of all {names.words(relation.name)}; those that are missing are unlinked."
    }


def _related(plan: ServicePlan, relation: Relation) -> Json:
    """What `include` adds to a row."""
    target = plan.entity(relation.target)
    row = ref(f"{target.class_name}Summary" if target.heavy else target.class_name)
    told = {"description": f"Only with `include={relation.name}`."}
    if relation.many:
        return {"type": "array", "items": row, "maxItems": MAX_INCLUDED} | told
    return {"oneOf": [row, {"type": "null"}]} | told


def _batch(entity: EntityPlan) -> Json:
    """The bodies and the answer of many rows at once."""
    name = entity.class_name
    many: Json = {"type": "array", "minItems": 1, "maxItems": MAX_BATCH}
    one = identifier(entity.id_kind)
    create: Json = {"items": many | {"items": ref(f"{name}Create")}}
    if entity.natural_key:
        create["on_conflict"] = ref("OnConflict") | {
            "description": f"What to do about items whose {entity.natural_key} there is already."
        }
    keys = {"id": one}
    if entity.version:
        seen = _plain(FieldPlan(name="version", column="version", kind=Kind.BIGINT))
        keys["version"] = seen | {
            "type": ["integer", "null"],
            "description": "Refused with 412 if the row has another.",
        }
    links = {each.body: _link_ids(each) for each in entity.links}
    change = {each.name: _body(entity, each, patch=True) for each in entity.writable} | links
    return {
        f"{name}BatchCreate": _object(create, ["items"]),
        f"{name}Change": _object(keys | change, ["id"]),
        f"{name}BatchUpdate": _object({"items": many | {"items": ref(f"{name}Change")}}, ["items"]),
        f"{name}BatchDelete": _object({"ids": many | {"items": one}}, ["ids"]),
        f"{name}Rows": _object(
            {"data": {"type": "array", "items": ref(name), "maxItems": MAX_BATCH}}, ["data"]
        ),
    }


def _sort(entity: EntityPlan) -> Json:
    """What rows can be sorted by."""
    keys = [sign + each.name for each in entity.sort_keys for sign in ("", "-")]
    members = [each.lstrip("-") + ("_desc" if each.startswith("-") else "") for each in keys]
    return _choice(*keys) | {"x-enum-varnames": members}


def _body(entity: EntityPlan, each: FieldPlan, *, patch: bool) -> Json:
    found = _nullable(_type(entity, each, bounds=True), each, also=each.default_me and not patch)
    return _described(found, each)


def _described(schema: Json, each: FieldPlan) -> Json:
    return schema | {"description": each.description} if each.description else schema


def _nullable(schema: Json, each: FieldPlan, *, also: bool = False) -> Json:
    if not (each.nullable or also):
        return schema
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    return {"oneOf": [schema, {"type": "null"}]}


def _type(entity: EntityPlan, each: FieldPlan, *, bounds: bool = False) -> Json:
    one = scalar(entity, each, bounds=bounds)
    if not each.array:
        return one
    return {"type": "array", "items": one} | ({"maxItems": MAX_ARRAY} if bounds else {})


def _plain(each: FieldPlan) -> Json:
    point: Json = {
        "type": "array",
        "items": {"type": "number", "format": "double"},
        "minItems": 2,
        "maxItems": 2,
    }
    match each.kind:
        case Kind.STRING:
            return {"type": "string", "maxLength": each.length or MAX_TEXT}
        case Kind.TEXT:
            return {"type": "string", "maxLength": MAX_TEXT}
        case Kind.INT:
            return {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
        case Kind.BIGINT:
            return {"type": "integer", "format": "int64", "minimum": -(2**53) + 1, "maximum": 2**53 - 1}
        case Kind.FLOAT:
            return {"type": "number", "format": "double"}
        case Kind.DECIMAL:
            return {"type": "string", "pattern": _decimal_pattern(each)}
        case Kind.BOOL:
            return {"type": "boolean"}
        case Kind.DATE:
            return {"type": "string", "format": "date"}
        case Kind.TIME:
            return {"type": "string", "pattern": r"^[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$"}
        case Kind.DATETIME:
            return {"type": "string", "format": "date-time"}
        case Kind.UUID:
            return {"type": "string", "format": "uuid"}
        case Kind.BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        case Kind.EMAIL:
            return {"type": "string", "maxLength": 320, "pattern": _EMAIL_PATTERN}
        case Kind.URL:
            return {"type": "string", "maxLength": 2048, "pattern": _URL_PATTERN}
        case Kind.JSON:
            return ref("JsonValue")
        case Kind.POINT:
            return point
        case Kind.LINE:
            return {"type": "array", "items": point, "minItems": 2}
        case Kind.POLYGON:
            return {"type": "array", "items": {"type": "array", "items": point, "minItems": 4}, "minItems": 1}
        case _:
            return {"type": "string"}


def _decimal_pattern(each: FieldPlan) -> str:
    """A decimal on the wire: digits as a string, since a number of JSON would lose some."""
    assert each.precision is not None
    assert each.scale is not None
    whole = max(each.precision - each.scale, 1)
    fraction = rf"(\.[0-9]{{1,{each.scale}}})?" if each.scale else ""
    return rf"^-?[0-9]{{1,{whole}}}{fraction}$"


def _object(properties: Json, required: list[str]) -> Json:
    found: Json = {"type": "object"}
    if required:
        found["required"] = required
    return found | {"properties": properties, "additionalProperties": False}


def _choice(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def _members(values: Sequence[str], members: list[str]) -> Json:
    """What clients call the values, where they cannot find good names themselves.

    In lower case, of which each language makes its own: CREATED_AT_DESC in Python, CreatedAtDesc in Go."""
    plain = {re.sub(r"\W", "_", value).lower() for value in values}
    if len(plain) == len(values) and all(re.match(r"[a-z]", name) for name in plain):
        return {}
    return {"x-enum-varnames": members}
