/**
 * Who may do what: role, permission, and the rows that it reaches. Inheritance is resolved already.
 *
 * A permission that is not in the table of a role is refused. `public` is everybody, `authenticated` is everybody
 * with a valid token, `service` is a machine.
 */
import { asUuid } from "./core/ids.js";
import { EVERY_ROW, is, ME, type Grant } from "./core/rules.js";

export type TenantId = string;
export type UserId = string;
export const asTenantId = asUuid;
export const asUserId = asUuid;
export const NO_TENANT = "Your credential names no tenant.";
/** How the permissions begin that need no tenant. */
export const OUTSIDE_TENANTS: readonly string[] = ["organization:create"];

export const ROLES: readonly string[] = ["owner", "admin", "member", "viewer"];

export const PERMISSIONS: Readonly<Record<string, Readonly<Record<string, readonly Grant[]>>>> = {
  owner: {
    "organization:read": EVERY_ROW,
    "organization:update": EVERY_ROW,
    "project:read": EVERY_ROW,
    "project:create": EVERY_ROW,
    "project:update": EVERY_ROW,
    "project:delete": EVERY_ROW,
    "project:read_deleted": EVERY_ROW,
    "project:restore": EVERY_ROW,
    "person:read": EVERY_ROW,
    "person:create": EVERY_ROW,
    "person:update": EVERY_ROW,
    "person:delete": EVERY_ROW,
    "audit_entry:read": EVERY_ROW,
  },
  admin: {
    "organization:read": EVERY_ROW,
    "project:read": EVERY_ROW,
    "project:create": EVERY_ROW,
    "project:update": EVERY_ROW,
    "project:delete": EVERY_ROW,
    "project:read_deleted": EVERY_ROW,
    "project:restore": EVERY_ROW,
    "person:read": EVERY_ROW,
    "person:create": EVERY_ROW,
    "person:update": EVERY_ROW,
    "person:delete": EVERY_ROW,
    "audit_entry:read": EVERY_ROW,
  },
  member: {
    "organization:read": EVERY_ROW,
    "project:read": EVERY_ROW,
    "project:create": EVERY_ROW,
    "project:update": [[is("owner_id", ME)]],
    "person:read": EVERY_ROW,
  },
  viewer: {
    "organization:read": EVERY_ROW,
    "project:read": EVERY_ROW,
    "person:read": EVERY_ROW,
  },
};

type FieldRules = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Fields that only some roles see. */
export const READABLE_BY: FieldRules = {
  project: {
    budget: ["owner", "admin"],
  },
};

/** Fields that only some roles set. */
export const WRITABLE_BY: FieldRules = {
  project: {
    budget: ["owner", "admin"],
  },
};
