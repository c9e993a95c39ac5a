"""Traces: a span for each request and each statement, sent to where OTEL_EXPORTER_OTLP_ENDPOINT says.

The SDK reads the other OTEL_* variables itself: sampling, headers, limits, the name of the service.
"""

from __future__ import annotations

import time
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.core.logs import Trace

PROPAGATOR = TraceContextTextMapPropagator()
tracer = trace.get_tracer("app")


def start(service: str) -> TracerProvider:
    """Send spans from now on. OTEL_SERVICE_NAME wins over the service's own name."""
    resource = Resource.create({SERVICE_NAME: service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


class Traces:
    """A span around each request, in the trace that the caller is in."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        with tracer.start_as_current_span(
            method,
            context=PROPAGATOR.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": scope["path"]},
        ) as span:
            context = span.get_span_context()
            scope.setdefault("state", {})["trace"] = Trace(
                trace.format_trace_id(context.trace_id),
                trace.format_span_id(context.span_id),
                f"{context.trace_flags:02x}",
            )

            async def watched(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            await self.app(scope, receive, watched)
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)


def statement(done: Any) -> None:
    """A span for a statement that has been run, as asyncpg tells of it. The values in it are never told."""
    ended = time.time_ns()
    operation = done.query.split(maxsplit=1)[0].strip(";").upper()
    attributes = {"db.system.name": "postgresql", "db.operation.name": operation}
    if operation != "BEGIN":  # which is sent with the tenant's id written into it
        attributes["db.query.text"] = done.query
    span = tracer.start_span(
        operation,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        start_time=ended - int(done.elapsed * 1e9),
    )
    if done.exception is not None:
        span.set_status(StatusCode.ERROR)
    span.end(ended)
