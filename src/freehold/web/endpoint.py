"""Endpoints: declared once, as a typed function. Everything else is read from the declaration.

    @routes.post("/v1/teams", scope="teams.write", event="teams.[teamId].create", status=201)
    async def create(call: Call, body: CreateTeam) -> Team:
        \"""Create a team. A user who creates one becomes its owner; an API key does not.\"""

Its first parameter is the call. `body` and `query` are structs that the request is decoded into; every
other parameter is one of the path's, in snake_case. What it returns is encoded; of None nothing is sent.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from freehold.errors import ChallengeRequired, InvalidBody, InvalidParameter, NotInPerson, Problem
from freehold.ids import ID_PATTERN
from freehold.web import misfits
from freehold.web.multipart import Upload
from freehold.web.request import Params, Request, decode_json
from freehold.web.wire import Output, Stream, wire_name

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

_PATH_PARAMETER = re.compile(r"{(\w+)}")
_is_id = re.compile(ID_PATTERN).match


class Limit(msgspec.Struct, frozen=True):
    """How often an endpoint may be called: `hits` in `seconds`, counted by what `key` names."""

    hits: int
    seconds: int
    key: str
    """Of `{url}`, `{method}`, `{ip}`, `{userId}` and `{param-NAME}`, such as `url:{url},ip:{ip}`.

    The url is the route's path, whatever stands in it."""
    each_of: str = ""
    """The list of the body of which each item counts as a call; a call without it counts as one."""


def limit(text: str, *, key: str = "url:{url},ip:{ip}", each_of: str = "") -> Limit:
    """Read a limit as the reference writes it: `10/3600s`."""
    hits, _, seconds = text.removesuffix("s").partition("/")
    return Limit(hits=int(hits), seconds=int(seconds), key=key, each_of=each_of)


class Several(NamedTuple):
    """What an endpoint takes and answers when it is sent several at once, for which SDKs have a method."""

    name: str
    takes: tuple[str, ...]
    """The parameters that it takes then, of which the first has to be there."""
    shape: type[Output]


class Endpoint:
    """One route, and what was declared of it."""

    def __init__(
        self,
        *,
        service: str,
        method: str,
        path: str,
        handler: Handler,
        scopes: tuple[str, ...],
        status: int,
        event: str,
        emits: str,
        limits: tuple[Limit, ...],
        aliases: tuple[str, ...],
        name: str,
        raises: tuple[type[Problem], ...],
        model: str | type[Output],
        console: bool,
        reference: bool,
        from_anywhere: bool = False,
        public_s: int = 0,
        older: dict[str, str] | None = None,
        protocol: str = "rest",
        half_signed_in: bool = False,
        challenged: bool = False,
        in_person: bool = False,
        several: Several | None = None,
        status_again: int = 0,
        canonical: Endpoint | None = None,
    ) -> None:
        self.service = service
        self.method = method
        self.path = path
        self.handler = handler
        self.scopes = scopes
        self.status = status
        self.event = event
        self.emits = emits or event
        self.limits = limits
        self.aliases = aliases
        self.name = name
        self.raises = raises
        self.console = console
        self.protocol = protocol
        self.reference = reference
        self.from_anywhere = from_anywhere
        self.public_s = public_s
        """For how many seconds anybody may keep the answer, which is the same for all; 0 when it is not."""
        self.older = older or {}
        """What older SDKs call parameters of the body, and what these are called now."""
        self.half_signed_in = half_signed_in
        """Whether it is for sessions too that have yet to show the second factor."""
        self.challenged = challenged
        """Whether it asks users for a challenge that they answered lately."""
        self.in_person = in_person
        """Whether it is for users themselves, and not for who acts for them."""
        self.several = several
        self.status_again = status_again or status
        """The status of the answer to who asks for what was done before."""
        self.canonical = canonical or self
        """The endpoint that this one is another name of; itself when it is none."""
        self.summary = inspect.getdoc(handler) or ""
        hints = get_type_hints(handler, include_extras=True)
        self.answer: Any = hints.get("return")
        self.shape = _shape(self.answer if isinstance(model, str) else model)
        self.model = model if isinstance(model, str) and model else _model_name(self.answer, self.shape)
        self.body: type[msgspec.Struct] | None = hints.get("body")
        self.query: type[msgspec.Struct] | None = hints.get("query")
        self.takes_files = self.body is not None and Upload in get_type_hints(self.body).values()
        """Whether the body is a multipart form with files."""
        self.parameters = tuple(_PATH_PARAMETER.findall(path))
        self.path_types = {name: hints.get(_snake(name), str) for name in self.parameters}
        """What a parameter of the path has to be; plain `str` is an id."""
        self._arguments = tuple((name, _snake(name)) for name in self.parameters)
        taken = {"call", "body", "query", "return", *(name for _, name in self._arguments)}
        stray = [name for name in inspect.signature(handler).parameters if name not in taken]
        if stray:
            raise TypeError(
                f"{method} {path}: {handler.__qualname__} has parameters that nothing fills: {stray}"
            )
        self._decode_body = msgspec.json.Decoder(self.body).decode if self.body is not None else None

    def arguments(self, request: Request, parameters: dict[str, str]) -> dict[str, Any]:
        """The handler's arguments, decoded from the request. Raises InvalidParameter, InvalidBody."""
        arguments = self._of_path(parameters)
        if self.query is not None:
            arguments["query"] = _convert(request.query(), self.query)
        if self.body is not None:
            arguments["body"] = self._body(request)
        return arguments

    def arguments_of(self, values: Params) -> dict[str, Any]:
        """The handler's arguments, from all its parameters by their names. Raises InvalidParameter."""
        arguments = self._of_path(values)
        if self.query is not None:
            arguments["query"] = _convert(values, self.query)
        if self.body is not None:
            arguments["body"] = _convert(values, self.body, strict=True)
        return arguments

    def _of_path(self, parameters: Params) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for parameter, name in self._arguments:
            value = parameters[parameter]
            if (shape := self.path_types[parameter]) is not str:
                arguments[name] = _converted(parameter, value, shape)
                continue
            if not _is_id(value):
                raise InvalidParameter(
                    name=parameter,
                    reason=f"It takes {misfits.PATTERNS[ID_PATTERN]}.",
                )
            arguments[name] = value
        return arguments

    def _body(self, request: Request) -> Any:
        assert self.body is not None
        assert self._decode_body is not None
        form = request.form()
        if form is not None:
            return _convert(self._in_words_of_now(form), self.body)
        body = request.body or b"{}"
        if self.older:
            body = msgspec.json.encode(self._in_words_of_now(decode_json(body)))
        try:
            return self._decode_body(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            # Perhaps only because of a null where nothing was meant; the slow way says what is wrong.
            return _convert(decode_json(body), self.body, strict=True)

    def _in_words_of_now(self, params: Params) -> Params:
        if not isinstance(params, dict):
            return params
        named = {self.older.get(name, name): value for name, value in params.items() if name in self.older}
        return {**named, **{name: value for name, value in params.items() if name not in self.older}}


def _converted(parameter: str, value: str, shape: Any) -> Any:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise InvalidParameter(name=parameter, reason=f"{str(error).rstrip('.')}.") from error


def _convert(params: Params, into: type[msgspec.Struct], *, strict: bool = False) -> Any:
    if not isinstance(params, dict):
        raise InvalidBody(reason="it has to be a JSON object.")
    try:
        return msgspec.convert({k: v for k, v in params.items() if v is not None}, into, strict=strict)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error


_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")


def _invalid(message: str) -> InvalidParameter:
    at = _AT.search(message)
    path = at[1] if at is not None else ""
    reason = message[: at.start()] if at is not None else message
    missing = _MISSING.search(reason)
    if missing is not None:
        return InvalidParameter(name=f"{path}.{missing[1]}" if path else missing[1], reason="It is required.")
    return InvalidParameter(name=path, reason=misfits.told(reason))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def camel(name: str) -> str:
    head, *rest = name.strip("_").split("_")
    return head + "".join(part.title() for part in rest)


def _shape(answer: Any) -> type[Output] | None:
    return answer if isinstance(answer, type) and issubclass(answer, Output) else None


def _model_name(answer: Any, shape: type[Output] | None) -> str:
    if answer is None or answer is type(None) or answer is Stream:
        return "none"
    return wire_name(shape) if shape is not None else "any"


class Routes:
    """The endpoints of one service, in documentation order."""

    def __init__(
        self,
        service: str,
        *,
        console: bool = True,
        protocol: str = "rest",
        raises: tuple[type[Problem], ...] = (),
    ) -> None:
        self.service = service
        self.protocol = protocol
        """What a project switches off to close all services that are spoken to like this."""
        self.raises = raises
        """What any of them may raise, besides what is declared of each."""
        self.console = console
        """Whether the service answers for the console project too."""
        self.endpoints: list[Endpoint] = []

    def _add(
        self,
        method: str,
        path: str,
        *,
        scope: str | tuple[str, ...],
        status: int = 200,
        event: str = "",
        emits: str = "",
        limit: Limit | tuple[Limit, ...] = (),
        aliases: tuple[str, ...] = (),
        name: str = "",
        raises: tuple[type[Problem], ...] = (),
        model: str | type[Output] = "",
        reference: bool = True,
        from_anywhere: bool = False,
        public_s: int = 0,
        older: dict[str, str] | None = None,
        half_signed_in: bool = False,
        challenged: bool = False,
        in_person: bool = False,
        several: Several | None = None,
        status_again: int = 0,
    ) -> Callable[[H], H]:
        """Declare an endpoint.

        Any of the scopes lets a caller in. `event` is written to the outbox, and the handler runs in the
        transaction; `emits` only says which event the handler's own statement writes. `name` is the SDK's
        name of the method when it is not the handler's. `model` says what is in a `Json`: its struct, or only
        its name. `reference=False`: Freehold's own, not of the Appwrite contract. `older`: what older SDKs
        call parameters of the body, and what these are called now. `from_anywhere`: pages of any origin may
        send browsers here, for nothing that these bring along counts. `public_s`: the answer is the same
        whoever asks, pages of any origin may read it, and it may be kept for so many seconds.
        `half_signed_in`: sessions that have yet to show the second factor may call it. `challenged`: a user
        has to have answered a challenge lately. `in_person`: neither who acts for a user nor an account's key
        may call it, as it concerns what that user alone is to know or to hold. `several`: it takes several at
        once as well. `status_again`: how what was done before is answered, if otherwise.
        """
        implied = ((ChallengeRequired,) if challenged else ()) + ((NotInPerson,) if in_person else ())

        def declare(handler: H) -> H:
            self.endpoints.append(
                Endpoint(
                    service=self.service,
                    method=method,
                    path=path,
                    handler=handler,
                    scopes=(scope,) if isinstance(scope, str) else scope,
                    status=status,
                    event=event,
                    emits=emits,
                    limits=limit if isinstance(limit, tuple) else (limit,),
                    aliases=aliases,
                    name=name or camel(handler.__name__),
                    raises=tuple(dict.fromkeys((*self.raises, *raises, *implied))),
                    model=model,
                    console=self.console,
                    protocol=self.protocol,
                    reference=reference,
                    from_anywhere=from_anywhere,
                    public_s=public_s,
                    older=older,
                    half_signed_in=half_signed_in,
                    challenged=challenged,
                    in_person=in_person,
                    several=several,
                    status_again=status_again,
                )
            )
            return handler

        return declare

    def get(self, path: str, **declared: Any) -> Callable[[H], H]:
        return self._add("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[H], H]:
        return self._add("POST", path, **declared)

    def put(self, path: str, **declared: Any) -> Callable[[H], H]:
        return self._add("PUT", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[H], H]:
        return self._add("PATCH", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[H], H]:
        return self._add("DELETE", path, **declared)


class RouteTable:
    """Finds the endpoint of a method and path: a tree of segments, literal ones before parameters."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        self._root = _Node()
        for endpoint in endpoints:
            for path in (endpoint.path, *endpoint.aliases):
                self._insert(endpoint, path)

    def _insert(self, endpoint: Endpoint, path: str) -> None:
        node = self._root
        names: list[str] = []
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        if endpoint.method in node.endpoints:
            raise ValueError(f"{endpoint.method} {path} is declared twice")
        node.endpoints[endpoint.method] = (endpoint, tuple(names))

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """The endpoint and the path's parameters; None when there is no such route."""
        found = self._find(self._root, path.split("/"), 1, method, ())
        if found is None:
            return None
        endpoint, names, values = found
        return endpoint, dict(zip(names, values, strict=True))

    def _find(
        self, node: _Node, segments: list[str], at: int, method: str, values: tuple[str, ...]
    ) -> tuple[Endpoint, tuple[str, ...], tuple[str, ...]] | None:
        while at < len(segments):
            segment = segments[at]
            at += 1
            literal = node.literals.get(segment)
            if literal is not None and node.parameter is None:
                node = literal
                continue
            if literal is not None:
                found = self._find(literal, segments, at, method, values)
                if found is not None:
                    return found
            if node.parameter is None or not segment:
                return None
            node = node.parameter
            values = (*values, segment)
        leaf = node.endpoints.get(method)
        return (leaf[0], leaf[1], values) if leaf is not None else None


class _Node:
    __slots__ = ("endpoints", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.endpoints: dict[str, tuple[Endpoint, tuple[str, ...]]] = {}
