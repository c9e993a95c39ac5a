"""Running GraphQL documents: each field is its endpoint's answer, under all that holds for the endpoint."""

from __future__ import annotations

import asyncio
import time
from types import CoroutineType
from typing import Any, TypeGuard

import msgspec
import structlog
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLResolveInfo,
    execute,
)

from freehold.errors import DatabaseTimeout, Problem, ServerError
from freehold.services.graphql.documents import Document, Documents, Refused, refusal
from freehold.services.graphql.errors import (
    AnswerTooLarge,
    IntrospectionClosed,
    InvalidDocument,
    ReadOnly,
    TooComplex,
)
from freehold.services.graphql.schema import make_schema
from freehold.web.call import Call
from freehold.web.endpoint import Endpoint
from freehold.web.problems import problem_of

_log = structlog.get_logger("freehold.graphql")

_AT_ONCE = 4
"""How many endpoints one request asks at the same time: its share of the connections."""

_MAX_ANSWERED_FIELDS = 50_000
_MAX_ANSWERED_BYTES = 16 * 1024**2

_MAX_MESSAGE = 500
"""The library's messages hold what was sent, however long that is."""

_decode = msgspec.json.Decoder().decode


class Wanted(msgspec.Struct):
    """A document to be run, as the request names it."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None


class Api:
    """The schema of all endpoints, and what runs documents against it. One a process."""

    def __init__(self, endpoints: list[Endpoint], *, max_depth: int, max_fields: int) -> None:
        self.schema = make_schema(endpoints, _ask)
        self._max_fields = max_fields
        self._documents = Documents(self.schema, max_depth=max_depth, max_fields=max_fields)

    async def run(self, call: Call, wanted: list[Wanted], *, reading: bool) -> list[dict[str, Any]]:
        """Run documents one after the other. Raises ReadOnly for a mutation when only reading is allowed."""
        read = self._read(call, wanted)
        if reading and any(
            isinstance(document, Document) and document.is_mutation(each.operation_name)
            for each, document in zip(wanted, read, strict=True)
        ):
            raise ReadOnly()
        run = _Run(call)
        answers = []
        for each, document in zip(wanted, read, strict=True):
            if isinstance(document, Refused):
                answers.append(_answer(ExecutionResult(None, document.errors), run))
            else:
                answers.append(_answer(await run.execute(self, document, each), run))
        return answers

    def _read(self, call: Call, wanted: list[Wanted]) -> list[Document | Refused]:
        """Read the documents, as many as together stay in bounds."""
        read: list[Document | Refused] = []
        left = self._max_fields
        for each in wanted:
            try:
                if left < 0:
                    raise Refused([refusal(TooComplex(limit=self._max_fields))])
                document = self._documents.read(each.query, hints=call.identity.privileged)
                left -= document.size.fields
                if left < 0:
                    raise Refused([refusal(TooComplex(limit=self._max_fields))])
                if document.size.introspects and not call.identity.privileged:
                    raise Refused([refusal(IntrospectionClosed())])
                read.append(document)
            except Refused as refused:
                read.append(refused)
        return read


class _Run:
    """What a request's documents share while they run: the caller, and how much may be answered."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.document: Document
        self._until = time.monotonic() + call.app.settings.statement_timeout_s
        """After this nothing is begun: many fields should not hold connections for longer than one."""
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._fields_left = _MAX_ANSWERED_FIELDS
        self._bytes_left = _MAX_ANSWERED_BYTES

    async def execute(self, api: Api, document: Document, wanted: Wanted) -> ExecutionResult:
        self.document = document
        result = execute(
            api.schema,
            document.parsed,
            context_value=self,
            variable_values=wanted.variables,
            operation_name=wanted.operation_name,
            is_awaitable=_is_awaitable,
            hide_suggestions=not self.call.identity.privileged,
        )
        return result if isinstance(result, ExecutionResult) else await result

    async def ask(self, info: GraphQLResolveInfo[Any], endpoint: Endpoint, values: dict[str, Any]) -> Any:
        """An endpoint's answer, decoded. Raises GraphQLError."""
        try:
            async with self._places:
                self._check()
                body = await self.call.app.answer(self.call, endpoint, values)
        except Exception as error:
            raise refusal(problem_of(error, self.call.request)) from error
        answer = _decode(body) if body else {}
        selected = sum(self.document.measure.field(node).fields for node in info.field_nodes)
        self._fields_left -= selected * _objects(answer)
        self._bytes_left -= len(body)
        if not endpoint.emits and self._is_full:
            raise refusal(AnswerTooLarge())
        return answer

    def _check(self) -> None:
        """Begin nothing more when time or space is used up: what changes something tells of it once begun."""
        if time.monotonic() > self._until:
            raise DatabaseTimeout()
        if self._is_full:
            raise AnswerTooLarge()

    @property
    def _is_full(self) -> bool:
        return self._fields_left < 0 or self._bytes_left < 0


async def _ask(info: GraphQLResolveInfo[Any], endpoint: Endpoint, values: dict[str, Any]) -> Any:
    run: _Run = info.context
    return await run.ask(info, endpoint, values)


def _is_awaitable(value: Any) -> TypeGuard[Any]:
    return isinstance(value, CoroutineType)


def _objects(answer: Any) -> int:
    """How many objects are in an answer."""
    if isinstance(answer, list):
        return sum(map(_objects, answer))
    if isinstance(answer, dict):
        return 1 + sum(_objects(each) for each in answer.values() if isinstance(each, list))
    return 0


def _answer(result: ExecutionResult, run: _Run) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [_formatted(error, run) for error in result.errors]
    if result.data is not None or not result.errors:
        answer["data"] = result.data
    return answer


def _formatted(error: GraphQLError, run: _Run) -> GraphQLFormattedError:
    formatted = error.formatted
    cause = error.original_error
    if cause is not None and not isinstance(cause, Problem | GraphQLError):
        _log.error("A GraphQL field failed.", request_id=run.call.request.id, exc_info=cause)
        formatted["message"] = ServerError().message
        formatted["extensions"] = {"code": ServerError.status, "type": ServerError.type}
        return formatted
    formatted["message"] = formatted["message"][:_MAX_MESSAGE]
    if "extensions" not in formatted:
        formatted["extensions"] = {"code": InvalidDocument.status, "type": InvalidDocument.type}
    return formatted
