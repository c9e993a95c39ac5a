"""The GraphQL schema, derived from what the endpoints declare: a field for each, a type for each model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from itertools import takewhile
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
)

from freehold.services.graphql.scalars import ASSOC, FLOAT, INT, JSON
from freehold.web.endpoint import Endpoint, Several
from freehold.web.openapi import operation_id
from freehold.web.wire import Json, Open, Stream

Ask = Callable[[GraphQLResolveInfo[Any], Endpoint, dict[str, Any]], Awaitable[Any]]
"""Asks an endpoint, with the values of its arguments."""

_SCALARS: dict[type, Any] = {str: GraphQLString, bool: GraphQLBoolean, int: INT, float: FLOAT}

_PREFERENCES = GraphQLObjectType(
    "Preferences", {"data": GraphQLField(JSON, resolve=lambda source, _: source)}
)
_NONE = GraphQLObjectType(
    "None",
    {"status": GraphQLField(GraphQLBoolean, resolve=lambda _source, _: True)},
    description="What is answered when there is nothing to tell.",
)


def make_schema(endpoints: Iterable[Endpoint], ask: Ask) -> GraphQLSchema:
    """The schema of what the endpoints can do. Its fields are answered by `ask`."""
    types = _Types()
    queries: dict[str, GraphQLField] = {}
    mutations: dict[str, GraphQLField] = {}
    for endpoint in endpoints:
        if _can_be_asked(endpoint):
            fields = queries if endpoint.method == "GET" else mutations
            fields[operation_id(endpoint)] = GraphQLField(
                types.answer(endpoint),
                args=_arguments(endpoint),
                resolve=_resolver(endpoint, ask),
                description=" ".join(endpoint.summary.split()),
            )
            if endpoint.several is not None:
                name, _, shape = endpoint.several
                fields[operation_id(endpoint, name)] = GraphQLField(
                    types.object(shape),
                    args=_arguments_of_several(endpoint, endpoint.several),
                    resolve=_resolver(endpoint, ask),
                    description=" ".join(endpoint.summary.split()),
                )
    return GraphQLSchema(GraphQLObjectType("Query", queries), GraphQLObjectType("Mutation", mutations))


def _can_be_asked(endpoint: Endpoint) -> bool:
    """Whether the endpoint takes values and answers JSON, for the project that the request is about."""
    if endpoint.service == "graphql" or endpoint.status >= 300:
        return False
    if endpoint.service == "project" and "projectId" in endpoint.parameters:
        return False
    if endpoint.takes_files or endpoint.answer is Stream:
        return False
    answers = [each for each in _members(endpoint.answer) if each is not NoneType]
    return all(isinstance(each, type) and issubclass(each, msgspec.Struct) for each in answers)


def _resolver(endpoint: Endpoint, ask: Ask) -> Callable[..., Awaitable[Any]]:
    def resolve(_source: Any, info: GraphQLResolveInfo[Any], **values: Any) -> Awaitable[Any]:
        return ask(info, endpoint, values)

    return resolve


def _members(hint: Any) -> tuple[Any, ...]:
    """The types that a hint is a union of, or the one that it is."""
    if get_origin(hint) is Annotated:
        return _members(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(inner for each in get_args(hint) for inner in _members(each))
    return (hint,)


def _said(hint: Any) -> tuple[Any, ...]:
    """What a value can be when something is said."""
    return tuple(each for each in _members(hint) if each not in (NoneType, msgspec.UnsetType))


def _scalar(members: tuple[Any, ...]) -> Any:
    """The scalar of a hint; None when it takes more than one."""
    if set(members) == {int, float}:
        return FLOAT
    [hint, *others] = members
    if others:
        return None
    if get_origin(hint) is Literal:
        return _SCALARS.get(type(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return GraphQLString
    return _SCALARS.get(hint)


# -- what comes in -----------------------------------------------------------------------------------------


def _arguments_of_several(endpoint: Endpoint, several: Several) -> dict[str, GraphQLArgument]:
    every = _every_argument(endpoint)
    taken = {name: every[name] for name in (*endpoint.parameters, *several.takes)}
    first = several.takes[0]
    kind = taken[first].type
    assert not isinstance(kind, GraphQLNonNull)
    return taken | {first: GraphQLArgument(GraphQLNonNull(kind))}


def _arguments(endpoint: Endpoint) -> dict[str, GraphQLArgument]:
    arguments = _every_argument(endpoint)
    if endpoint.several is not None:
        del arguments[endpoint.several.takes[0]]
    return arguments


def _every_argument(endpoint: Endpoint) -> dict[str, GraphQLArgument]:
    arguments = {name: GraphQLArgument(GraphQLNonNull(GraphQLString)) for name in endpoint.parameters}
    for struct in (endpoint.query, endpoint.body):
        if struct is None:
            continue
        hints = get_type_hints(struct, include_extras=True)
        for field in msgspec.structs.fields(struct):
            kind = _input(hints[field.name], field.encode_name)
            argument = GraphQLArgument(GraphQLNonNull(kind) if field.required else kind)
            arguments.setdefault(field.encode_name, argument)
    return arguments


def _input(hint: Any, name: str) -> Any:
    """The type of an argument. Clients declare variables by these names, so they are the contract's."""
    members = _said(hint)
    scalar: GraphQLInputType | None = _scalar(members)
    if scalar is not None:
        return scalar
    if len(members) == 1 and get_origin(members[0]) is list:
        return GraphQLList(_input(get_args(members[0])[0], name))
    return ASSOC if name in _ASSOCIATIVE else JSON


_ASSOCIATIVE = frozenset(("prefs", "headers"))


# -- what goes out -----------------------------------------------------------------------------------------


class _Types:
    """The types of models, each made once."""

    def __init__(self) -> None:
        self._objects: dict[str, GraphQLObjectType] = {}
        self._unions: dict[str, GraphQLUnionType] = {}
        self._models: dict[str, type] = {}

    def answer(self, endpoint: Endpoint) -> GraphQLOutputType:
        """The type of what an endpoint answers."""
        if endpoint.shape is not None:
            return self.object(endpoint.shape)
        if endpoint.model == "none":
            return _NONE
        if endpoint.answer is Json:
            return _PREFERENCES if endpoint.model == "preferences" else JSON
        return self._output(endpoint.answer, endpoint.model)

    def _output(self, hint: Any, name: str) -> GraphQLOutputType:
        members = _said(hint)
        scalar: GraphQLOutputType | None = _scalar(members)
        if scalar is not None:
            return scalar
        if all(isinstance(each, type) and issubclass(each, msgspec.Struct) for each in members):
            return self.object(members[0]) if len(members) == 1 else self._union(members)
        if len(members) == 1 and get_origin(members[0]) is list:
            return GraphQLList(self._output(get_args(members[0])[0], name))
        return _PREFERENCES if name == "prefs" else JSON

    def object(self, model: type[msgspec.Struct]) -> GraphQLObjectType:
        """The type of a model."""
        name = model.__name__
        if self._models.setdefault(name, model) is not model:
            raise TypeError(f"Two models are called {name}: {self._models[name]} and {model}")
        if name not in self._objects:
            self._objects[name] = GraphQLObjectType(name, lambda: self._fields(model))
        return self._objects[name]

    def _fields(self, model: type[msgspec.Struct]) -> dict[str, GraphQLField]:
        hints = get_type_hints(model, include_extras=True)
        fields = {}
        for field in msgspec.structs.fields(model):
            on_the_wire = field.encode_name
            name = on_the_wire.replace("$", "_")
            kind = self._output(hints[field.name], on_the_wire)
            fields[name] = GraphQLField(kind, resolve=_reader(on_the_wire))
        if issubclass(model, Open):
            named = frozenset(field.encode_name for field in msgspec.structs.fields(model))
            fields["data"] = GraphQLField(JSON, resolve=_rest(named), description="All other fields.")
        return fields

    def _union(self, models: tuple[type[msgspec.Struct], ...]) -> GraphQLUnionType:
        name = f"Any{_shared_start([model.__name__ for model in models])}"
        if name not in self._unions:
            self._unions[name] = GraphQLUnionType(
                name, [self.object(model) for model in models], resolve_type=_told_apart(models)
            )
        return self._unions[name]


def _shared_start(names: list[str]) -> str:
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in shared)


def _reader(name: str) -> Callable[..., Any]:
    return lambda source, _info: source.get(name)


def _rest(named: frozenset[str]) -> Callable[..., Any]:
    return lambda source, _info: {name: value for name, value in source.items() if name not in named}


def _told_apart(models: tuple[type[msgspec.Struct], ...]) -> Callable[..., str]:
    """Finds the model of an answer: the one with its fields, and called like its format, type or id."""
    fields = {
        model.__name__: frozenset(field.encode_name for field in msgspec.structs.fields(model))
        for model in models
    }

    def resolve_type(source: dict[str, Any], *_: Any) -> str:
        kinds = tuple(str(source.get(key)) for key in ("format", "type", "$id"))

        def unlikeness(name: str) -> tuple[int, bool]:
            return len(fields[name] ^ source.keys()), not name.lower().endswith(kinds)

        return min(fields, key=unlikeness)

    return resolve_type
