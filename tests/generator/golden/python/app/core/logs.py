"""One line of JSON per request, with an id that the caller gets too. Never bodies, never credentials."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from prometheus_client import Counter, Histogram

from app.core.ids import new_id

request_id_var: ContextVar[str] = ContextVar("request_id", default="")
trace_var: ContextVar[Trace | None] = ContextVar("trace", default=None)
log = logging.getLogger("app.request")
TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer.", ["method", "route"])


@dataclass(frozen=True, slots=True)
class Trace:
    """Where this request stands in a trace over several services (W3C Trace Context)."""

    trace_id: str
    span_id: str
    flags: str = "00"

    def __str__(self) -> str:
        """The `traceparent` to send along with requests to other services."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id_var.get(),
        }
        trace = trace_var.get()
        if trace is not None:
            line |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.access").disabled = True


class RequestLog:
    """Gives each request an id, writes one line about it and counts it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _given_id(scope) or str(new_id())
        token = request_id_var.set(request_id)
        state = scope.setdefault("state", {})
        trace_token = trace_var.set(state.get("trace") or _trace(scope))
        state["request_id"] = request_id
        status = 500

        async def with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    *[(name.lower().encode(), value.encode()) for name, value in state.get("limits", {}).items()],
                ]
            await send(message)

        try:
            await self.app(scope, receive, with_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "unmatched")
            requests, durations = _series(scope["method"], route, status)
            requests.inc()
            durations.observe(seconds)
            principal = state.get("principal")
            fields = {
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "tenant_id": getattr(principal, "tenant_id", None),
                "principal": getattr(principal, "actor", None),
            }
            log.info("request", extra={"fields": fields})
            request_id_var.reset(token)
            trace_var.reset(trace_token)


@lru_cache(maxsize=4096)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """What counts the requests of a route, which takes longer to find than to count with."""
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(method, route)


def _given_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and re.fullmatch(rb"[A-Za-z0-9._-]{8,64}", value):
            return str(value.decode())
    return ""


def _trace(scope: Any) -> Trace:
    """The caller's trace, with a span of our own; a new one when it sent none that is well formed."""
    span_id = secrets.token_hex(8)
    for name, value in scope["headers"]:
        found = TRACEPARENT.fullmatch(value) if name == b"traceparent" else None
        if found is not None and found[1].strip(b"0") and found[2].strip(b"0"):
            return Trace(found[1].decode(), span_id, found[3].decode())
    return Trace(secrets.token_hex(16), span_id)
