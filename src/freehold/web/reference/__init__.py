"""The API reference: one page for people, made from the OpenAPI document on the server, and the document."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup, escape

from freehold.web import openapi
from freehold.web.endpoint import Endpoint

Schema = dict[str, Any]

_HERE = Path(__file__).parent
_HTML = "text/html; charset=UTF-8"
_JSON = "application/json; charset=UTF-8"
_ENDPOINT = "http://freehold.invalid/v1"
_IS_ORIGIN = re.compile(r"https?://([A-Za-z0-9.\-]+|\[[0-9a-fA-F:.]+\])(:\d+)?").fullmatch


class Field(NamedTuple):
    """One parameter, or one field of a body or of a model."""

    name: str
    type: Markup
    bounds: list[str]
    required: bool
    about: str
    place: str = ""


class Refusal(NamedTuple):
    """One error that an operation may answer."""

    status: str
    type: str
    message: str


class Operation(NamedTuple):
    """One operation as the page tells it."""

    id: str
    method: str
    path: str
    aliases: list[str]
    sdk: str
    summary: str
    about: str
    parameters: list[Field]
    body: list[Field]
    status: str
    answer: Markup
    refusals: list[Refusal]
    callers: list[str]
    scopes: list[str]
    event: str
    limits: list[str]
    curl: str


class Service(NamedTuple):
    name: str
    about: str
    operations: list[Operation]


class Model(NamedTuple):
    name: str
    about: str
    fields: list[Field]
    kinds: Markup
    """Of a model that is one of others."""
    values: list[str]
    """Of a model that is one of some words."""


class Pages:
    """Answers `/reference` and `/openapi.json`; both are made when they are first asked for."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = list(endpoints)
        self._document = b""
        self._page = b""

    def __call__(self, path: str, origin: str) -> tuple[str, bytes] | None:
        """The content type and the body of a page; None when there is no such page."""
        match path:
            case "/openapi.json":
                return _JSON, self.document()
            case "/reference" | "/reference/":
                return _HTML, self.reference(origin)
            case _:
                return None

    def document(self) -> bytes:
        self._document = self._document or openapi.encode(self._endpoints)
        return self._document

    def reference(self, origin: str) -> bytes:
        """The page, with its examples for the host that was asked."""
        self._page = self._page or render(json.loads(self.document())).encode()
        if _IS_ORIGIN(origin) is None:
            return self._page
        return self._page.replace(_ENDPOINT.encode(), f"{origin}/v1".encode())


def render(document: Schema) -> str:
    """The page of a document. It needs nothing but itself: no other file, no other host."""
    style, script = (_HERE / "style.css").read_text(), (_HERE / "script.js").read_text()
    return _template().render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        about=document["info"]["description"],
        endpoint=_ENDPOINT,
        services=_services(document),
        models=[_model(name, schema) for name, schema in sorted(document["components"]["schemas"].items())],
        ways=document["components"]["securitySchemes"],
        general=document["x-freehold"]["general"],
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=(
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    return environment.get_template("page.html.j2")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _prose(text: str) -> Markup:
    """Text with `code` in it."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _services(document: Schema) -> list[Service]:
    operations: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            operations.setdefault(each["tags"][0], []).append(_operation(method.upper(), path, each))
    return [
        Service(tag["name"], tag["description"], operations[tag["name"]])
        for tag in sorted(document["tags"], key=lambda tag: str(tag["name"]).lower())
    ]


def _operation(method: str, path: str, operation: Schema) -> Operation:
    declared = operation["x-freehold"]
    sent = operation.get("requestBody", {}).get("content", {})
    body = next(iter(sent.values()))["schema"] if sent else {}
    status = next(iter(operation["responses"]))
    content = operation["responses"][status].get("content")
    return Operation(
        id=operation["operationId"],
        method=method,
        path=f"/v1{path}",
        aliases=declared["aliases"],
        sdk=f"{declared['sdk']['service']}.{declared['sdk']['method']}",
        summary=operation["summary"],
        about=operation.get("description", ""),
        parameters=[
            _field(each["name"], _sent(each["schema"]), each.get("required", False), place=each["in"])
            for each in operation.get("parameters", ())
        ],
        body=_fields({**body, "properties": {k: _sent(v) for k, v in body.get("properties", {}).items()}}),
        status=status,
        answer=_answer(content) if content else Markup(""),
        refusals=list(_refusals(operation)),
        callers=_callers(operation["security"]),
        scopes=declared["scopes"],
        event=declared["event"],
        limits=[f"{each['hits']} in {_duration(each['seconds'])}" for each in declared["limits"]],
        curl=_curl(method, path, operation, body, is_form="multipart/form-data" in sent),
    )


def _answer(content: Schema) -> Markup:
    if "application/json" not in content:
        return Markup("a file")
    return _spelled(content["application/json"]["schema"])


def _refusals(operation: Schema) -> Iterable[Refusal]:
    """What the operation itself may refuse; what all may answer stands once, above."""
    own = operation["x-freehold"]["errors"]
    for status, response in operation["responses"].items():
        for type_, message in re.findall(r"^- `(\w+)`: (.*)$", response.get("description", ""), re.MULTILINE):
            if type_ in own:
                yield Refusal(status, type_, message)


def _callers(security: list[dict[str, list[str]]]) -> list[str]:
    ways = [set(way) for way in security]
    return [name for name, way in _CALLERS if way in ways]


_CALLERS = (
    ("anybody", {"Project"}),
    ("users", {"Project", "Session"}),
    ("API keys", {"Project", "Key"}),
    ("admins", {"Project", "Session", "Mode"}),
)


def _duration(seconds: int) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return (
                f"a {name}".replace("a hour", "an hour") if seconds == size else f"{seconds // size} {name}s"
            )
    return f"{seconds} s"


def _fields(schema: Schema) -> list[Field]:
    return [
        _field(name, each, name in schema.get("required", ()))
        for name, each in schema.get("properties", {}).items()
    ]


def _sent(schema: Schema) -> Schema:
    """A schema of something sent, where null says the same as nothing and need not be told."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**schema, **kinds[0], "anyOf": ()}


def _field(name: str, schema: Schema, required: bool, *, place: str = "") -> Field:
    return Field(name, _spelled(schema), _bounds(schema), required, schema.get("description", ""), place)


def _model(name: str, schema: Schema) -> Model:
    return Model(
        name=name,
        about=schema.get("description", ""),
        fields=_fields(schema),
        kinds=_spelled(schema) if schema.get("anyOf") else Markup(""),
        values=[str(value) for value in schema.get("enum", ())],
    )


def _spelled(schema: Schema) -> Markup:
    """A type in words, with links to the models in it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#model-{0}">{0}</a>').format(name)
    if schema.get("anyOf"):
        return Markup(" or ").join(_spelled(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return Markup("list of {}").format(_spelled(schema.get("items", {})))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return Markup(" | ").join(Markup("<code>{}</code>").format(json.dumps(value)) for value in values)
    return escape(schema.get("type", "anything"))


_BOUNDS = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "from {}"),
    ("maximum", "to {}"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
    ("default", "otherwise {}"),
)


def _bounds(schema: Schema) -> list[str]:
    """How long and how large, and what it is when it is not sent."""
    bounds = []
    for key, words in _BOUNDS:
        for each in (schema, *(kind for kind in schema.get("anyOf", ()) if isinstance(kind, dict))):
            if key in each and each[key] not in ("", [], {}):
                value = (
                    f"{each[key]:,}" if isinstance(each[key], int) and each[key] is not True else each[key]
                )
                bounds.append(words.format(json.dumps(value) if key == "default" else value))
    return bounds


def _curl(method: str, path: str, operation: Schema, body: Schema, *, is_form: bool) -> str:
    """A line for the shell that calls the operation as the likeliest of its callers."""
    ways = [set(way) for way in operation["security"]]
    queried = [
        each for each in operation.get("parameters", ()) if each["in"] == "query" and "required" in each
    ]
    query = "&".join(f"{each['name']}={_example(each['name'], each['schema'])}" for each in queried)
    lines = [
        f'curl {"" if method == "GET" else f"-X {method} "}"{_ENDPOINT}{path}{"?" if query else ""}{query}"'
    ]
    lines.append('-H "X-Appwrite-Project: $PROJECT"')
    if {"Project", "Key"} in ways:
        lines.append('-H "X-Appwrite-Key: $KEY"')
    elif {"Project"} not in ways:
        lines.append('-H "X-Appwrite-Session: $SESSION"')
        if {"Project", "Session"} not in ways:
            lines.append('-H "X-Appwrite-Mode: admin"')
    if body.get("properties"):
        needed = list(body.get("required", ())) or list(body["properties"])[:1]
        if "data" in body["properties"] and "data" not in needed:
            needed.append("data")  # without it there would be little to say
        example = {name: _example(name, body["properties"][name]) for name in needed}
        if is_form:
            lines += [f"-F '{name}={value}'" for name, value in example.items()]
        else:
            text = json.dumps(example, ensure_ascii=False).replace("'", "'\\''")
            lines += ['-H "Content-Type: application/json"', f"-d '{text}'"]
    return " \\\n  ".join(lines)


_EXAMPLES = {"email": "jane@example.com", "password": "correct horse battery", "url": "https://example.com"}


def _example(name: str, schema: Schema) -> Any:
    """A value that the schema lets through, for the reader to replace."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("anyOf"):
        return _example(name, schema["anyOf"][0])
    match schema.get("type"):
        case "string":
            if schema.get("format") == "binary":
                return "@photo.jpg"
            if "unique" in schema.get("pattern", ""):
                return "unique()"
            return _EXAMPLES.get(name, name)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case "array":
            return [_example(name, schema["items"])] if schema.get("minItems") else []
        case _:
            return {}
