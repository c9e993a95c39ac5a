/** Rate limits, traces and routes of the owner: what wraps every request. */
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";

import Fastify, { LogController } from "fastify";

import { ANONYMOUS } from "../src/core/access.js";
import { install, Problem } from "../src/core/errors.js";
import { Limiter, networkOf } from "../src/core/limits.js";
import { childLogger, install as installLog, logging, requestId, traceOf } from "../src/core/logs.js";
import { knowCallers, yieldToOthers } from "../src/core/web.js";

test("who asks too often is told when to come back, and nobody else is", () => {
  const limiter = new Limiter(3);
  const [first] = [limiter.take("jane"), limiter.take("jane"), limiter.take("jane")];

  assert.equal(first["RateLimit-Policy"], '"minute";q=3;w=60');
  assert.match(first["RateLimit"] ?? "", /^"minute";r=2;/);
  assert.throws(
    () => limiter.take("jane"),
    (error) => error instanceof Problem && error.status === 429 && Number(error.headers["Retry-After"]) <= 20,
  );
  assert.ok("RateLimit" in limiter.take("bob"));
});

for (const [address, place] of [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::7", "2001:db8:1:2"],
  ["2001:db8::1:2:3:4:5", "2001:db8:0:1"],
  ["fe80::1%lo", "fe80:0:0:0"],
  ["::1", "0:0:0:0"],
  ["a socket", "a socket"],
] as const) {
  test(`who has many addresses has one limit: ${address}`, () => {
    assert.equal(networkOf(address), place);
  });
}

for (const [who, status, authenticate] of [
  ["guesses are", 401, () => Promise.reject(new Problem(401, "unauthenticated", "The token is not valid."))],
  ["known callers are", 200, () => Promise.resolve(ANONYMOUS)],
] as const) {
  test(`${who} counted`, async () => {
    const server = Fastify();
    install(server);
    knowCallers(server, authenticate, new Limiter(3));
    server.get("/", { schema: { querystring: {} } }, () => "here");
    const statuses: number[] = [];
    for (let count = 0; count < 20; count += 1)
      statuses.push((await server.inject({ method: "GET", url: "/?" })).statusCode);

    assert.deepEqual(statuses.slice(0, 3), [status, status, status]);
    assert.deepEqual(new Set(statuses), new Set([status, 429]));
  });
}

test("there is no limit unless one is set", () => {
  const limiter = new Limiter(0);

  for (let count = 0; count < 100; count += 1) assert.deepEqual(limiter.take("jane"), {});
});

test("what nobody expected is an answer and a line of the log with the same id", async () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const server = Fastify({
    logger: { ...(logging("info") as object), stream },
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    requestIdHeader: false,
    genReqId: requestId,
    childLoggerFactory: childLogger,
  });
  install(server);
  installLog(server);
  server.get("/", () => {
    throw new Error("a mistake of ours");
  });
  const answer = await server.inject({ method: "GET", url: "/", headers: { "x-request-id": "a-request-of-mine" } });
  const told = lines.filter((line) => JSON.stringify(line).includes("a mistake of ours"));

  assert.equal(answer.statusCode, 500);
  assert.ok(!answer.body.includes("a mistake"));
  assert.equal(answer.headers["x-request-id"], "a-request-of-mine");
  assert.equal(answer.json<{ request_id: string }>().request_id, "a-request-of-mine");
  assert.deepEqual(
    told.map((line) => line["request_id"]),
    ["a-request-of-mine"],
  );
});

test("a trace goes on through the service, and a broken one begins anew", () => {
  const trace = (traceparent: string) => traceOf({ headers: { traceparent } } as unknown as IncomingMessage);
  const id = "0af7651916cd43dd8448eb211c80319c";
  const known = trace(`00-${id}-b7ad6b7169203331-01`);

  assert.equal(known.traceId, id);
  assert.match(known.traceparent, new RegExp(`^00-${id}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  assert.match(trace(`00-${"0".repeat(32)}-b7ad6b7169203331-01`).traceId, /^(?!0{32})[0-9a-f]{32}$/);
});

test("a route that is there already takes the place of another", async () => {
  const server = Fastify();
  await server.register(
    (v1, _options, done) => {
      v1.get("/projects/:id", () => "mine");
      yieldToOthers(v1);
      v1.get("/projects/:id", () => "generated");
      v1.delete("/projects/:id", () => "generated");
      done();
    },
    { prefix: "/v1" },
  );

  assert.equal((await server.inject({ method: "GET", url: "/v1/projects/1" })).body, "mine");
  assert.equal((await server.inject({ method: "DELETE", url: "/v1/projects/1" })).body, "generated");
});
