/**
 * Idempotency keys: a request that comes twice has one effect, and the same answer both times.
 *
 * The key is a row in the transaction of the write itself. A second request waits on it until the first has committed,
 * and a write that fails leaves no key behind.
 */
import { createHash, randomInt } from "node:crypto";

import type { FastifyReply, FastifyRequest } from "fastify";

import type { Tx } from "./db.js";
import { invalidParameter, pathOf, Problem } from "./errors.js";
import type { Answer } from "./web.js";

const HEADER = "Idempotency-Key";
const SWEEP_ONE_IN = 100;
const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u;

/** The answer of the work; of a request with a key that was here before, the answer that it got. */
export async function once(
  request: FastifyRequest,
  reply: FastifyReply,
  tx: Tx,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const key = request.headers["idempotency-key"];
  if (key === undefined) return work();
  if (typeof key !== "string" || !PRINTABLE.test(key)) throw invalidParameter(HEADER, "should have 1 to 255 characters");
  const { kind, tenantId } = tx.caller.identity;
  if (kind === "anonymous") throw invalidParameter(HEADER, "needs a credential, since a key belongs to its caller");
  const owner = [tenantId ?? "", `${kind}:${tx.actor ?? ""}`, key] as const;
  const digest = createHash("sha256")
    .update(`${request.method} ${pathOf(request)}\n`)
    .update(request.rawBody ?? "")
    .digest("hex");
  const claimed = await tx.one(
    `
    insert into idempotency_key (tenant, principal, key, request_hash)
    values ($1, $2, $3, $4)
    on conflict (tenant, principal, key) do update
    set request_hash = excluded.request_hash, created_at = now()
    where idempotency_key.created_at < now() - interval '24 hours'
    returning 1
    `,
    [...owner, digest],
  );
  if (claimed === undefined) return replayed(tx, owner, digest);
  const answer = await work();
  const body = answer.body === undefined ? "" : reply.code(answer.status).serialize(answer.body);
  await tx.execute(
    `
    update idempotency_key
    set status = $4, headers = $5, body = $6
    where tenant = $1 and principal = $2 and key = $3
    `,
    [...owner, answer.status, JSON.stringify(answer.headers), body],
  );
  if (randomInt(SWEEP_ONE_IN) === 0) await sweep(tx);
  return answer;
}

async function sweep(tx: Tx): Promise<void> {
  await tx.execute(
    `
    delete from idempotency_key
    where ctid in (
        select ctid from idempotency_key
        where created_at < now() - interval '24 hours'
        limit 1000
        for update skip locked
    )
    `,
  );
}

async function replayed(tx: Tx, owner: readonly unknown[], digest: string): Promise<Answer> {
  const row = await tx.one<{ request_hash: string; status: number; headers: Record<string, string>; body: string }>(
    `
    select request_hash, status, headers, body
    from idempotency_key
    where tenant = $1 and principal = $2 and key = $3
    `,
    owner,
  );
  if (row?.request_hash !== digest) {
    throw new Problem(422, "idempotency_key_reused", "The key was used for another request.");
  }
  const headers = { ...row.headers, "Idempotency-Replayed": "true" };
  return { status: row.status, headers, body: row.body === "" ? undefined : row.body };
}
