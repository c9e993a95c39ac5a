/** HTTP around a feature: the caller, bodies, conditional requests and page links. */
import type {
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  FastifyTypeProvider,
  RawServerDefault,
} from "fastify";
import type { Static, TSchema } from "typebox";

import { Caller, type Identity } from "./access.js";
import type { Database, Row } from "./db.js";
import { invalidParameter, pathOf, Problem } from "./errors.js";
import { networkOf, type Limiter } from "./limits.js";
import type { Page } from "./paging.js";
import { parseQuery, type Parameters } from "./validation.js";

const MAX_DEPTH = 500;
/** What a number looks like that may be too large: three digits of exponent, or very many of its own. */
const LARGE = /[eE]\+?0*\d{3}|\d{309}/;

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
    /** The body as it came, of requests that have one. */
    rawBody: Buffer | null;
  }
}

/** Requests have the types of their schemas. */
interface Schemas extends FastifyTypeProvider {
  readonly validator: this["schema"] extends TSchema ? Static<this["schema"]> : unknown;
}

/** The routes of one resource. */
export type Feature = FastifyPluginCallback<{ db: Database }, RawServerDefault, Schemas>;

/** Bodies are JSON in UTF-8; whatever else they say they are is refused. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.decorateRequest("rawBody", null);
  app.addContentTypeParser(
    ["application/json", "application/merge-patch+json"],
    { parseAs: "buffer" },
    (request, body, done) => {
      try {
        request.rawBody = body as Buffer;
        const text = new TextDecoder("utf-8", { fatal: true }).decode(request.rawBody);
        done(null, text === "" ? undefined : parseJson(text));
      } catch {
        done(new Problem(400, "malformed_json", "The body is not valid JSON."));
      }
    },
  );
}

function parseJson(text: string): unknown {
  const value = JSON.parse(text) as unknown;
  // Writing a value again takes stack for each of its levels.
  if (text.length > MAX_DEPTH && depth(value) > MAX_DEPTH) throw new RangeError("nested too deeply");
  if (LARGE.test(text)) refuseInfinity(value);
  return value;
}

/** A number of JSON can be larger than every number here; as one without end it would be written as null. */
function refuseInfinity(value: unknown): void {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("a number is too large");
  if (typeof value === "object" && value !== null) Object.values(value).forEach(refuseInfinity);
}

function depth(value: unknown): number {
  let levels = 0;
  let level = [value];
  while (level.length > 0) {
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? (Object.values(each) as unknown[]) : [],
    );
    levels += 1;
  }
  return levels;
}

/** Know the caller of each request, after its syntax was read and before its content is looked at. */
export function knowCallers(
  app: FastifyInstance,
  authenticate: (request: FastifyRequest) => Promise<Identity>,
  limiter: Limiter,
): void {
  app.decorateRequest("caller");
  app.addHook("preValidation", async (request, reply) => {
    if (request.routeOptions.schema?.querystring === undefined) {
      for (const [name] of request.query as Parameters) {
        throw invalidParameter(name, "there is no such parameter", "unknown_parameter");
      }
    }
    const place = networkOf(request.ip);
    const identity = await authenticate(request).catch((error: unknown) => {
      const isRefused = error instanceof Problem && error.status < 500;
      if (isRefused) void reply.headers(limiter.take(`refused ${place}`)); // guesses are counted as well
      throw error;
    });
    const caller = new Caller(identity, request.id);
    const { actor, tenantId } = caller;
    const who = actor === null ? place : `${tenantId ?? ""} ${actor}`;
    void reply.headers(limiter.take(`${caller.identity.kind} ${who}`));
    request.caller = caller;
  });
}

/** The versions that the caller will accept to change; null is any. Weak tags count: proxies make them. */
export function ifMatch(request: FastifyRequest): number[] | null {
  const header = (request.headers["if-match"] ?? "").trim();
  if (header === "" || header === "*") return null;
  return [...header.matchAll(/(?:W\/)?"(\d{1,15})"/g)].map((tag) => Number(tag[1]));
}

/** What a request is answered with. A text is sent as it is; anything else is what the schema of the route serializes. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object | string | undefined;
}

const PRIVATE = { "Cache-Control": "private, no-cache" };

export function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  const isJson = body !== undefined;
  return reply
    .code(status)
    .headers({ ...headers, ...(isJson ? { "Content-Type": "application/json; charset=utf-8" } : {}) })
    .send(body);
}

/** One row, with its ETag; 304 when the caller has it already. */
export function rowAnswer(request: FastifyRequest, row: Row, hidden: ReadonlySet<string>, status = 200): Answer {
  const etag = typeof row["version"] === "number" ? `"${row["version"]}"` : undefined;
  const known = [...(request.headers["if-none-match"] ?? "").matchAll(/"\d{1,15}"/g)].map(([tag]) => tag);
  const headers = {
    ...PRIVATE,
    ...(etag === undefined ? {} : { ETag: etag }),
    ...(status === 201 ? { Location: `${pathOf(request)}/${String(row["id"])}` } : {}),
  };
  const isKnown = ["GET", "HEAD"].includes(request.method) && etag !== undefined && known.includes(etag);
  return isKnown ? { status: 304, headers, body: undefined } : { status, headers, body: shown(row, hidden) };
}

/** One row with its relations. There is no ETag, since those have versions of their own. */
export function includedAnswer(row: Row | undefined): Answer {
  return { status: 200, headers: PRIVATE, body: row };
}

/** The rows in the order of the items of a batch. */
export function rowsAnswer(rows: readonly Row[], hidden: ReadonlySet<string>, status = 200): Answer {
  return { status, headers: PRIVATE, body: { data: rows.map((row) => shown(row, hidden)) } };
}

/** A page of rows, with a link to the next. `rows` are what is shown of them. */
export function pageAnswer(request: FastifyRequest, page: Page<Row>, rows: readonly Row[]): Answer {
  const headers: Record<string, string> = { ...PRIVATE };
  if (page.nextCursor !== null) {
    const kept = parseQuery(request.url.slice(pathOf(request).length)).filter(
      ([name]) => name !== "cursor" && name !== "offset",
    );
    const query = new URLSearchParams([...kept, ["cursor", page.nextCursor]]);
    headers["Link"] = `<${pathOf(request)}?${query.toString()}>; rel="next"`;
  }
  const info = { limit: page.limit, has_more: page.nextCursor !== null, next_cursor: page.nextCursor };
  return {
    status: 200,
    headers,
    body: { data: rows, page: page.total === null ? info : { ...info, total: page.total } },
  };
}

/** The row without what its caller may not see. */
export function shown(row: Row, hidden: ReadonlySet<string>): Row {
  return hidden.size === 0 ? row : Object.fromEntries(Object.entries(row).filter(([name]) => !hidden.has(name)));
}

/** From here on, routes that are there already stay as they are. */
export function yieldToOthers(app: FastifyInstance): void {
  for (const method of ["get", "post", "put", "patch", "delete"] as const) {
    const register = app[method].bind(app) as (url: string, ...rest: unknown[]) => FastifyInstance;
    Object.defineProperty(app, method, {
      value: (url: string, ...rest: unknown[]) =>
        app.hasRoute({ method: method.toUpperCase(), url: app.prefix + url }) ? app : register(url, ...rest),
    });
  }
}
