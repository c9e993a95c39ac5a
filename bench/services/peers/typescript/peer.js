/** Customers by hand: Fastify and pg, as one would write them for these tables and no others. */
import { randomUUID } from "node:crypto";

import Fastify from "fastify";
import { jwtVerify } from "jose";
import pg from "pg";

const secret = new TextEncoder().encode(process.env.AUTH_DEV_SECRET);
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 10,
  options: "-c role=app_api -c timezone=UTC",
});
const COLUMNS = "id, name, email, status, city, revenue, created_at, updated_at, version";

const nullable = (schema) => ({ anyOf: [schema, { type: "null" }] });
const string = { type: "string" };
const customer = {
  type: "object",
  properties: {
    id: string,
    name: string,
    email: string,
    status: string,
    city: nullable(string),
    revenue: nullable(string),
    created_at: { type: "string", format: "date-time" },
    updated_at: { type: "string", format: "date-time" },
    version: { type: "integer" },
  },
};
const page = {
  type: "object",
  properties: {
    data: { type: "array", items: customer },
    page: { type: "object", properties: { limit: { type: "integer" }, has_more: { type: "boolean" } } },
  },
};
const body = {
  type: "object",
  required: ["name", "email"],
  additionalProperties: false,
  properties: {
    name: { type: "string", maxLength: 120 },
    email: { type: "string", maxLength: 320, pattern: "^[^@\\s]+@[^@\\s]+$" },
    status: { type: "string", enum: ["lead", "active", "former"], default: "lead" },
    city: { type: ["string", "null"], maxLength: 80 },
    revenue: { type: ["string", "null"], pattern: "^-?[0-9]{1,10}(\\.[0-9]{1,2})?$" },
  },
};
const params = { type: "object", properties: { id: { type: "string", format: "uuid" } } };
const querystring = { type: "object", properties: { limit: { type: "integer", minimum: 1, maximum: 100, default: 25 } } };

const app = Fastify({ logger: false });
app.decorateRequest("tenant", "");

/** The tenant of the caller, who has to be an admin. */
app.addHook("onRequest", async (request, reply) => {
  const [scheme, token] = (request.headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer") return reply.code(401).send({ error: "unauthenticated" });
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"], issuer: "dev", requiredClaims: ["exp"] });
    if (!payload.roles.includes("admin")) return reply.code(403).send({ error: "forbidden" });
    request.tenant = payload.tenant_id;
  } catch {
    return reply.code(401).send({ error: "unauthenticated" });
  }
});

/** A transaction in which row-level security knows the tenant. */
async function transaction(tenant, work) {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select set_config('app.tenant_id', $1, true)", [tenant]);
    const found = await work(client);
    await client.query("commit");
    return found;
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

app.get("/v1/customers/:id", { schema: { params, response: { 200: customer } } }, async (request, reply) => {
  const sql = `select ${COLUMNS} from customer where tenant_id = $1 and id = $2`;
  const { rows } = await transaction(request.tenant, (db) => db.query(sql, [request.tenant, request.params.id]));
  return rows[0] ?? reply.code(404).send({ error: "not_found" });
});

app.get("/v1/customers", { schema: { querystring, response: { 200: page } } }, async (request) => {
  const { limit } = request.query;
  const sql = `select ${COLUMNS} from customer where tenant_id = $1 order by id limit $2`;
  const { rows } = await transaction(request.tenant, (db) => db.query(sql, [request.tenant, limit + 1]));
  return { data: rows.slice(0, limit), page: { limit, has_more: rows.length > limit } };
});

app.post("/v1/customers", { schema: { body, response: { 201: customer } } }, async (request, reply) => {
  const { name, email, status, city = null, revenue = null } = request.body;
  const sql =
    `insert into customer (tenant_id, id, name, email, status, city, revenue)` +
    ` values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`;
  const values = [request.tenant, randomUUID(), name, email, status, city, revenue];
  const { rows } = await transaction(request.tenant, (db) => db.query(sql, values));
  return reply.code(201).send(rows[0]);
});

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
