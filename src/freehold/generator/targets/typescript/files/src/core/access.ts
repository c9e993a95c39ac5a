/** Who calls, and which rows the caller's roles reach. The rules themselves are in src/permissions.ts. */
import { NO_TENANT, OUTSIDE_TENANTS, PERMISSIONS, READABLE_BY, WRITABLE_BY, type TenantId, type UserId } from "../permissions.js";
import { forbidden, Problem } from "./errors.js";
import type { Grant } from "./rules.js";

/** What a credential says about its holder. */
export interface Identity {
  readonly kind: "anonymous" | "user" | "service" | "api_key";
  readonly id: UserId | null;
  readonly tenantId: TenantId | null;
  readonly roles: ReadonlySet<string>;
  readonly keyId: string | null;
  /** The permissions that an API key is limited to; none is no limit. */
  readonly scopes: ReadonlySet<string>;
}

export const ANONYMOUS: Identity = {
  kind: "anonymous",
  id: null,
  tenantId: null,
  roles: new Set(["public"]),
  keyId: null,
  scopes: new Set(),
};

/** The caller of one request, built once and handed to whatever needs it. */
export class Caller {
  constructor(
    readonly identity: Identity,
    readonly requestId: string,
  ) {}

  get id(): UserId | null {
    return this.identity.id;
  }

  get tenantId(): TenantId | null {
    return this.identity.tenantId;
  }

  /** Who this is in created_by, in the audit log and in limits; null where nobody in particular is known. */
  get actor(): string | number | null {
    return this.id ?? this.identity.keyId;
  }

  /** The ways in which the caller's roles give the permission; none is a refusal. */
  grants(permission: string): Grant[] {
    if (this.identity.scopes.size > 0 && !this.identity.scopes.has(permission)) return [];
    return [...this.identity.roles].sort().flatMap((role) => own(own(PERMISSIONS, role) ?? {}, permission) ?? []);
  }

  /** Refuse the caller whose roles never give the permission, whatever the row. */
  require(permission: string): void {
    if (this.grants(permission).length > 0) return;
    // Who is in no tenant has no role in it.
    if (!OUTSIDE_TENANTS.some((each) => permission.startsWith(each))) this.requireTenant();
    throw this.identity.kind === "anonymous" ? unauthenticated("A bearer token is needed.") : forbidden();
  }

  requireTenant(): TenantId {
    if (this.tenantId !== null) return this.tenantId;
    if (this.identity.kind === "anonymous") throw unauthenticated("A bearer token is needed.");
    throw new Problem(403, "no_tenant", NO_TENANT);
  }

  /** The fields of the entity that the caller may not see, filter by or sort by. */
  hidden(entity: string): ReadonlySet<string> {
    return new Set(Object.entries(own(READABLE_BY, entity) ?? {}).flatMap(([name, roles]) => (this.#any(roles) ? [] : name)));
  }

  checkWritable(entity: string, body: object): void {
    const rules = own(WRITABLE_BY, entity) ?? {};
    const refused = Object.keys(body).filter((name) => !this.#any(own(rules, name) ?? [...this.identity.roles]));
    if (refused.length === 0) return;
    const errors = refused.map((name) => ({
      pointer: `/${name}`,
      code: "forbidden_field",
      message: "your role may not set it",
    }));
    throw new Problem(403, "forbidden_field", "Your role may not set every field you sent.", errors);
  }

  #any(roles: readonly string[]): boolean {
    return roles.some((role) => this.identity.roles.has(role));
  }
}

export function unauthenticated(detail: string, error = "invalid_token", cause?: unknown): Problem {
  return new Problem(401, "unauthenticated", detail, [], { "WWW-Authenticate": `Bearer error="${error}"` }, { cause });
}

/** The entry of a table; what every object inherits, such as `constructor`, is none. */
function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
