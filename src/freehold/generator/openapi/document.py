"""The document as a whole: what it says of the service, and where its parts stand."""

from __future__ import annotations

from freehold.generator import documents, names, own_routes
from freehold.generator.documents import Json
from freehold.generator.openapi import operations, parameters, responses, schemas, security
from freehold.generator.plan import ServicePlan


def document(plan: ServicePlan) -> Json:
    """The whole document."""
    paths: Json = {}
    shapes = schemas.shared(plan)
    for entity in plan.entities:
        shapes.update(schemas.of(plan, entity))
        paths.update(operations.paths(plan, entity))
    common = parameters.share(paths)
    info = {"title": plan.title, "version": "1.0.0"}
    if plan.description:
        info["description"] = plan.description
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in security.schemes(plan)],
        "tags": [
            {
                "name": each.name,
                "description": each.description or f"{names.words(each.plural).capitalize()}.",
            }
            for each in plan.entities
        ],
        "paths": paths,
        "components": {
            "securitySchemes": security.schemes(plan),
            "schemas": shapes,
            "headers": {
                "ETag": {"description": "The row's version.", "schema": {"type": "string"}},
                "RequestId": {"description": "Names this request in the logs.", "schema": {"type": "string"}},
                "Link": {"description": 'The next page, as rel="next".', "schema": {"type": "string"}},
                "Location": {"description": "The path of the new row.", "schema": {"type": "string"}},
            },
            "parameters": common,
            "responses": responses.shared(plan),
        },
    }


def text(plan: ServicePlan, own: str | None = None) -> str:
    """The document as a file, with what the owner says of their own routes."""
    return documents.text(own_routes.merged(document(plan), own))
