/**
 * Traces: a span for each request and each statement, sent to where OTEL_EXPORTER_OTLP_ENDPOINT says. The SDK reads the
 * other OTEL_* variables itself: sampling, headers, limits, the name of the service.
 */
import type { IncomingMessage } from "node:http";

import { context, defaultTextMapGetter, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Span } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { FastifyInstance, FastifyServerOptions } from "fastify";

import type { Watch } from "./db.js";
import { childLogger, routeOf, setTrace } from "./logs.js";

const propagator = new W3CTraceContextPropagator();
const tracer = trace.getTracer("service");
const spans = new WeakMap<IncomingMessage, Span>();

/** Send spans from now on. OTEL_SERVICE_NAME wins over the service's own name. */
export function start(service: string): NodeTracerProvider {
  const named = resourceFromAttributes({ "service.name": service });
  const resource = defaultResource().merge(named).merge(detectResources({ detectors: [envDetector] }));
  const provider = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
  provider.register({ propagator });
  return provider;
}

/** The logger of a request: it is what a request meets first, so that its span begins here. */
export const tracedLogger: NonNullable<FastifyServerOptions["childLoggerFactory"]> = function (
  logger,
  bindings,
  options,
  request,
) {
  const method = request.method ?? "GET";
  const attributes = { "http.request.method": method, "url.path": (request.url ?? "").split("?")[0] ?? "" };
  const parent = propagator.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter);
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
  spans.set(request, span);
  const { traceId, spanId, traceFlags } = span.spanContext();
  const flags = (traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0");
  setTrace(request, { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` });
  return childLogger.call(this, logger, bindings, options, request);
};

/** What a request does belongs to its span, which ends with the answer. */
export function install(app: FastifyInstance, provider: NodeTracerProvider): void {
  app.addHook("preHandler", (request, _reply, done) => {
    const span = spans.get(request.raw);
    context.with(span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span), done);
  });
  app.addHook("onResponse", (request, reply, done) => {
    const span = spans.get(request.raw);
    if (request.routeOptions.url !== undefined) {
      const route = routeOf(request.routeOptions.url);
      span?.updateName(`${request.method} ${route}`).setAttribute("http.route", route);
    }
    span?.setAttribute("http.response.status_code", reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
  app.addHook("onClose", () => provider.shutdown());
}

/** A span around a statement. The values in it are never told. */
export const watch: Watch = async (sql, run) => {
  const operation = (/\w+/.exec(sql)?.[0] ?? "statement").toUpperCase();
  // `begin` is sent with the tenant's id written into it.
  const text = operation === "BEGIN" ? {} : { "db.query.text": sql };
  const attributes = { "db.system.name": "postgresql", "db.operation.name": operation, ...text };
  const span = tracer.startSpan(operation, { kind: SpanKind.CLIENT, attributes });
  try {
    return await run();
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
};
