"""What the owner's own routes promise: `openapi.extra.yaml`, checked and put into the contract."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

from freehold.generator.documents import Json
from freehold.schema.document import Value, parse
from freehold.schema.problems import Problems, did_you_mean

FILE = "openapi.extra.yaml"
BASE = "/v1/"
METHODS = ("get", "put", "post", "delete", "patch")
COMPONENTS = ("schemas", "parameters", "responses", "headers", "requestBodies", "examples")


def merged(contract: Json, text: str | None) -> Json:
    """The contract with the routes of the file; one with the path and method of a resource takes its place.

    Raises SchemaError with every problem that the file has."""
    if text is None or all(line.lstrip()[:1] in ("", "#") for line in text.splitlines()):
        return contract
    problems = Problems()
    root = parse(text, file=FILE, problems=problems)
    found = copy.deepcopy(contract)
    if _is_map(root, problems, known=("components", "paths", "tags")):
        _components(found, root.get("components"), problems)
        _paths(found, root.get("paths"), problems)
        _tags(found, root.get("tags"), problems)
        for value in _values(root):
            _reference(found, value, problems)
        for path, operation in _operations(root):
            _parameters(found, path, operation, problems)
    problems.raise_any()
    return found


def _components(contract: Json, components: Value | None, problems: Problems) -> None:
    if components is None or not _is_map(components, problems, known=COMPONENTS):
        return
    for kind, each in components.items():
        if not _is_map(each, problems):
            continue
        there = contract["components"].setdefault(kind, {})
        for name, value in each.items():
            if name in there:
                problems.add(each.problem("the contract has that already", "call it otherwise", key=name))
            else:
                there[name] = value.plain()


def _paths(contract: Json, paths: Value | None, problems: Problems) -> None:
    if paths is None or not _is_map(paths, problems):
        return
    there = contract["paths"]
    alike = {_shape(path): path for path in there}
    for path, item in paths.items():
        if not re.fullmatch(r"/v1(/([\w.~-]+|\{\w+\}))+", path):
            hint = f"paths begin with `{BASE}`, and a parameter is a whole part of one: `{BASE}things/{{id}}`"
            problems.add(paths.problem("is not the path of a route", hint, key=path))
        elif (other := alike.setdefault(_shape(path), path)) != path:
            problems.add(paths.problem(f"is the same path as `{other}`", "spell it like that", key=path))
        elif _is_map(item, problems, known=METHODS):
            there[path] = there.get(path, {}) | {method: each.plain() for method, each in item.items()}
    called: dict[str, str] = {}
    for path, item in there.items():
        for method, operation in item.items():
            where = f"{method.upper()} {path}"
            if isinstance(operation, dict) and isinstance(operation.get("operationId"), str):
                called.setdefault(operation["operationId"], where)
    for path, item in paths.items():
        for method, each in item.items() if item.kind == "map" else ():
            if method in METHODS:
                _operation(f"{method.upper()} {path}", each, called, problems)


def _operation(where: str, operation: Value, called: dict[str, str], problems: Problems) -> None:
    if not _is_map(operation, problems):
        return
    name, responses = operation.get("operationId"), operation.get("responses")
    if name is None:
        problems.add(operation.problem("`operationId` is missing", "it is what clients call the operation"))
    elif re.fullmatch(r"[A-Za-z]\w*", name.raw) is None:
        problems.add(name.problem("is not a name", "clients call the operation by it: letters and digits"))
    elif called.get(name.raw, where) != where:
        problems.add(name.problem(f"{called[name.raw]} is called that already", "call it otherwise"))
    if responses is None or responses.data in ({}, None):
        problems.add(operation.problem("`responses` is missing", "say what the route answers, by status"))
    elif _is_map(responses, problems):
        for answer in responses.data.values():
            _is_map(answer, problems)
    parameters = operation.get("parameters")
    if parameters is not None and parameters.kind != "list":
        problems.add(parameters.problem("is not a list"))


def _parameters(contract: Json, path: str, operation: Value, problems: Problems) -> None:
    """Whether each part of the path that varies is described."""
    described = set()
    given = operation.plain().get("parameters", [])
    for each in given if isinstance(given, list) else []:
        target = _find(contract, each.get("$ref")) if isinstance(each, dict) and "$ref" in each else each
        if isinstance(target, dict) and target.get("in") == "path":
            described.add(target.get("name"))
    for name in re.findall(r"\{(\w+)\}", path):
        if name not in described:
            hint = f"add `{{ name: {name}, in: path, required: true, schema: ... }}`"
            problems.add(operation.problem(f"`parameters` does not have `{name}`", hint))


def _tags(contract: Json, tags: Value | None, problems: Problems) -> None:
    if tags is None:
        return
    if tags.kind != "list":
        problems.add(tags.problem("is not a list"))
        return
    names = {each["name"] for each in contract["tags"]}
    for tag in tags.data:
        if not _is_map(tag, problems):
            continue
        name = tag.get("name")
        if name is None or name.kind != "text":
            problems.add(tag.problem("`name` is missing"))
        elif name.data in names:
            problems.add(name.problem("the contract has that tag already", "leave it out"))
        else:
            names.add(name.data)
            contract["tags"].append(tag.plain())


def _reference(contract: Json, value: Value, problems: Problems) -> None:
    reference = value.get("$ref") if value.kind == "map" else None
    if reference is None or reference.kind != "text":
        return
    if _find(contract, reference.data) is None:
        known = (
            f"#/components/{kind}/{name}" for kind, each in contract["components"].items() for name in each
        )
        problems.add(reference.problem("there is no such component", did_you_mean(reference.data, known)))


def _find(contract: Json, reference: object) -> object:
    """What a reference names."""
    parts = str(reference).split("/")
    if len(parts) != 4 or parts[:2] != ["#", "components"]:
        return None
    return contract["components"].get(parts[2], {}).get(parts[3])


def _operations(root: Value) -> Iterator[tuple[str, Value]]:
    """Path and operation of each route."""
    paths = root.get("paths")
    for path, item in paths.items() if paths is not None and paths.kind == "map" else ():
        for operation in item.data.values() if item.kind == "map" else ():
            if operation.kind == "map":
                yield path, operation


def _values(value: Value) -> Iterator[Value]:
    yield value
    for each in value.data.values() if value.kind == "map" else value.data if value.kind == "list" else ():
        yield from _values(each)


def _shape(path: str) -> str:
    """The path, whatever its parameters are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def _is_map(value: Value, problems: Problems, *, known: tuple[str, ...] | None = None) -> bool:
    if value.kind != "map":
        problems.add(value.problem("is not a map"))
        return False
    for key in value.data:
        if known is not None and key not in known:
            problems.add(value.problem(f"`{key}` is not known here", did_you_mean(key, known), key=key))
    return True
