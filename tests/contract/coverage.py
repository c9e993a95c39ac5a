"""Holds what is declared against the facts of the reference, and writes docs/coverage.md from it.

python -m tests.contract.coverage > docs/coverage.md
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from freehold.services import endpoints
from freehold.services.databases.vocabulary import renamed
from freehold.web import openapi
from freehold.web.endpoint import Endpoint
from tests.contract.accepted import ACCEPTED

Fact = dict[str, Any]

_BOUNDS = ("minLength", "maxLength", "minimum", "maximum", "maxItems", "enum", "default")


class Difference(NamedTuple):
    """One thing that a declaration says otherwise than the reference."""

    operation: str
    canonical: str
    """The operation that this one is another name of."""
    aspect: str
    detail: str

    def __str__(self) -> str:
        return f"{self.operation} | {self.aspect} | {self.detail}"


class Numbers(NamedTuple):
    """How much of the reference stands."""

    routes: int
    all_routes: int
    methods: int
    all_methods: int

    def __str__(self) -> str:
        return f"{self.routes}/{self.all_routes} routes, {self.methods}/{self.all_methods} SDK methods"


@cache
def reference() -> Fact:
    """The facts of the reference contract."""
    facts: Fact = json.loads((Path(__file__).parent / "reference.json").read_text())
    return facts


@cache
def document() -> Fact:
    """Our OpenAPI document."""
    return openapi.document(endpoints())


def declared() -> list[Endpoint]:
    """The endpoints that are meant to be the reference's."""
    return [endpoint for endpoint in endpoints() if endpoint.reference]


def find(endpoint: Endpoint) -> Fact | None:
    """The reference's route of an endpoint, whatever its parameters are called."""
    return _by_shape().get((endpoint.method, _shape(endpoint.path)))


@cache
def _by_shape() -> dict[tuple[str, str], Fact]:
    return {(fact["method"], _shape(fact["path"])): fact for fact in reference()["routes"]}


def _shape(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


def numbers() -> Numbers:
    """What stands, counted."""
    facts = reference()["routes"]
    built = [(endpoint, find(endpoint)) for endpoint in declared()]
    return Numbers(
        routes=sum(fact is not None for _, fact in built),
        all_routes=len(facts),
        methods=sum(len(_methods_built(endpoint, fact)) for endpoint, fact in built if fact is not None),
        all_methods=sum(len(_methods(fact)) for fact in facts),
    )


def _methods(fact: Fact) -> list[str]:
    """The SDKs' methods of a route, by the name they have now and those they had."""
    return [*fact["sdk"], *fact["deprecated"]]


def _methods_built(endpoint: Endpoint, fact: Fact) -> list[str]:
    """Those that are the endpoint's own: a route may serve one of them and not yet the other."""
    return [name for name in _methods(fact) if name.lower() == endpoint.name.lower()]


def differences() -> list[Difference]:
    """Everything that our declarations say otherwise, what is accepted included."""
    found: list[Difference] = []
    for endpoint in declared():
        fact = find(endpoint)
        name, canonical = _name(endpoint), _name(endpoint.canonical)
        if fact is None:
            detail = f"{endpoint.method} {endpoint.path} is not the reference's"
            found.append(Difference(name, canonical, "route", detail))
            continue
        found += [Difference(name, canonical, *each) for each in _compare(endpoint, fact)]
    return found


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.service}.{endpoint.name}"


def unexplained() -> list[Difference]:
    """The differences that no entry of the table accepts."""
    return [each for each in differences() if not any(_accepts(entry, each) for entry in ACCEPTED)]


def idle() -> list[str]:
    """The entries of the table that accept nothing any more."""
    found = differences()
    return [" | ".join(entry[:3]) for entry in ACCEPTED if not any(_accepts(entry, each) for each in found)]


def _accepts(entry: tuple[str, str, str, str], difference: Difference) -> bool:
    """What is accepted of an operation is accepted of its legacy name too."""
    operations, aspect, detail, _ = entry
    return difference.aspect == aspect and any(
        fnmatchcase(operation, each) and fnmatchcase(difference.detail, said)
        for each in operations.split()
        for operation, said in (
            (difference.operation, detail),
            (difference.canonical, detail),
            (difference.canonical, renamed(detail)),
        )
    )


def _compare(endpoint: Endpoint, fact: Fact) -> Iterator[tuple[str, str]]:
    for aspect, ours, theirs in (
        ("path", endpoint.path, fact["path"]),
        ("aliases", sorted(endpoint.aliases), sorted(fact["aliases"])),
        ("scopes", sorted(endpoint.scopes), sorted(fact["scopes"])),
        ("event", _unnamed(endpoint.emits), _unnamed(fact["event"])),
        ("limit", _limits(endpoint), fact["limit"]),
    ):
        if ours != theirs:
            yield aspect, f"{ours or 'none'} rather than {theirs or 'none'}"
    if endpoint.limits and fact["limit"]:
        ours, theirs = _limit_key(endpoint), fact["limitKey"].replace("url+ip", "url:{url},ip:{ip}")
        if sorted(ours.split(",")) != sorted(theirs.split(",")):
            yield "limit key", f"{ours} rather than {theirs}"
    names = {*fact["sdk"], *fact["deprecated"]}
    if names and endpoint.name not in names:
        yield "method", f"{endpoint.name} rather than {' or '.join(sorted(names))}"
    if fact["status"] and endpoint.status not in fact["status"]:
        yield "status", f"{endpoint.status} rather than {fact['status'][0]}"
    ours_models = _models(endpoint)
    if len(ours_models) == 1 and fact["models"] and endpoint.model not in fact["models"]:
        yield "model", f"{endpoint.model} rather than {' or '.join(fact['models'])}"
    if len(ours_models) > 1 and set(fact["models"]) - ours_models:
        yield "model", f"never {' or '.join(sorted(set(fact['models']) - ours_models))}"
    yield from _compare_parameters(endpoint, fact)
    yield from _compare_model(endpoint)


def _unnamed(event: str) -> str:
    """An event with its placeholders whatever they are called."""
    return re.sub(r"\[\w+\]", "[]", event)


def _models(endpoint: Endpoint) -> set[str]:
    """The models that an endpoint may answer with."""
    schema = document()["components"]["schemas"].get(endpoint.model, {})
    kinds = {each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", ())}
    return kinds or {endpoint.model}


def _limits(endpoint: Endpoint) -> str:
    """What the reference says once of several keys, too."""
    return ", ".join(dict.fromkeys(f"{each.hits}/{each.seconds}s" for each in endpoint.limits))


def _limit_key(endpoint: Endpoint) -> str:
    return " + ".join(each.key for each in endpoint.limits)


def _compare_parameters(endpoint: Endpoint, fact: Fact) -> Iterator[tuple[str, str]]:
    ours = {name: (schema, required) for name, schema, required in _parameters(endpoint)}
    theirs = {each["name"]: each for each in fact["parameters"]}
    extras = reference()["extras"].get(f"{endpoint.service}.{endpoint.name}".lower(), ())
    for name, each in theirs.items():
        if name not in ours:
            yield "parameter", f"{name} is missing"
            continue
        schema, required = ours[name]
        if required != each.get("required", False):
            yield "parameter", f"{name} is {'required' if required else 'not required'}"
        for what, mine, said in _compare_types(schema, each):
            yield "parameter", f"{name}: {what} {mine} rather than {said}"
    for name in ours:
        if name not in theirs and name not in extras:
            yield "parameter", f"{name} is ours alone"


def _parameters(endpoint: Endpoint) -> Iterator[tuple[str, Fact, bool]]:
    operation = document()["paths"][endpoint.path.removeprefix("/v1")][endpoint.method.lower()]
    for each in operation.get("parameters", ()):
        if each["in"] == "query":
            yield each["name"].removesuffix("[]"), _bare(each["schema"]), each.get("required", False)
    if "requestBody" in operation:
        [content] = operation["requestBody"]["content"].values()
        body = content["schema"]
        for name, schema in body["properties"].items():
            yield name, _bare(schema), name in body["required"]


def _bare(schema: Fact) -> Fact:
    """Without null, which in a request says the same as nothing; references followed."""
    if "$ref" in schema:
        return _bare(document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) == 1:
        schema = {key: value for key, value in schema.items() if key != "anyOf"} | kinds[0]
    if "enum" in schema:
        schema = schema | {"type": "string", "enum": sorted(schema["enum"])}
    return schema


def _compare_types(ours: Fact, theirs: Fact) -> Iterator[tuple[str, Any, Any]]:
    if "type" not in theirs:
        return
    if ours.get("type") != theirs["type"]:
        yield "type", ours.get("type", "any"), theirs["type"]
        return
    for bound in _BOUNDS:
        mine, said = ours.get(bound), theirs.get(bound)
        if bound == "maxLength" and bound not in ours and "pattern" in ours:
            continue  # which says how long it may be
        if bound == "default" and not (mine and said):
            continue  # an empty default is not to be told from none
        if mine != said and said is not None:
            yield bound, mine, said
    if theirs.get("id") in ("UID", "CustomId", "ProjectId") and "pattern" not in ours:
        yield "pattern", None, theirs["id"]
    if "items" in theirs:
        for what, mine, said in _compare_types(_bare(ours.get("items", {})), theirs["items"]):
            yield f"items' {what}", mine, said


def _compare_model(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    operation = document()["paths"][endpoint.path.removeprefix("/v1")][endpoint.method.lower()]
    content = operation["responses"][str(endpoint.status)].get("content")
    if content is None or "application/json" not in content:
        return
    schema = content["application/json"]["schema"]
    for name in sorted(_reached(schema)):
        needed = reference()["models"].get(name)
        if needed is not None:
            missing = set(needed) - set(document()["components"]["schemas"][name].get("required", ()))
            if missing and "properties" in document()["components"]["schemas"][name]:
                yield "answer", f"{name} is without {', '.join(sorted(missing))}"


def _reached(schema: Any) -> set[str]:
    """The names of the models that an answer is made of."""
    names: set[str] = set()
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name and name not in names:
                names.add(name)
                waiting.append(document()["components"]["schemas"][name])
            waiting += each.values()
    return names


def misdeclared_errors() -> list[str]:
    """Errors of the contract whose status is not the contract's."""
    known = reference()["errors"]
    found = set()
    for endpoint in declared():
        for each in endpoint.raises:
            if each.type in known and each.status != known[each.type]:
                found.add(f"{each.type} is {each.status} rather than {known[each.type]}")
            if each.type not in known:
                found.add(f"{each.type} is not a type of the contract")
    return sorted(found)


def page() -> str:
    """docs/coverage.md."""
    facts = reference()["routes"]
    built = {id(find(endpoint)): endpoint for endpoint in declared() if find(endpoint) is not None}
    of_service = Counter(fact["service"] for fact in facts)
    lines = [
        "# Coverage of the reference contract",
        "",
        "Written by `make coverage` from the declarations and the facts in `tests/contract/reference.json`;",
        "a test keeps it current.",
        "",
        f"**{numbers()}.**",
        "",
        "| service | routes | of | SDK methods | of |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for service in sorted(of_service, key=str.lower):
        mine = [fact for fact in facts if fact["service"] == service]
        methods = sum(len(_methods_built(built[id(fact)], fact)) for fact in mine if id(fact) in built)
        stand = sum(id(fact) in built for fact in mine)
        lines.append(
            f"| {service} | {stand} | {len(mine)} | {methods} | {sum(len(_methods(fact)) for fact in mine)} |"
        )
    lines += ["", "## What differs, and why", "", "| where | what | why |", "| --- | --- | --- |"]
    for operation, aspect, detail, reason in ACCEPTED:
        where = operation.replace(" ", ", ").replace("*", "\\*")
        lines.append(f"| {where} | {aspect}: {_escaped(detail)} | {reason} |")
    lines += ["", "## Not yet built", ""]
    for service in sorted(of_service, key=str.lower):
        missing = [fact for fact in facts if fact["service"] == service and id(fact) not in built]
        if missing:
            lines += [f"### {service}", "", *_listed(missing), ""]
    return "\n".join(lines).rstrip() + "\n"


def _escaped(text: str) -> str:
    return text.replace("*", "…").replace("|", "\\|")


def _listed(facts: Iterable[Fact]) -> list[str]:
    return [
        f"- `{fact['method']} {fact['path']}`" + (f" {', '.join(_methods(fact))}" if _methods(fact) else "")
        for fact in facts
    ]


if __name__ == "__main__":
    print(page(), end="")
