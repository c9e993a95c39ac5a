/**
 * From an API key to the caller: the tenant, the roles and the scopes that the key was issued with.
 *
 * Keys are `ak_<dev or prod>_<id>_<secret>`. The table has a hash of the whole key, so that reading it lets nobody in.
 */
import { createHash, timingSafeEqual } from "node:crypto";

import { asTenantId, ROLES } from "../permissions.js";
import { ANONYMOUS, Caller, unauthenticated, type Identity } from "./access.js";
import type { Database } from "./db.js";
import type { Problem } from "./errors.js";

export const HEADER = "x-api-key";
const SPELLING = /^ak_(?:dev|prod)_([a-z0-9]{10})_[A-Za-z0-9]{32}$/;
const KNOWN: readonly string[] = [...ROLES, "service"];

interface Row {
  readonly hash: string;
  readonly tenant: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly is_seldom: boolean;
}

/** What is kept of a key. Its secret is random, so that nothing slower than a hash is needed. */
export function digest(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Whom the key names. It is read with every request: a key that is revoked is refused from then on. */
export async function identity(key: string, db: Database, requestId: string): Promise<Identity> {
  const [, id] = SPELLING.exec(key) ?? [];
  if (id === undefined) throw refused();
  const row = await db.tx(new Caller(ANONYMOUS, requestId), async (tx) => {
    const found = await tx.one<Row>(
      `
      select hash, tenant, roles, scopes,
             last_used_at is null or last_used_at < now() - interval '1 minute' as is_seldom
      from api_key
      where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())
      `,
      [id],
    );
    if (found === undefined || !timingSafeEqual(Buffer.from(found.hash), Buffer.from(digest(key)))) throw refused();
    if (found.is_seldom) {
      await tx.execute(
        `
        update api_key set last_used_at = now()
        where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')
        `,
        [id],
      );
    }
    return found;
  });
  return {
    kind: "api_key",
    id: null,
    tenantId: asTenantId(row.tenant),
    roles: new Set(["public", "authenticated", ...row.roles.filter((role) => KNOWN.includes(role))]),
    keyId: `ak_${id}`,
    scopes: new Set(row.scopes),
  };
}

function refused(): Problem {
  return unauthenticated("The API key is not valid, has expired, or was revoked.");
}
