/**
 * The code serves what openapi.json promises, and nothing beside it. The answers themselves are held against the
 * document by the callers of world.ts, in every test.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import Fastify from "fastify";

import { parseQuery } from "../src/core/validation.js";
import type { Feature } from "../src/core/web.js";
import { EXTRA } from "../src/extra.js";
import { FEATURES } from "../src/features.js";
import { app } from "./service.js";
import { OPENAPI } from "./world.js";

/** The methods and paths of features. */
async function served(features: readonly Feature[]): Promise<string[]> {
  const found: string[] = [];
  const routes = Fastify({ routerOptions: { querystringParser: (query) => parseQuery(query) as never }, exposeHeadRoutes: false });
  routes.addHook("onRoute", ({ method, url }) => {
    found.push(...[method].flat().map((each) => `${each} ${url.replaceAll(/:(\w+)/g, "{$1}")}`));
  });
  for (const feature of features) await routes.register(feature, { db: app.db, prefix: "/v1" });
  return found;
}

test("every operation is served, and every route of a resource is promised", async () => {
  const resources = await served(FEATURES);
  const own = await served(EXTRA);
  const promised = Object.entries(OPENAPI.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );

  assert.deepEqual(resources.filter((each) => !promised.includes(each)), []);
  assert.deepEqual(promised.filter((each) => !resources.includes(each) && !own.includes(each)), []);
});

test("every operation asks for a token unless it is public", async () => {
  for (const [path, operations] of Object.entries(OPENAPI.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (operation.security?.some((each) => Object.keys(each).length === 0) === true) continue;
      const answer = await app.server.inject({
        method: method.toUpperCase() as "GET",
        url: path.replaceAll(/\{\w+\}/g, "01930000-0000-7000-8000-000000000000"),
        headers: { authorization: "Bearer x.y.z" },
      });
      assert.equal(answer.statusCode, 401, `${method} ${path}`);
      assert.match(String(answer.headers["www-authenticate"]), /^Bearer/);
    }
  }
});

test("methods and addresses that there are none of are refused in the same shape", async () => {
  const [path = ""] = Object.keys(OPENAPI.paths);
  const method = await app.server.inject({ method: "PUT", url: path });
  const address = await app.server.inject({ method: "GET", url: "/no/such/address" });

  assert.deepEqual([method.statusCode, method.json<{ code: string }>().code], [405, "method_not_allowed"]);
  assert.equal(method.headers["allow"], "GET, HEAD, POST");
  assert.deepEqual([address.statusCode, address.json<{ code: string }>().code], [404, "not_found"]);
});
