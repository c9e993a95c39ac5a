/** One line of JSON per request, with an id that the caller gets too. Never bodies, never credentials. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";

import { newId } from "./ids.js";

export const registry = new Registry();

collectDefaultMetrics({ register: registry });

const requests = new Counter({
  name: "http_requests_total",
  help: "Requests answered.",
  labelNames: ["method", "route", "status"],
  registers: [registry],
});
const seconds = new Histogram({
  name: "http_request_duration_seconds",
  help: "Time to answer.",
  labelNames: ["method", "route"],
  registers: [registry],
});

/** A log record as one line of JSON, on standard error. */
export function logging(level: string): NonNullable<FastifyServerOptions["logger"]> {
  return {
    level: level === "warning" ? "warn" : level,
    stream: process.stderr,
    base: null,
    messageKey: "message",
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
    serializers: { err: (error: Error) => ({ type: error.name, message: error.message, stack: error.stack ?? "" }) },
  };
}

/** Where a request stands in a trace over several services (W3C Trace Context). */
export interface Trace {
  readonly traceId: string;
  readonly spanId: string;
  /** The `traceparent` to send along with requests to other services. */
  readonly traceparent: string;
}

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

const traces = new WeakMap<IncomingMessage, Trace>();

/** The caller's trace, with a span of our own; a new one when it sent none that is well formed. */
export function traceOf(request: IncomingMessage): Trace {
  const known = traces.get(request);
  if (known !== undefined) return known;
  const [, traceId = randomBytes(16).toString("hex"), flags = "00"] =
    TRACEPARENT.exec(String(request.headers["traceparent"])) ?? [];
  const spanId = randomBytes(8).toString("hex");
  const trace = { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
  traces.set(request, trace);
  return trace;
}

/** Say where a request stands, before anybody asks. */
export function setTrace(request: IncomingMessage, trace: Trace): void {
  traces.set(request, trace);
}

/** What is logged for a request names its trace. */
export const childLogger: NonNullable<FastifyServerOptions["childLoggerFactory"]> = (logger, bindings, options, request) => {
  const { traceId, spanId } = traceOf(request);
  return logger.child({ ...bindings, trace_id: traceId, span_id: spanId }, options);
};

/** The id that a request brings, if it is one, or a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[A-Za-z0-9._-]{8,64}$/.test(given) ? given : newId();
}

/** Send the request's id along. */
export function identify(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ "X-Request-Id": request.id, "X-Content-Type-Options": "nosniff" });
}

/** Send the request's id along, write one line about it and count it. */
export function install(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    identify(request, reply);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    const method = request.method;
    const route = routeOf(request.routeOptions.url);
    requests.inc({ method, route, status: String(reply.statusCode) });
    seconds.observe({ method, route }, reply.elapsedTime / 1000);
    const caller = request.caller as typeof request.caller | undefined;
    request.log.info(
      {
        method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        tenant_id: caller?.tenantId ?? null,
        principal: caller?.actor ?? null,
      },
      "request",
    );
    done();
  });
}

/** `/v1/projects/:id` as openapi.json writes it. */
export function routeOf(url: string | undefined): string {
  return url?.replaceAll(/:(\w+)/g, "{$1}") ?? "unmatched";
}
