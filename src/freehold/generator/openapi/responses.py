"""Responses: rows and pages, and how operations refuse."""

from __future__ import annotations

from collections.abc import Iterable

from freehold.generator.documents import Json
from freehold.generator.openapi import schemas
from freehold.generator.plan import EntityPlan, ServicePlan

JSON = "application/json"
_CSV = "text/csv"
_PROBLEM = "application/problem+json"

_REFUSALS = {
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


def shared(plan: ServicePlan) -> Json:
    """The responses that several operations give."""
    refused = {
        name: {
            "description": text,
            "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
            "content": {_PROBLEM: {"schema": schemas.ref("Problem")}},
        }
        for name, text in _REFUSALS.values()
    }
    return refused | {name: answer for each in plan.entities for name, answer in _answers(each).items()}


def refusals(statuses: Iterable[int]) -> Json:
    """How an operation refuses with these statuses, and with those that every operation has."""
    refused = {400, 401, 403, 429, "5XX", *statuses}
    return {
        str(status): {"$ref": f"#/components/responses/{name}"}
        for status, (name, _) in _REFUSALS.items()
        if status in refused
    }


def answer(name: str) -> Json:
    """The row, or the rows of a batch, that several operations answer with."""
    return {"$ref": f"#/components/responses/{name}Answer"}


def row(entity: EntityPlan, text: str, *, location: bool = False) -> Json:
    """A row of the entity."""
    headers: Json = {}
    if entity.version:
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
    if location:
        headers["Location"] = {"$ref": "#/components/headers/Location"}
    named = {"headers": headers} if headers else {}
    return {"description": text, **named, "content": {JSON: {"schema": schemas.ref(entity.class_name)}}}


def page(entity: EntityPlan) -> Json:
    """A page of a list."""
    return {
        "description": "One page.",
        "headers": {"Link": {"$ref": "#/components/headers/Link"}},
        "content": {
            JSON: {"schema": schemas.ref(f"{entity.class_name}Page")},
            _CSV: {"schema": {"type": "string"}},
        },
    }


def _answers(entity: EntityPlan) -> Json:
    name = entity.class_name
    found = {f"{name}Answer": row(entity, "The row, as it is now.")}
    if entity.batches:
        found[f"{name}RowsAnswer"] = {
            "description": "The rows, in the order of the items.",
            "content": {JSON: {"schema": schemas.ref(f"{name}Rows")}},
        }
    return found
