"""The contract: one OpenAPI 3.1 document from the plan, the same for every language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from freehold.generator import documents, names, own_routes
from freehold.generator.limits import MAX_ARRAY, MAX_BATCH, MAX_INCLUDED, MAX_INCLUDES, MAX_LINKS, MAX_TEXT
from freehold.generator.plan import ID_KINDS, EntityPlan, FieldPlan, Relation, ServicePlan
from freehold.schema.model import Kind
from freehold.schema.types import member_identifier

Json = dict[str, Any]

JSON = "application/json"
CSV = "text/csv"
PROBLEM = "application/problem+json"

_EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_URL_PATTERN = r"^[A-Za-z][A-Za-z0-9+.-]*://[^\s]+$"

RESPONSES = {
    400: ("BadRequest", "A parameter or the syntax of the body is wrong."),
    401: ("Unauthenticated", "The credential is missing, invalid or expired."),
    403: ("Forbidden", "The caller's role does not allow this, or the caller is in no tenant."),
    404: ("NotFound", "Absent, another tenant's, or not readable."),
    409: ("Conflict", "The value is taken, or other rows still refer to this one."),
    412: ("PreconditionFailed", "The row has changed since the version in If-Match."),
    413: ("ContentTooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "The body is not JSON."),
    422: ("InvalidContent", "The body is well formed, and its content is wrong."),
    429: ("TooManyRequests", "The caller asks too often; Retry-After says when to come back."),
    "5XX": ("Failed", "500 is a mistake of the service; with 503, try again in a moment."),
}
"""What is refused, by status. The last is a range, as every operation may fail so."""


OF_COOKIES = "With a cookie, changes need an `Origin` that is allowed (403 `bad_origin`)."


def document(plan: ServicePlan) -> Json:
    """The whole document."""
    paths: Json = {}
    schemas = _shared_schemas(plan)
    for entity in plan.entities:
        schemas.update(_schemas(plan, entity))
        paths.update(_paths(plan, entity))
    parameters = _shared_parameters(paths)
    info = {"title": plan.title, "version": "1.0.0"}
    if plan.description:
        info["description"] = plan.description
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _credentials(plan)],
        "tags": [
            {
                "name": each.name,
                "description": each.description or f"{names.words(each.plural).capitalize()}.",
            }
            for each in plan.entities
        ],
        "paths": paths,
        "components": {
            "securitySchemes": _credentials(plan),
            "schemas": schemas,
            "headers": {
                "ETag": {"description": "The row's version.", "schema": {"type": "string"}},
                "RequestId": {"description": "Names this request in the logs.", "schema": {"type": "string"}},
                "Link": {"description": 'The next page, as rel="next".', "schema": {"type": "string"}},
                "Location": {"description": "The path of the new row.", "schema": {"type": "string"}},
            },
            "parameters": parameters,
            "responses": {
                name: {
                    "description": text,
                    "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
                    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
                for name, text in RESPONSES.values()
            }
            | {name: answer for each in plan.entities for name, answer in _answers(each).items()},
        },
    }


def text(plan: ServicePlan, own: str | None = None) -> str:
    """The document as a file, with what the owner says of their own routes."""
    return documents.text(own_routes.merged(document(plan), own))


def _credentials(plan: ServicePlan) -> Json:
    """What a caller may come with: one of them."""
    found: Json = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    if plan.api_keys:
        found["api_key"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    if plan.sessions:
        found["session"] = {
            "type": "apiKey",
            "in": "header",
            "name": "X-Appwrite-Session",
            "description": f"Browsers have it in the cookie `a_session_<project>`. {OF_COOKIES}",
        }
    if plan.session is not None:
        found["cookie"] = {
            "type": "apiKey",
            "in": "cookie",
            "name": plan.session.cookie,
            "description": OF_COOKIES,
        }
    return found


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
            "errors": {"type": "array", "items": _ref("ProblemError")},
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


def _shared_schemas(plan: ServicePlan) -> Json:
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


def _choice(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


def _schemas(plan: ServicePlan, entity: EntityPlan) -> Json:
    found: Json = {f"{entity.class_name}Sort": _sort(entity)}
    if entity.relations:
        paths = list(plan.includes(entity))
        found[f"{entity.class_name}Include"] = {
            "type": "string",
            "enum": paths,
        } | _members(paths, [path.replace(".", "__") for path in paths])
    for each in entity.fields:
        if each.kind is Kind.ENUM:
            found[names.enum_class(entity.name, each.name)] = {
                "type": "string",
                "enum": list(each.values),
            } | _members(each.values, [member_identifier(value).lower() for value in each.values])
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
            "data": {"type": "array", "items": _ref(item), "maxItems": 100},
            "page": _ref("PageInfo"),
        },
        ["data", "page"],
    )
    if entity.batches:
        found |= _batch(entity)
    if entity.description:
        found[name]["description"] = entity.description
    return found


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
    one = _plain(FieldPlan(name="id", column="id", kind=ID_KINDS[relation.id_kind]))
    found = {"type": "array", "items": one, "maxItems": MAX_LINKS}
    return found | {
        "description": f"The ids of all {names.words(relation.name)}; those that are missing are unlinked."
    }


def _related(plan: ServicePlan, relation: Relation) -> Json:
    """What `include` adds to a row."""
    target = plan.entity(relation.target)
    row = _ref(f"{target.class_name}Summary" if target.heavy else target.class_name)
    told = {"description": f"Only with `include={relation.name}`."}
    if relation.many:
        return {"type": "array", "items": row, "maxItems": MAX_INCLUDED} | told
    return {"oneOf": [row, {"type": "null"}]} | told


def _batch(entity: EntityPlan) -> Json:
    """The bodies and the answer of many rows at once."""
    name = entity.class_name
    many: Json = {"type": "array", "minItems": 1, "maxItems": MAX_BATCH}
    one = _plain(FieldPlan(name="id", column="id", kind=ID_KINDS[entity.id_kind]))
    create: Json = {"items": many | {"items": _ref(f"{name}Create")}}
    if entity.natural_key:
        create["on_conflict"] = _ref("OnConflict") | {
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
        f"{name}BatchUpdate": _object({"items": many | {"items": _ref(f"{name}Change")}}, ["items"]),
        f"{name}BatchDelete": _object({"ids": many | {"items": one}}, ["ids"]),
        f"{name}Rows": _object(
            {"data": {"type": "array", "items": _ref(name), "maxItems": MAX_BATCH}}, ["data"]
        ),
    }


def _object(properties: Json, required: list[str]) -> Json:
    found: Json = {"type": "object"}
    if required:
        found["required"] = required
    return found | {"properties": properties, "additionalProperties": False}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _members(values: Sequence[str], members: list[str]) -> Json:
    """What clients call the values, where they cannot find good names themselves.

    In lower case, of which each language makes its own: CREATED_AT_DESC in Python, CreatedAtDesc in Go."""
    plain = {re.sub(r"\W", "_", value).lower() for value in values}
    if len(plain) == len(values) and all(re.match(r"[a-z]", name) for name in plain):
        return {}
    return {"x-enum-varnames": members}


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
    one = _scalar(entity, each, bounds=bounds)
    if not each.array:
        return one
    return {"type": "array", "items": one} | ({"maxItems": MAX_ARRAY} if bounds else {})


def _scalar(entity: EntityPlan, each: FieldPlan, *, bounds: bool) -> Json:
    if each.kind is Kind.ENUM:
        return _ref(names.enum_class(entity.name, each.name))
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
            return _ref("JsonValue")
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


def _paths(plan: ServicePlan, entity: EntityPlan) -> Json:
    one, many = entity.name, entity.plural
    name = entity.class_name
    row = {"$ref": f"#/components/schemas/{name}"}
    base = f"/v1/{entity.path}"
    noun = names.words(entity.name)
    identifier = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": _identifier(entity),
    }
    with_match = [identifier, *([_if_match()] if entity.version else [])]
    changed = (412,) if entity.version else ()
    collection = {
        "get": _operation(
            plan,
            entity,
            "read",
            f"list_{many}",
            f"List {names.words(many)}",
            {"200": _list_answer(name)},
            (),
            parameters=_list_parameters(entity),
            description="Those that the caller may read. All filters have to hold.",
        ),
        "post": _operation(
            plan,
            entity,
            "create",
            f"create_{one}",
            f"Create {names.article(noun)}",
            {"201": _row_answer(entity, row, "The new row.", location=True)},
            (409, 413, 415, 422),
            parameters=[_idempotency_key()],
            body=f"{name}Create",
            description="Fields that are left out get their defaults.",
        ),
    }
    single = {
        "get": _operation(
            plan,
            entity,
            "read",
            f"get_{one}",
            f"Get {names.article(noun)}",
            {"200": _answer(name)}
            | ({"304": {"description": "The caller has this version already."}} if entity.version else {}),
            (404,),
            parameters=[identifier, *_include(entity)],
            description="One that the caller may not read is answered like one that is not there.",
        ),
        "patch": _operation(
            plan,
            entity,
            "update",
            f"update_{one}",
            f"Change {names.article(noun)}",
            {"200": _answer(name)},
            (404, 409, *changed, 413, 415, 422),
            parameters=with_match,
            body=f"{name}Update",
            description="What is left out stays as it is, and null empties it (RFC 7396). "
            "`application/merge-patch+json` is taken as well.",
        ),
        "delete": _operation(
            plan,
            entity,
            "delete",
            f"delete_{one}",
            f"Delete {names.article(noun)}",
            {"204": {"description": "It is deleted."}},
            (404, 409, *changed),
            parameters=with_match,
            description="It can be restored." if entity.soft_delete else "It cannot be restored.",
        ),
    }
    if entity.read_only:
        return {base: {"get": collection["get"]}, f"{base}/{{id}}": {"get": single["get"]}}
    found: Json = {base: collection, f"{base}/{{id}}": single}
    if entity.soft_delete:
        found[f"{base}/{{id}}/restore"] = {
            "post": _operation(
                plan,
                entity,
                "restore",
                f"restore_{one}",
                f"Restore {names.article(noun)}",
                {"200": _answer(name)},
                (404, 409, 413, 415),
                parameters=[identifier],
                description="Takes back that it was deleted.",
            )
        }
    if entity.batches:
        found |= _batch_paths(plan, entity, base)
    for relation in entity.links:
        target = plan.entity(relation.target)
        other = identifier | {"name": "other", "schema": _identifier(target)}
        for method, verb in (("put", "link"), ("delete", "unlink")):
            found.setdefault(f"{base}/{{id}}/{names.kebab(relation.name)}/{{other}}", {})[method] = (
                _operation(
                    plan,
                    entity,
                    "update",
                    f"{verb}_{one}_{relation.name}",
                    f"{verb.capitalize()} {names.article(noun)} and one of its {names.words(relation.name)}",
                    {"204": {"description": "It is so."}},
                    (404, 413, 415),
                    parameters=[identifier, other],
                    description="Nothing changes where it is so already.",
                )
            )
    return found


def _batch_paths(plan: ServicePlan, entity: EntityPlan, base: str) -> Json:
    """Many rows in one request: all of them or none."""
    plural, words = entity.plural, names.words(entity.plural)
    rows = _answer(f"{entity.class_name}Rows")
    changed = (412,) if entity.version else ()
    refused = (404, 409, 413, 415, 422)
    answers: dict[str, tuple[str, str, Json, tuple[int, ...]]] = {
        "create": ("batch", "Create", {"201": rows}, ()),
        "update": ("batch-update", "Change", {"200": rows}, changed),
        "delete": ("batch-delete", "Delete", {"204": {"description": "They are deleted."}}, ()),
    }
    return {
        f"{base}/{path}": {
            "post": _operation(
                plan,
                entity,
                action,
                f"batch_{action}_{plural}",
                f"{verb} many {words}",
                answer,
                (*refused, *more),
                parameters=[_idempotency_key()],
                body=f"{entity.class_name}Batch{action.capitalize()}",
                description=f"All of them or none, and at most {MAX_BATCH}.",
            )
        }
        for action, (path, verb, answer, more) in answers.items()
    }


def _idempotency_key() -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Within a day, the same request has no second effect, and gets the same answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def _identifier(entity: EntityPlan) -> Json:
    """The id of a row, in a path."""
    plain = _plain(FieldPlan(name="id", column="id", kind=ID_KINDS[entity.id_kind]))
    return plain | ({"minLength": 1, "maxLength": 255} if entity.id_kind == "text" else {})


def _operation(
    plan: ServicePlan,
    entity: EntityPlan,
    action: str,
    operation: str,
    summary: str,
    answers: Json,
    refusals: tuple[int, ...],
    *,
    description: str,
    parameters: list[Json] | None = None,
    body: str = "",
) -> Json:
    permission = f"{entity.name}:{action}"
    found: Json = {
        "operationId": names.camel(operation),
        "summary": summary,
        "description": description,
        "tags": [entity.name],
        "x-required-permission": permission,
    }
    if permission in plan.permissions.get("public", {}):
        found["security"] = [{}, *({name: []} for name in _credentials(plan))]
    if plan.membership is not None or plan.sessions:
        parameters = [*(parameters or ()), _tenant_header()]
    if parameters:
        found["parameters"] = parameters
    if body:
        media = {JSON: {"schema": {"$ref": f"#/components/schemas/{body}"}}}
        found["requestBody"] = {"required": True, "content": media}
    refused = {400, 401, 403, 429, "5XX", *refusals}
    found["responses"] = answers | {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, (name, _) in RESPONSES.items()
        if status in refused
    }
    return found


def _tenant_header() -> Json:
    return {
        "name": "X-Tenant-Id",
        "in": "header",
        "description": "The tenant to act in. Who belongs to only one need not say.",
        "schema": {"type": "string", "maxLength": 255},
    }


def _answer(name: str) -> Json:
    return {"$ref": f"#/components/responses/{name}Answer"}


def _answers(entity: EntityPlan) -> Json:
    """The answers that several operations give."""
    name = entity.class_name
    found = {f"{name}Answer": _row_answer(entity, _ref(name), "The row, as it is now.")}
    if entity.batches:
        found[f"{name}RowsAnswer"] = {
            "description": "The rows, in the order of the items.",
            "content": {JSON: {"schema": _ref(f"{name}Rows")}},
        }
    return found


def _row_answer(entity: EntityPlan, row: Json, text: str, *, location: bool = False) -> Json:
    headers: Json = {}
    if entity.version:
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
    if location:
        headers["Location"] = {"$ref": "#/components/headers/Location"}
    named = {"headers": headers} if headers else {}
    return {"description": text, **named, "content": {JSON: {"schema": row}}}


def _list_answer(name: str) -> Json:
    return {
        "description": "One page.",
        "headers": {"Link": {"$ref": "#/components/headers/Link"}},
        "content": {
            JSON: {"schema": {"$ref": f"#/components/schemas/{name}Page"}},
            CSV: {"schema": {"type": "string"}},
        },
    }


def _if_match() -> Json:
    return {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that was seen: refused with 412 when the row has changed since.",
        "schema": {"type": "string"},
    }


def _list_parameters(entity: EntityPlan) -> list[Json]:
    order: Json = {"type": "array", "maxItems": 3, "items": _ref(f"{entity.class_name}Sort")}
    found = [
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many; 25 unless told."),
        _parameter("cursor", {"type": "string", "maxLength": 2000}, "`next_cursor` of the page before."),
        _parameter(
            "offset",
            {"type": "integer", "minimum": 0, "maximum": 10000},
            "How many to skip; not with cursor.",
        ),
        _parameter("count", _ref("CountMode"), "`exact` adds the total."),
        _parameter("sort", order, "In which order; `-` descends. `id` decides between equals."),
    ]
    found += _include(entity)
    if entity.search:
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        looked = ", ".join(entity.search)
        found.append(
            _parameter("q", text, f"Words to find in {looked}; `-word` excludes, quotes keep together.")
        )
    if entity.soft_delete:
        found.append(
            _parameter("deleted", _ref("DeletedMode"), f"Deleted rows; needs {entity.name}:read_deleted.")
        )
    for parameter, each, operator in entity.filters():
        schema = _scalar(entity, each, bounds=False)
        if each.kind is Kind.BOOL or operator == "is_null":
            schema = {"type": "boolean"}
        elif operator in ("contains", "starts_with"):
            schema = {"type": "string", "minLength": 1}
        elif operator == "in":
            schema = {"type": "array", "items": schema, "maxItems": 100}
        found.append(_parameter(parameter, schema, ""))
    return found


def _sort(entity: EntityPlan) -> Json:
    """What rows can be sorted by."""
    keys = [sign + each.name for each in entity.sort_keys for sign in ("", "-")]
    members = [each.lstrip("-") + ("_desc" if each.startswith("-") else "") for each in keys]
    return _choice(*keys) | {"x-enum-varnames": members}


def _include(entity: EntityPlan) -> list[Json]:
    if not entity.relations:
        return []
    schema = {"type": "array", "maxItems": MAX_INCLUDES, "items": _ref(f"{entity.class_name}Include")}
    return [_parameter("include", schema, "Rows that belong to the ones shown, and what belongs to those.")]


def _shared_parameters(paths: Json) -> Json:
    """The parameters that several operations take alike, which then only refer to them."""
    operations = [operation for path in paths.values() for operation in path.values()]
    spelled = Counter(
        msgspec.json.encode(each) for operation in operations for each in operation.get("parameters", ())
    )
    found: Json = {}
    for text, times in spelled.most_common():
        each = msgspec.json.decode(text)
        if times > 1:
            found.setdefault(_shared_name(each), each)
    for operation in operations:
        if "parameters" in operation:
            operation["parameters"] = [
                {"$ref": f"#/components/parameters/{_shared_name(each)}"}
                if found.get(_shared_name(each)) == each
                else each
                for each in operation["parameters"]
            ]
    return dict(sorted(found.items()))


def _shared_name(parameter: Json) -> str:
    return f"{parameter['in']}.{parameter['name']}"


def _parameter(name: str, schema: Json, description: str) -> Json:
    found = {"name": name, "in": "query", "schema": schema}
    return found | {"description": description} if description else found
