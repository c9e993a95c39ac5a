"""The legacy vocabulary's endpoints, made from those of tables: the same functions under other names.

Whatever is declared under `/v1/tablesdb` is answered under `/v1/databases` too. Names of paths, parameters,
models, methods and errors follow from the table of words; what differs otherwise stands in the tables here.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import cache, wraps
from types import UnionType, new_class
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec

from freehold import events
from freehold.errors import InvalidParameter, Problem
from freehold.services.databases.vocabulary import LEGACY_SERVICE, renamed, reworded
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint, Routes, Several
from freehold.web.wire import Json, Output

_PATH = "/v1/tablesdb"
_LEGACY_PATH = "/v1/databases"

TABLES_ONLY = ("/v1/tablesdb/{databaseId}/schema",)
"""Paths whose endpoints have no legacy name: schema files, which know of tables only."""

FIRST_PATHS = ("/v1/databases/{databaseId}/collections/{collectionId}/attributes/relationship/{key}",)
"""Paths that the contract has first, where that of tables is an alias."""

SCOPES = {
    "tables": "collections",
    "columns": "collections",
    "indexes": "collections",
    "attributes": "collections",
    "rows": "documents",
}
"""The scopes of the legacy vocabulary: one for everything about a collection, one for its documents."""


def renamed_routes(routes: Routes) -> Routes:
    """The same endpoints in the legacy vocabulary."""
    made = Routes(LEGACY_SERVICE, console=routes.console)
    made.endpoints = [_endpoint(each) for each in routes.endpoints if not each.path.startswith(TABLES_ONLY)]
    return made


def _endpoint(endpoint: Endpoint) -> Endpoint:
    shape = endpoint.shape
    paths = [_path(each) for each in (endpoint.path, *endpoint.aliases)]
    path, *aliases = sorted(paths, key=lambda each: each not in FIRST_PATHS)
    return Endpoint(
        service=LEGACY_SERVICE,
        method=endpoint.method,
        path=path,
        handler=_handler(endpoint),
        scopes=tuple(dict.fromkeys(_scope(each) for each in endpoint.scopes)),
        status=endpoint.status,
        event=endpoint.event,
        emits=renamed(events.names(endpoint.emits)[1]) if endpoint.emits else "",
        limits=endpoint.limits,
        aliases=tuple(aliases),
        name=renamed(endpoint.name),
        raises=tuple(_problem(each) for each in endpoint.raises),
        model=_output(shape) if shape is not None else renamed(endpoint.model),
        console=endpoint.console,
        reference=endpoint.reference,
        several=_several(endpoint.several) if endpoint.several is not None else None,
        canonical=endpoint,
    )


def _several(several: Several) -> Several:
    takes = tuple(renamed(each) for each in several.takes)
    return Several(renamed(several.name), takes, _output(several.shape))


def _path(path: str) -> str:
    return _LEGACY_PATH + renamed(path.removeprefix(_PATH))


def _scope(scope: str) -> str:
    resource, _, action = scope.partition(".")
    return f"{SCOPES.get(resource, resource)}.{action}"


# -- calling -----------------------------------------------------------------------------------------------


def _handler(endpoint: Endpoint) -> Callable[..., Awaitable[Any]]:
    """The endpoint's function, called with and answering in other names."""
    handler = endpoint.handler
    hints = get_type_hints(handler, include_extras=True)
    names = {renamed(name): name for name in inspect.signature(handler).parameters}
    parameters = {renamed(name): name for name in endpoint.parameters}

    @wraps(handler)
    async def speak(call: Call, **arguments: Any) -> Any:
        call.parameters = {parameters[name]: value for name, value in call.parameters.items()}
        try:
            answer = await handler(call, **{names[name]: value for name, value in arguments.items()})
        except Problem as problem:
            raise _problem_told(problem) from problem
        call.model = renamed(call.model)
        if answer is None or isinstance(answer, Json):
            return answer
        if endpoint.event and call.payload is None:
            call.tells(answer)  # what is written down speaks of tables, whoever asked
        return _told(answer)

    speak.__doc__ = reworded(inspect.getdoc(handler) or "")
    speak.__annotations__ = {renamed(name): _hint(hint) for name, hint in hints.items()}
    speak.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    )
    return speak


# -- shapes ------------------------------------------------------------------------------------------------


def _hint(hint: Any) -> Any:
    """A type with the structs in it renamed."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _output(hint) if issubclass(hint, Output) else _struct(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None or not arguments:
        return hint
    if origin is Annotated:
        return Annotated[(_hint(arguments[0]), *arguments[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(_hint(each) for each in arguments)]  # noqa: UP007
    if origin in (list, tuple, dict):
        return origin[tuple(_hint(each) for each in arguments)]
    return hint


@cache
def _output(struct: type[Output]) -> type[Output]:
    """An answer under its legacy name, with its fields under theirs."""
    made: type[Output] = _struct(struct, named=renamed(struct.__name__))
    return made


@cache
def _struct(struct: type[msgspec.Struct], named: str = "") -> Any:
    """A struct with the same attributes, called otherwise on the wire; itself when nothing is."""
    hints = get_type_hints(struct, include_extras=True)
    fields = msgspec.structs.fields(struct)
    taken = {field.encode_name for field in fields}
    changed: list[tuple[str, Any, Any]] = []
    for field in fields:
        hint, name = _hint(hints[field.name]), renamed(field.encode_name)
        if name in taken:  # it is sent under both names already
            name = field.encode_name
        if hint != hints[field.name] or name != field.encode_name:
            changed.append((field.name, hint, _field(field, name)))
    named = named or renamed(struct.__name__)
    if not changed and named == struct.__name__:
        return struct
    return msgspec.defstruct(
        named,
        changed,
        bases=(struct,),
        module=struct.__module__,
        namespace={"__doc__": _doc(struct)},
        kw_only=True,
    )


def _field(field: msgspec.structs.FieldInfo, name: str) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return msgspec.field(name=name, default=field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(name=name, default_factory=field.default_factory)
    return msgspec.field(name=name)


def _doc(named: type) -> str | None:
    return reworded(named.__doc__) if named.__doc__ else None


def _told(value: Any) -> Any:
    """An answer as the legacy vocabulary has it."""
    if isinstance(value, list):
        return [_told(each) for each in value]
    if not isinstance(value, Output):
        return value
    shape = _output(type(value))
    return shape(**{name: _told(getattr(value, name)) for name in value.__struct_fields__})


# -- errors ------------------------------------------------------------------------------------------------


_problems: dict[type[Problem], type[Problem]] = {}


def _problem(problem: type[Problem]) -> type[Problem]:
    """An error with its legacy type; itself when it speaks of none of the words."""
    if problem not in _problems:
        template, type_ = reworded(problem.template), renamed(problem.type)
        is_same = template == problem.template and type_ == problem.type
        _problems[problem] = (
            problem
            if is_same
            else new_class(renamed(problem.__name__), (problem,), {"type": type_}, _saying(template))
        )
    return _problems[problem]


def _saying(template: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.update(__doc__=template)


def _problem_told(problem: Problem) -> Problem:
    values = {
        name: reworded(str(value)) if name == "reason" else value for name, value in problem.values.items()
    }
    if isinstance(problem, InvalidParameter):
        values["name"] = renamed(str(values["name"]))
    told = _problem(type(problem))(**values)
    told.place = problem.place
    return told
