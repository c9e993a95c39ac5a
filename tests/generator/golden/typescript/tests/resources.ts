/** What the tests know about each resource and each role, read from resources.json. */
import { readFileSync } from "node:fs";

import { made, type Recipe } from "./samples.js";

/** A link table, or a column and the values that it may hold; `me` and `tenant` are the caller's. */
export type Condition =
  | { readonly link: string }
  | { readonly column: string; readonly me: boolean; readonly tenant: boolean; readonly values: readonly unknown[] };

/** All conditions must hold of a row; an empty grant reaches every row. */
export type Grant = readonly Condition[];

/** What leads from rows of one resource to rows of another. */
export interface Relation {
  readonly target: string;
  readonly many: boolean;
  readonly guard: readonly [resource: string, field: string];
  /** The field of the row that is looked up: a reference, or its id. */
  readonly key: string;
  /** The key of a body that sets the links; empty when this side has no say in them. */
  readonly body: string;
  /** The table of links, and its columns; empty where there is none. */
  readonly link: string;
  readonly link_here: string;
  readonly link_there: string;
  readonly link_tenant: string;
}

type Roles = Readonly<Record<string, readonly string[]>>;

/** One resource of the API and its table. */
export interface Resource {
  readonly name: string;
  readonly path: string;
  readonly table: string;
  readonly tenant: "self" | "scoped" | "none";
  readonly tenant_column: string;
  readonly id_kind: "uuid" | "serial" | "text";
  readonly columns: Readonly<Record<string, string>>;
  readonly sample: Readonly<Record<string, Recipe>>;
  /** Field to the resource that it refers to. */
  readonly references: Readonly<Record<string, string>>;
  /** The references that cannot be null. */
  readonly required: readonly string[];
  /** The fields that hold points, lines and polygons. */
  readonly places: readonly string[];
  /** Query parameter to a value that it takes. */
  readonly filters: Readonly<Record<string, string>>;
  readonly sorts: readonly string[];
  readonly versioned: boolean;
  readonly soft_delete: boolean;
  /** Whether the service itself writes it, and nobody over HTTP. */
  readonly read_only: boolean;
  readonly relations: Readonly<Record<string, Relation>>;
  /** The field by which people know a row; empty when there is none. */
  readonly natural_key: string;
  /** Whether it is unique at all, and not in each tenant. */
  readonly natural_key_global: boolean;
  /** The fields that `q` looks into. */
  readonly search: readonly string[];
  /** One of them that takes any words; empty when none does. */
  readonly words: string;
  /** Whether its changes are in the audit log. */
  readonly audited: boolean;
  /** Fields that only some roles see, and fields that only some roles set. */
  readonly readable_by: Roles;
  readonly writable_by: Roles;
}

/** What is left out of resources.json is empty, or false. */
type Absent = Omit<
  Resource,
  "name" | "path" | "table" | "tenant" | "id_kind" | "columns" | "sample" | "filters" | "relations"
>;

const ABSENT: Absent = {
  tenant_column: "",
  references: {},
  required: [],
  places: [],
  sorts: [],
  versioned: false,
  soft_delete: false,
  read_only: false,
  natural_key: "",
  natural_key_global: false,
  search: [],
  words: "",
  audited: false,
  readable_by: {},
  writable_by: {},
};

type Linked = Pick<Relation, "body" | "link" | "link_here" | "link_there" | "link_tenant">;
type ToldRelation = Omit<Relation, keyof Linked> & Partial<Linked>;

const UNLINKED: Linked = { body: "", link: "", link_here: "", link_there: "", link_tenant: "" };

/** A resource as it is told: under a value, the filters that take it. */
type ToldResource = Omit<Resource, keyof Absent | "filters" | "relations"> &
  Partial<Absent> & {
    readonly filters?: Readonly<Record<string, readonly string[]>>;
    readonly relations?: Readonly<Record<string, ToldRelation>>;
  };

interface Told {
  readonly roles: readonly string[];
  readonly user: string | null;
  readonly tenant_tables: readonly string[];
  readonly scarce_keys: readonly string[];
  readonly permissions: Readonly<Record<string, Readonly<Record<string, readonly Grant[]>>>>;
  readonly resources: readonly ToldResource[];
}

const TOLD = JSON.parse(readFileSync(new URL("resources.json", import.meta.url), "utf8")) as Told;

export const ROLES = TOLD.roles;
export const EVERY_ROLE = ["public", "authenticated", ...ROLES, "service"];
export const PERMISSIONS = TOLD.permissions;
export const TENANT_TABLES = TOLD.tenant_tables;
/** Statements that take away the unique keys which allow fewer rows than the tests make, such as of a flag. */
export const SCARCE_KEYS = TOLD.scarce_keys;
export const RESOURCES = TOLD.resources.map((told): Resource => ({
  ...ABSENT,
  ...told,
  relations: Object.fromEntries(
    Object.entries(told.relations ?? {}).map(([name, relation]) => [name, { ...UNLINKED, ...relation }]),
  ),
  filters: Object.fromEntries(
    Object.entries(told.filters ?? {}).flatMap(([value, names]) => names.map((name) => [name, value])),
  ),
}));
export const SCOPED = RESOURCES.filter((resource) => resource.tenant === "scoped");
/** The resource that holds the tenants, and the one whose rows are the callers, if there are such. */
export const TENANT = RESOURCES.find((resource) => resource.tenant === "self");
export const USER = RESOURCES.find((resource) => resource.name === TOLD.user);

export function named(name: string): Resource {
  const found = RESOURCES.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`there is no resource ${name}`);
  return found;
}

/** A valid body, less its references: different each time where it must be. */
export function sample(resource: Resource): Record<string, unknown> {
  return Object.fromEntries(Object.entries(resource.sample).map(([name, recipe]) => [name, made(recipe)]));
}

/** The roles that a caller with a token for this one has. */
export function rolesOf(role: string): ReadonlySet<string> {
  return new Set(role === "public" ? ["public"] : [role, "public", "authenticated"]);
}

export function grantsOf(role: string, permission: string): Grant[] {
  return [...rolesOf(role)].flatMap((held) => PERMISSIONS[held]?.[permission] ?? []);
}

export function reachesEveryRow(role: string, permission: string): boolean {
  return grantsOf(role, permission).some((grant) => grant.length === 0);
}

/** The least role that has the permission on every row. */
export function roleWith(permission: string): string | undefined {
  const roles = [...ROLES.toReversed(), "service", "authenticated", "public"];
  return roles.find((role) => reachesEveryRow(role, permission));
}

/** The least role that has each of the permissions on every row. */
export function roleWithAll(...permissions: string[]): string | undefined {
  const roles = [...ROLES.toReversed(), "service", "authenticated", "public"];
  return roles.find((role) => permissions.every((permission) => reachesEveryRow(role, permission)));
}

/** For a test that needs a role with the permission on every row: why it has to be skipped, if so. */
export function without(...permissions: string[]): { skip: string | false } {
  const missing = permissions.find((permission) => roleWith(permission) === undefined);
  return { skip: missing === undefined ? false : `no role has ${missing} on every row` };
}

/** Whether the role may set the key of a body. */
export function mayWrite(resource: Resource, name: string, role: string): boolean {
  return isAmong(resource.writable_by, name, role);
}

function isAmong(roles: Roles, name: string, role: string): boolean {
  return roles[name]?.some((each) => rolesOf(role).has(each)) ?? true;
}

/** The fields that the role does not see. */
export function hidden(resource: Resource, role: string): string[] {
  return Object.keys(resource.readable_by).filter((name) => !isAmong(resource.readable_by, name, role));
}

/** A sample of the fields that the role may set. */
export function writable(resource: Resource, role: string): Record<string, unknown> {
  const fields = Object.entries(sample(resource));
  return Object.fromEntries(fields.filter(([name]) => isAmong(resource.writable_by, name, role)));
}
