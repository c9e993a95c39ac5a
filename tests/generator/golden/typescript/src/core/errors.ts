/** Every refusal of this API: one shape (application/problem+json), one table from SQLSTATE to answer. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { DatabaseError } from "pg";

import { CONSTRAINTS } from "../constraints.js";

const TITLES: Readonly<Record<number, string>> = {
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
};

/** One thing that is wrong: it points into the body, or names a parameter. */
export interface Fault {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly message: string;
}

/** A refusal: throw it anywhere, and the caller gets it as problem+json. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: readonly Fault[] = [],
    readonly headers: Readonly<Record<string, string>> = {},
    options: ErrorOptions = {},
  ) {
    super(detail, options);
  }
}

/** Absent, another tenant's, deleted or not readable: the caller cannot tell which. */
export function notFound(): Problem {
  return new Problem(404, "not_found", "There is no such row.");
}

export function forbidden(detail = "Your role does not allow this."): Problem {
  return new Problem(403, "forbidden", detail);
}

/** A body refers to rows that are not there, or that the caller may not read: it cannot tell which. */
export function unknownReference(...pointers: readonly string[]): Problem {
  const errors = pointers.map((pointer) => ({ pointer, code: "unknown_reference", message: "no such row" }));
  return new Problem(422, "unknown_reference", "A reference points at nothing.", errors);
}

/** Another row, which the caller need not be able to see, has values that have to be unique. */
export function taken(...fields: readonly string[]): Problem {
  const errors = fields.map((field) => ({ pointer: `/${field}`, code: "taken", message: "is taken already" }));
  return new Problem(409, "unique_violation", "Another row has the same value.", errors);
}

/** Someone else changed the row first; the answer carries the current ETag. */
export function versionConflict(version: number): Problem {
  const detail = `The row has changed: it is at version ${version} now.`;
  return new Problem(412, "version_conflict", detail, [], { ETag: `"${version}"` });
}

export function invalidParameter(name: string, message: string, code = "invalid_parameter"): Problem {
  return new Problem(400, code, `Parameter ${name}: ${message}.`, [{ parameter: name, code, message }]);
}

export function unavailable(): Problem {
  return new Problem(503, "unavailable", "Try again in a moment.", [], { "Retry-After": "1" });
}

/** The database cannot be reached, or does not answer in time. */
export class DatabaseUnreachable extends Error {}

/** Answer everything that a route can throw, and addresses and methods that there are no routes for. */
export function install(app: FastifyInstance): void {
  const methods = new Map<string, string[]>();
  app.addHook("onRoute", ({ url, method }) => {
    methods.set(url, [...(methods.get(url) ?? []), ...[method].flat()]);
  });
  app.setErrorHandler((error: FastifyError | Problem | Error, request, reply) =>
    render(request, reply, problemOf(error, request)),
  );
  app.setNotFoundHandler((request, reply) => {
    const allowed = [...methods].flatMap(([url, names]) => (matches(url, pathOf(request)) ? names : []));
    const problem =
      allowed.length > 0
        ? new Problem(405, "method_not_allowed", "Method Not Allowed", [], { Allow: allowed.join(", ") })
        : new Problem(404, "not_found", "There is no such address.");
    return render(request, reply, problem);
  });
}

export function render(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type("application/problem+json")
    .serializer(JSON.stringify)
    .send({
      type: `urn:problem:${problem.code}`,
      title: TITLES[problem.status] ?? "Error",
      status: problem.status,
      code: problem.code,
      detail: problem.detail,
      instance: pathOf(request),
      request_id: request.id,
      errors: problem.errors,
    });
}

function problemOf(error: FastifyError | Problem | Error, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnreachable) {
    request.log.warn({ cause: String(error.cause) }, "database unreachable");
    return unavailable();
  }
  if (error instanceof DatabaseError) {
    const problem = fromDatabase(error, request.method === "DELETE");
    // 42501 is row-level security refusing a write: it always means a mistake in this service.
    if (problem.status === 500) request.log.error({ err: error }, "unexpected database error");
    if (problem.status === 503) request.log.warn({ sqlstate: error.code }, "database unavailable");
    return problem;
  }
  const status = "statusCode" in error ? (error.statusCode ?? 500) : 500;
  if (status === 413) return new Problem(413, "content_too_large", "The body is too large.");
  if (status === 415) return new Problem(415, "unsupported_media_type", "Send the body as application/json.");
  if (status < 500) return new Problem(status, "bad_request", error.message);
  request.log.error({ err: error }, "unexpected error");
  return new Problem(500, "internal", "Something went wrong on our side.");
}

/** What a database error means to the caller. Its text never leaves the service. */
export function fromDatabase(error: DatabaseError, deleting: boolean): Problem {
  const state = error.code ?? "";
  const fields =
    (Object.hasOwn(CONSTRAINTS, error.constraint ?? "") ? CONSTRAINTS[error.constraint ?? ""] : undefined) ?? [];
  if (state === "23505") return taken(...fields);
  if (state === "23001" || (state === "23503" && deleting)) {
    return new Problem(409, "still_referenced", "Other rows still refer to this one.");
  }
  if (state === "23503") return unknownReference(...fields.map((field) => `/${field}`));
  if (state === "23514" || state === "23502") {
    const errors = fields.map((field) => ({
      pointer: `/${field}`,
      code: "check_violation",
      message: "is not allowed",
    }));
    return new Problem(422, "check_violation", "A value is not allowed.", errors);
  }
  if (state.startsWith("22")) {
    return new Problem(422, "validation_failed", "A value is outside of what can be stored.");
  }
  if (/^(40001|40P01|55P03|57014|57P..|533..|08...)$/.test(state)) {
    return unavailable();
  }
  return new Problem(500, "internal", "Something went wrong on our side.");
}

export function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

/** Whether a route such as `/v1/projects/:id` is at the address. */
function matches(url: string, path: string): boolean {
  const parts = path.split("/");
  const template = url.split("/");
  return template.length === parts.length && template.every((part, at) => part.startsWith(":") || part === parts[at]);
}
