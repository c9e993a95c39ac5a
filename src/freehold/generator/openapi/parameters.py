"""Parameters: what stands in paths, queries and headers."""

from __future__ import annotations

from collections import Counter

import msgspec

from freehold.generator.documents import Json
from freehold.generator.limits import MAX_INCLUDES
from freehold.generator.openapi import schemas
from freehold.generator.plan import EntityPlan
from freehold.schema.model import Kind


def of_list(entity: EntityPlan) -> list[Json]:
    """What a list is asked with: which page, in which order, and which rows."""
    order: Json = {"type": "array", "maxItems": 3, "items": schemas.ref(f"{entity.class_name}Sort")}
    found = [
        _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100}, "How many; 25 unless told."),
        _parameter("cursor", {"type": "string", "maxLength": 2000}, "`next_cursor` of the page before."),
        _parameter(
            "offset",
            {"type": "integer", "minimum": 0, "maximum": 10000},
            "How many to skip; not with cursor.",
        ),
        _parameter("count", schemas.ref("CountMode"), "`exact` adds the total."),
        _parameter("sort", order, "In which order; `-` descends. `id` decides between equals."),
    ]
    found += include(entity)
    if entity.search:
        text = {"type": "string", "minLength": 1, "maxLength": 200}
        looked = ", ".join(entity.search)
        found.append(
            _parameter("q", text, f"Words to find in {looked}; `-word` excludes, quotes keep together.")
        )
    if entity.soft_delete:
        found.append(
            _parameter(
                "deleted", schemas.ref("DeletedMode"), f"Deleted rows; needs {entity.name}:read_deleted."
            )
        )
    for parameter, each, operator in entity.filters():
        schema = schemas.scalar(entity, each, bounds=False)
        if each.kind is Kind.BOOL or operator == "is_null":
            schema = {"type": "boolean"}
        elif operator in ("contains", "starts_with"):
            schema = {"type": "string", "minLength": 1}
        elif operator == "in":
            schema = {"type": "array", "items": schema, "maxItems": 100}
        found.append(_parameter(parameter, schema, ""))
    return found


def include(entity: EntityPlan) -> list[Json]:
    """`include`, where there are relations."""
    if not entity.relations:
        return []
    schema = {"type": "array", "maxItems": MAX_INCLUDES, "items": schemas.ref(f"{entity.class_name}Include")}
    return [_parameter("include", schema, "Rows that belong to the ones shown, and what belongs to those.")]


def identifier(entity: EntityPlan) -> Json:
    """The id of a row, in a path."""
    schema = schemas.identifier(entity.id_kind)
    if entity.id_kind == "text":
        schema |= {"minLength": 1, "maxLength": 255}
    return {"name": "id", "in": "path", "required": True, "schema": schema}


def if_match() -> Json:
    return {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that was seen: refused with 412 when the row has changed since.",
        "schema": {"type": "string"},
    }


def idempotency_key() -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Within a day, the same request has no second effect, and gets the same answer.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def tenant() -> Json:
    return {
        "name": "X-Tenant-Id",
        "in": "header",
        "description": "The tenant to act in. Who belongs to only one need not say.",
        "schema": {"type": "string", "maxLength": 255},
    }


def share(paths: Json) -> Json:
    """Have operations refer to the parameters that several of them take alike. Gives these."""
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
