"""The OpenAPI document, made from what the endpoints declare. Nothing in it is written by hand."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from freehold import __version__, errors
from freehold.access import scopes
from freehold.errors import Problem
from freehold.ids import ID_PATTERN
from freehold.web.endpoint import Endpoint
from freehold.web.multipart import Upload
from freehold.web.wire import Output, Stream, wire_name

Schema = dict[str, Any]

_REF = "#/components/schemas/"

GENERAL: tuple[type[Problem], ...] = (
    errors.InvalidBody,
    errors.InvalidJwt,
    errors.KeyExpired,
    errors.MoreFactorsRequired,
    errors.UnknownOrigin,
    errors.UserBlocked,
    errors.JwtAndCookieSet,
    errors.ProjectNotFound,
    errors.DatabaseTimeout,
    errors.ResourceLocked,
    errors.ServerError,
    errors.Unavailable,
)
"""What every endpoint may answer, before or around what it does itself."""

_SECURITY_SCHEMES: dict[str, Schema] = {
    "Project": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Appwrite-Project",
        "description": "The project's id. Without it, the console project is meant.",
    },
    "Key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Appwrite-Key",
        "description": "An API key of the project. It may do what its scopes say, whatever the permissions.",
    },
    "Session": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Appwrite-Session",
        "description": "A user's session. Browsers send it as the cookie `a_session_<project>` instead.",
    },
    "JWT": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Appwrite-JWT",
        "description": "A token that acts as a session for a while; see the account's `createJWT`.",
    },
    "Mode": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Appwrite-Mode",
        "description": "`admin`, with a session of the console: act as a member of the project's team.",
    },
}

_ERROR: Schema = {
    "type": "object",
    "description": "What went wrong, to the one who can act.",
    "properties": {
        "message": {"type": "string"},
        "code": {"type": "integer", "description": "The HTTP status."},
        "type": {"type": "string", "description": "What programs tell errors apart by."},
        "version": {"type": "string", "description": "The server's."},
    },
    "required": ["message", "code", "type", "version"],
}


def document(endpoints: Iterable[Endpoint]) -> Schema:
    """The OpenAPI 3.1 document of these endpoints. The same declarations give the same document."""
    shown = list(endpoints)
    schemas = _Schemas()
    paths: dict[str, Schema] = {}
    for endpoint in shown:
        path = paths.setdefault(endpoint.path.removeprefix("/v1"), {})
        path[endpoint.method.lower()] = _operation(endpoint, schemas)
    tags = {endpoint.service: _about(endpoint) for endpoint in shown}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Freehold",
            "version": __version__,
            "description": "A backend platform on PostgreSQL. The SDKs of the Appwrite contract speak to it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v1"}],
        "tags": [{"name": name, "description": about} for name, about in tags.items()],
        "paths": paths,
        "components": {
            "schemas": {"error": _ERROR, **schemas.named},
            "securitySchemes": _SECURITY_SCHEMES,
            "responses": {"error": _error_response((), "Any other error.")},
        },
        "x-freehold": {"general": [{"type": each.type, "status": each.status} for each in GENERAL]},
    }


def encode(endpoints: Iterable[Endpoint]) -> bytes:
    """The document as the file `openapi.json` holds it."""
    return msgspec.json.format(msgspec.json.encode(document(endpoints)), indent=1) + b"\n"


def operation_id(endpoint: Endpoint, name: str = "") -> str:
    """The service and the SDK's method: `tablesDBCreateRow`. The method may be another than the first."""
    named = name or endpoint.name
    return endpoint.service + named[0].upper() + named[1:]


def _about(endpoint: Endpoint) -> str:
    package = ".".join(endpoint.handler.__module__.split(".")[:3])
    about = sys.modules[package].__doc__ or ""
    return " ".join(about.split())


def _operation(endpoint: Endpoint, schemas: _Schemas) -> Schema:
    summary = " ".join(endpoint.summary.split())
    headline, _, rest = summary.partition(". ")
    operation: Schema = {
        "operationId": operation_id(endpoint),
        "tags": [endpoint.service],
        "summary": headline.rstrip("."),
    }
    if rest:
        operation["description"] = summary
    parameters = [_path_parameter(name, endpoint.path_types[name], schemas) for name in endpoint.parameters]
    if endpoint.query is not None:
        parameters += _query_parameters(schemas.inline(endpoint.query))
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        body = schemas.inline(endpoint.body)
        operation["requestBody"] = {
            "required": bool(body.get("required")),
            "content": {
                "multipart/form-data" if endpoint.takes_files else "application/json": {"schema": body}
            },
        }
    operation["responses"] = {
        **{str(each): _success(endpoint, schemas) for each in (endpoint.status_again, endpoint.status)},
        **_refusals(endpoint),
        "default": {"$ref": "#/components/responses/error"},
    }
    operation["security"] = _security(endpoint)
    operation["x-freehold"] = {
        "sdk": {"service": endpoint.service, "method": endpoint.name},
        "scopes": list(endpoint.scopes),
        "event": endpoint.emits,
        "limits": [{"hits": each.hits, "seconds": each.seconds, "key": each.key} for each in endpoint.limits],
        "aliases": list(endpoint.aliases),
        "reference": endpoint.reference,
        "errors": [each.type for each in endpoint.raises],
    }
    return operation


def _path_parameter(name: str, shape: Any, schemas: _Schemas) -> Schema:
    schema = {"type": "string", "pattern": ID_PATTERN} if shape is str else schemas.hinted(shape)
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(query: Schema) -> list[Schema]:
    """A parameter for each field; a list is sent as `queries[]=…&queries[]=…`."""
    parameters = []
    for name, schema in query["properties"].items():
        is_list = schema.get("type") == "array"
        parameter: Schema = {"name": f"{name}[]" if is_list else name, "in": "query"}
        if name in query.get("required", ()):
            parameter["required"] = True
        if "description" in schema:
            parameter["description"] = schema["description"]
        parameters.append(parameter | {"schema": schema})
    return parameters


def _success(endpoint: Endpoint, schemas: _Schemas) -> Schema:
    if endpoint.answer is Stream:
        return {"description": "The contents, or with `Range` a part of them.", "content": {"*/*": {}}}
    if endpoint.model == "none":
        return {"description": "Done; there is nothing to tell."}
    return {
        "description": f"The answer, `{endpoint.model}`.",
        "content": {"application/json": {"schema": schemas.answer(endpoint)}},
    }


def _refusals(endpoint: Endpoint) -> dict[str, Schema]:
    own = list(endpoint.raises)
    if endpoint.parameters or endpoint.query is not None or endpoint.body is not None:
        own.append(errors.InvalidParameter)
    if endpoint.body is not None:
        own.append(errors.BodyTooLarge)
    if endpoint.query is not None and "queries" in endpoint.query.__struct_fields__:
        own += (errors.InvalidQuery, errors.CursorNotFound)
    if not set(endpoint.scopes) & scopes.GUEST & scopes.KEY:
        own.append(errors.MissingScope)
    if not endpoint.console:
        own.append(errors.AccessForbidden)
    if endpoint.limits:
        own.append(errors.RateLimited)
    own += (errors.ProjectNotFound,)
    by_status: dict[int, list[type[Problem]]] = {}
    for each in own:
        by_status.setdefault(each.status, []).append(each)
    return {str(status): _error_response(by_status[status]) for status in sorted(by_status)}


def _error_response(problems: Iterable[type[Problem]], description: str = "") -> Schema:
    problems = list(problems)
    types = {each.type for each in problems}
    if problems:
        types |= {each.type for each in GENERAL if each.status == problems[0].status}
    schema: Schema = {"$ref": f"{_REF}error"}
    if types:
        schema["properties"] = {"type": {"enum": sorted(types)}}
    told = dict.fromkeys(f"- `{each.type}`: {_plain(each.template)}" for each in problems)
    return {
        "description": description or "\n".join(told),
        "content": {"application/json": {"schema": schema}},
    }


def _plain(template: str) -> str:
    """An error's message, with what differs from time to time left out."""
    return re.sub(r"`?{\w+}`?", "…", template)


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    if endpoint.public_s:
        return [{}]
    asked = set(endpoint.scopes)
    ways: list[tuple[str, ...]] = []
    if asked & scopes.GUEST:
        ways.append(("Project",))
    if asked & scopes.USER:
        ways += [("Project", "Session"), ("Project", "JWT")]
    if asked & (scopes.ALL_PROJECT | scopes.KEY):
        ways.append(("Project", "Key"))
    if asked & scopes.OWNER:
        ways.append(("Project", "Session", "Mode"))
    return [{key: [] for key in way} for way in ways]


class _Schemas:
    """Schemas of structs: answers and what is inside of things by name, bodies in their place."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}
        self._of: dict[str, type] = {}

    def answer(self, endpoint: Endpoint) -> Schema:
        """The schema of what an endpoint answers."""
        if endpoint.shape is not None:
            return self._named(endpoint.shape, answered=True)
        if endpoint.model == "any":
            return {}
        is_union = get_origin(endpoint.answer) in (Union, UnionType)
        schema = (
            self.hinted(endpoint.answer) if is_union else {"type": "object", "additionalProperties": True}
        )
        self.named.setdefault(endpoint.model, schema)
        return {"$ref": _REF + endpoint.model}

    def inline(self, struct: type[msgspec.Struct]) -> Schema:
        """The schema of a body or a query string, to be put where it is used."""
        schema = self._struct(struct)
        schema.pop("description", None)
        return schema

    def _named(self, model: type[msgspec.Struct] | type[Enum], *, answered: bool = False) -> Schema:
        answered = answered or issubclass(model, Output)
        name = wire_name(model) if answered else model.__name__
        if self._of.setdefault(name, model) is not model:
            raise TypeError(f"Two models are called {name}: {self._of[name]} and {model}")
        if name not in self.named:
            self.named[name] = {}  # it may contain itself
            if issubclass(model, Enum):
                self.named[name] = {"enum": [each.value for each in model]}
            else:
                self.named[name] = self._struct(model, answered=answered)
        return {"$ref": _REF + name}

    def _struct(self, struct: type[msgspec.Struct], *, answered: bool = False) -> Schema:
        """Of an answer all fields are required: one with a default is answered all the same."""
        hints = get_type_hints(struct, include_extras=True)
        properties: dict[str, Schema] = {}
        required = []
        for field in msgspec.structs.fields(struct):
            schema = self.hinted(hints[field.name])
            if answered:
                if not _may_be_unset(hints[field.name]):
                    required.append(field.encode_name)
            elif field.required:
                required.append(field.encode_name)
            else:
                schema = _with_default(schema, field)
            properties[field.encode_name] = schema
        tag = struct.__struct_config__.tag
        if tag is not None:
            properties = {str(struct.__struct_config__.tag_field): {"const": tag}, **properties}
            required.insert(0, str(struct.__struct_config__.tag_field))
        about = {"description": " ".join(struct.__doc__.split())} if struct.__doc__ else {}
        return {"type": "object", **about, "properties": properties, "required": required}

    def hinted(self, hint: Any) -> Schema:
        """The schema of a field's type: structs by reference, all else as msgspec tells it."""
        arguments = tuple(each for each in get_args(hint) if each is not msgspec.UnsetType)
        origin = get_origin(hint)
        if origin in (Union, UnionType):
            if len(arguments) == 1:
                return self.hinted(arguments[0])
            if not _has_models(hint):
                return msgspec.json.schema(Union[arguments])  # noqa: UP007
            return {"anyOf": [self.hinted(each) for each in arguments]}
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct | Enum):
            return self._named(hint)
        if origin is Literal:
            return {"enum": list(arguments)}  # in the order in which they were declared
        if hint is Upload:
            return {"type": "string", "format": "binary"}
        if not _has_models(hint):
            return msgspec.json.schema(hint)
        if origin is Annotated:
            bare = arguments[0]
            constraints = msgspec.json.schema(Annotated[(get_origin(bare), *arguments[1:])])
            return constraints | self.hinted(bare)
        if origin is dict:
            return {"type": "object", "additionalProperties": self.hinted(arguments[1])}
        return {"type": "array", "items": self.hinted(arguments[0])}


def _has_models(hint: Any) -> bool:
    if isinstance(hint, type) and get_origin(hint) is None:
        return issubclass(hint, msgspec.Struct | Enum)
    return any(_has_models(each) for each in get_args(hint))


def _may_be_unset(hint: Any) -> bool:
    return msgspec.UnsetType in get_args(hint)


def _with_default(schema: Schema, field: msgspec.structs.FieldInfo) -> Schema:
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if default is None or default is msgspec.UNSET or (not default and "minItems" in schema):
        return schema  # nothing that a caller could send
    return schema | {"default": msgspec.to_builtins(default)}
