"""Every refusal of this API: one shape (application/problem+json), one table from SQLSTATE to answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.constraints import CONSTRAINTS

log = logging.getLogger(__name__)

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    412: "Precondition failed",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Invalid content",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}

CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "content_too_large",
    415: "unsupported_media_type",
}


class Problem(Exception):
    """A refusal: raise it anywhere, and the caller gets it as problem+json."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def not_found() -> Problem:
    """Absent, another tenant's, deleted or not readable: the caller cannot tell which."""
    return Problem(404, "not_found", "There is no such row.")


def forbidden(detail: str = "Your role does not allow this.") -> Problem:
    return Problem(403, "forbidden", detail)


def version_conflict(version: int) -> Problem:
    """Someone else changed the row first; the answer carries the current ETag."""
    detail = f"The row has changed: it is at version {version} now."
    return Problem(412, "version_conflict", detail, headers={"ETag": f'"{version}"'})


def invalid_parameter(name: str, message: str, code: str = "invalid_parameter") -> Problem:
    error = {"parameter": name, "code": code, "message": message}
    return Problem(400, code, f"Parameter {name}: {message}.", [error])


def unknown_reference(*pointers: str) -> Problem:
    """A body refers to rows that are not there, or that the caller may not read: it cannot tell which."""
    errors = [{"pointer": each, "code": "unknown_reference", "message": "no such row"} for each in pointers]
    return Problem(422, "unknown_reference", "A reference points at nothing.", errors)


def taken(*fields: str) -> Problem:
    """Another row, which the caller need not be able to see, has values that have to be unique."""
    errors = [{"pointer": f"/{field}", "code": "taken", "message": "is taken already"} for field in fields]
    return Problem(409, "unique_violation", "Another row has the same value.", errors)


def install(app: FastAPI) -> None:
    """Answer every refusal that can leave a route; LastResort answers what else can."""
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(asyncpg.PostgresError, _answer_database)
    app.add_exception_handler(asyncpg.DataError, _answer_database)
    app.add_exception_handler(asyncpg.InterfaceError, _answer_unavailable)
    app.add_exception_handler(OSError, _answer_unavailable)


def render(request: Request, problem: Problem) -> JSONResponse:
    body: dict[str, Any] = {
        "type": f"urn:problem:{problem.code}",
        "title": TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", ""),
        "errors": problem.errors,
    }
    return JSONResponse(body, problem.status, problem.headers, media_type="application/problem+json")


async def _answer_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return render(request, error)


async def _answer_validation(request: Request, error: Exception) -> JSONResponse:
    """Query and path mistakes are 400 and name a parameter; body mistakes are 422 and point into it."""
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    in_body = [fault for fault in faults if fault["loc"][0] == "body"]
    if any(fault["type"] == "json_invalid" for fault in in_body):
        return render(request, Problem(400, "malformed_json", "The body is not valid JSON."))
    if len(in_body) < len(faults):
        fault = next(fault for fault in faults if fault["loc"][0] != "body")
        name = str(fault["loc"][1]) if len(fault["loc"]) > 1 else "query"
        unknown = fault["type"] == "extra_forbidden"
        code = "unknown_parameter" if unknown else "invalid_parameter"
        message = "there is no such parameter" if unknown else _message(fault)
        return render(request, invalid_parameter(name, message, code))
    errors = [
        {"pointer": _pointer(fault["loc"][1:]), "code": _code(fault), "message": _message(fault)}
        for fault in in_body[:50]
    ]
    detail = "1 field is invalid." if len(errors) == 1 else f"{len(errors)} fields are invalid."
    return render(request, Problem(422, "validation_failed", detail, errors))


def _pointer(location: Sequence[int | str]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _code(fault: Mapping[str, Any]) -> str:
    codes = {
        "missing": "required",
        "extra_forbidden": "unknown_field",
        "string_too_long": "too_long",
        "string_too_short": "too_short",
    }
    return codes.get(fault["type"], "invalid")


def _message(fault: Mapping[str, Any]) -> str:
    message = str(fault["msg"])
    return message[:1].lower() + message[1:]


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Problem):  # raised while the body was being read
        return render(request, error.__cause__)
    if error.status_code == 400:
        return render(request, Problem(400, "malformed_json", "The body is not valid JSON."))
    code = CODES.get(error.status_code, "error")
    detail = "There is no such address." if error.status_code == 404 else str(error.detail)
    return render(request, Problem(error.status_code, code, detail, headers=error.headers))


async def _answer_database(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, (asyncpg.PostgresError, asyncpg.DataError))
    return render(request, from_database(error, deleting=request.method == "DELETE"))


def from_database(error: Exception, *, deleting: bool) -> Problem:
    """What a database error means to the caller. Its text never leaves the service."""
    state = str(getattr(error, "sqlstate", None) or "22000")
    constraint = str(getattr(error, "constraint_name", None) or "")
    fields = CONSTRAINTS.get(constraint, ())
    if state == "23505":
        return taken(*fields)
    if state == "23001" or (state == "23503" and deleting):
        return Problem(409, "still_referenced", "Other rows still refer to this one.")
    if state == "23503":
        return unknown_reference(*(f"/{f}" for f in fields))
    if state in ("23514", "23502"):
        errors = [{"pointer": f"/{f}", "code": "check_violation", "message": "is not allowed"} for f in fields]
        return Problem(422, "check_violation", "A value is not allowed.", errors)
    if state.startswith("22"):
        return Problem(422, "validation_failed", "A value is outside of what can be stored.")
    if state in ("40001", "40P01", "55P03", "57014") or state[:3] in ("57P", "533") or state[:2] == "08":
        log.warning("database unavailable: SQLSTATE %s", state)
        return unavailable()
    # 42501 is row-level security refusing a write: it always means a mistake in this service.
    log.error("unexpected database error", exc_info=error)
    return internal()


def internal() -> Problem:
    """A mistake of this service. What it was is in the logs and nowhere else."""
    return Problem(500, "internal", "Something went wrong on our side.")


def unavailable() -> Problem:
    return Problem(503, "unavailable", "Try again in a moment.", headers={"Retry-After": "1"})


async def _answer_unavailable(request: Request, error: Exception) -> JSONResponse:
    log.warning("something is out of reach: %r", error)
    return render(request, unavailable())


class LastResort:
    """Answers exceptions that nothing else knows, while the request still has its id: in the answer and in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            log.exception("unexpected error")
            if begun:
                raise  # the server breaks the connection off, so that nobody takes a part for the whole
            await render(Request(scope), internal())(scope, receive, send)
