/** Whether the process lives, whether it should get traffic, and its numbers. */
import type { FastifyInstance } from "fastify";
import { Gauge } from "prom-client";

import { versions } from "../migrate.js";
import type { Database } from "./db.js";
import { registry } from "./logs.js";

const pool = new Gauge({
  name: "db_pool_connections",
  help: "Connections to PostgreSQL.",
  labelNames: ["state"],
  registers: [registry],
});

/** What the process is up to: while it drains it answers, and asks for no more. */
export interface State {
  draining: boolean;
}

export function health(app: FastifyInstance, db: Database, state: State): void {
  // Says nothing about the database, so that a restart is not asked of it in vain.
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const faults = await faultsOf(db, state);
    return reply.code(faults.length > 0 ? 503 : 200).send({ status: faults.length > 0 ? "not ready" : "ok", faults });
  });
}

/** Ready for traffic: the database answers, its migrations are ours, and we are not about to stop. */
async function faultsOf(db: Database, state: State): Promise<string[]> {
  if (state.draining) return ["shutting down"];
  try {
    await db.ping();
    const applied = await db.appliedMigrations();
    const missing = versions().filter((version) => !applied.has(version));
    return missing.length > 0 ? [`migrations not applied: ${missing.join(", ")}`] : [];
  } catch {
    return ["the database does not answer"];
  }
}

export function metrics(app: FastifyInstance, db: Database): void {
  app.get("/metrics", async (_request, reply) => {
    pool.set({ state: "idle" }, db.poolSize.idle);
    pool.set({ state: "used" }, db.poolSize.used);
    return reply.type(registry.contentType).send(await registry.metrics());
  });
}
