"""GraphQL documents, from the text to what can be run: parsed, measured, validated, and kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    get_operation_ast,
    parse,
    validate,
)

from freehold.errors import Problem
from freehold.services.graphql.errors import InvalidDocument, TooComplex, TooDeep, TooLong
from freehold.services.graphql.measure import CircularFragment, Measure, Size

MAX_CHARACTERS = 32_768
"""Of all the documents of a request: parsing takes time that counts for nobody's rate limit."""

_MAX_TOKENS = 4_000
_MAX_ERRORS = 20
_KEPT = 256
_LONGEST_KEPT = 8_192


class Refused(Exception):
    """A document that is not run, and why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(errors)


def refusal(problem: Problem, **where: Any) -> GraphQLError:
    """A problem as GraphQL tells it."""
    extensions = {"code": problem.status, "type": problem.type}
    return GraphQLError(problem.message, extensions=extensions, original_error=problem, **where)


class Document:
    """A document that may be run."""

    def __init__(self, parsed: DocumentNode, measure: Measure, size: Size) -> None:
        self.parsed = parsed
        self.measure = measure
        self.size = size

    def is_mutation(self, operation_name: str | None) -> bool:
        """Whether the operation changes something."""
        operation = get_operation_ast(self.parsed, operation_name)
        return operation is not None and operation.operation is OperationType.MUTATION


class Documents:
    """Reads documents against a schema. It keeps short ones: reading costs more than running."""

    def __init__(self, schema: GraphQLSchema, *, max_depth: int, max_fields: int) -> None:
        self._schema = schema
        self._max_depth = max_depth
        self._max_fields = max_fields
        self._kept = lru_cache(_KEPT)(self._read)

    def read(self, text: str, *, hints: bool) -> Document:
        """Read a document. Only with `hints` do errors tell names of the schema. Raises Refused."""
        return (self._kept if len(text) <= _LONGEST_KEPT else self._read)(text, hints)

    def _read(self, text: str, hints: bool) -> Document:
        if len(text) > MAX_CHARACTERS:
            raise Refused([refusal(TooLong(limit=MAX_CHARACTERS))])
        try:
            parsed = parse(text, max_lexical_tokens=_MAX_TOKENS, max_source_length=MAX_CHARACTERS)
            measure = Measure(parsed)
            size = self._size(measure)
            errors = validate(self._schema, parsed, max_errors=_MAX_ERRORS, hide_suggestions=not hints)
        except GraphQLError as error:
            errors = [error]
        except RecursionError as error:
            raise Refused([refusal(TooDeep(limit=self._max_depth))]) from error
        if errors:
            raise Refused([_told(error) for error in errors])
        return Document(parsed, measure, size)

    def _size(self, measure: Measure) -> Size:
        try:
            size = measure.document()
        except CircularFragment as error:
            problem = InvalidDocument(reason="A fragment of the document holds itself.")
            raise refusal(problem) from error
        if max(size.fields, measure.written) > self._max_fields:
            raise refusal(TooComplex(limit=self._max_fields))
        if size.depth > self._max_depth:
            raise refusal(TooDeep(limit=self._max_depth))
        return size


def _told(error: GraphQLError) -> GraphQLError:
    if error.extensions:
        return error
    return GraphQLError(
        error.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        extensions={"code": InvalidDocument.status, "type": InvalidDocument.type},
    )
