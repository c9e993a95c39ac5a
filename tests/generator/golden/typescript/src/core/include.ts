/**
 * Relations: the rows that belong to the rows of an answer, and the links that a body sets.
 *
 * `src/relations.ts` is written in what stands here.
 */
import type { Caller } from "./access.js";
import type { Row, Tx } from "./db.js";
import { invalidParameter, notFound, unknownReference } from "./errors.js";
import { asUuid } from "./ids.js";
import { Statement } from "./sql.js";

/** The rows that one relation may reach in one answer. */
export const MAX_INCLUDED = 2000;

type Key = string | number;

/** A table of links: the columns of both ends, and the one of the tenant, if it has one. */
export interface Link {
  readonly table: string;
  readonly here: string;
  readonly there: string;
  readonly tenant?: string;
}

/** Finds the rows that the keys lead to, each with its `_key`. */
type Load = (tx: Tx, relation: Relation, keys: readonly Key[]) => Promise<Row[]>;

/** How to get from rows to the rows that belong to them. */
export interface Relation {
  /** At the other end. */
  readonly entity: string;
  readonly many: boolean;
  /** The field of a row that is looked up. */
  readonly key: string;
  /** The column that is compared with the keys; of links, the id of the other end. */
  readonly column: string;
  /** Entity and field: only who may read it may follow the relation. */
  readonly guard: Guard;
  readonly load: Load;
  readonly link?: Link;
  /** When what a body refers to is looked up: unless the caller may read every row at the other end, or always. */
  readonly lookup?: "unless_all" | "always";
  /** Whether rows that are deleted softly are reached. */
  readonly deleted?: "include";
}

type Guard = readonly [entity: string, field: string];

/** To at most one row, whose column is what the field `key` holds. */
export function one(
  entity: string,
  load: Load,
  key: string,
  column: string,
  guard: Guard,
  lookup?: Relation["lookup"],
): Relation {
  return { entity, many: false, key, column, guard, load, ...(lookup === undefined ? {} : { lookup }) };
}

/** To any number of rows, perhaps over a table of links. */
export function many(entity: string, load: Load, key: string, column: string, guard: Guard, link?: Link): Relation {
  return { entity, many: true, key, column, guard, load, ...(link === undefined ? {} : { link }) };
}

export type Relations = ReadonlyMap<string, ReadonlyMap<string, Relation>>;

/** The relations of each entity, by name. */
export function relations(told: Readonly<Record<string, Readonly<Record<string, Relation>>>>): Relations {
  return new Map(Object.entries(told).map(([entity, named]) => [entity, new Map(Object.entries(named))]));
}

export type Tree = Map<string, { readonly relation: Relation; readonly below: Tree }>;

/** The paths as a tree of relations. A relation that the caller may not follow is refused. */
export function tree(caller: Caller, relations: Relations, entity: string, paths: readonly string[] = []): Tree {
  const found = emptyTree();
  for (const path of paths) {
    let [at, branch] = [entity, found];
    const parts = path.split(".");
    for (const name of parts) {
      const relation = relations.get(at)?.get(name);
      if (relation === undefined || parts.length > 2) {
        throw invalidParameter("include", `there is no relation ${JSON.stringify(path.slice(0, 100))}`);
      }
      const [guarded, field] = relation.guard;
      if (caller.hidden(guarded).has(field)) throw invalidParameter("include", `your role may not include ${path}`);
      caller.require(`${relation.entity}:read`);
      const below = branch.get(name)?.below ?? emptyTree();
      branch.set(name, { relation, below });
      [at, branch] = [relation.entity, below];
    }
  }
  return found;
}

function emptyTree(): Tree {
  return new Map();
}

/** The rows as the caller may see them, with the rows that belong to them: one statement for each relation. */
export async function included(tx: Tx, entity: string, rows: readonly Row[], wanted: Tree): Promise<Row[]> {
  const hidden = tx.caller.hidden(entity);
  const shown = rows.map((row): Row =>
    Object.fromEntries(Object.entries(row).filter(([name]) => name !== "_key" && !hidden.has(name))),
  );
  for (const [name, { relation, below }] of wanted) {
    const keys = rows.map((row) => (row[relation.key] ?? null) as Key | null);
    const sought = [...new Set(keys)].filter((key) => key !== null);
    const found = sought.length > 0 ? await relation.load(tx, relation, sought) : [];
    if (found.length > MAX_INCLUDED) {
      throw invalidParameter(
        "include",
        `${name} reaches more than ${MAX_INCLUDED} rows; ask for fewer rows with limit`,
      );
    }
    const views = await included(tx, relation.entity, found, below);
    const byKey = new Map<unknown, Row[]>();
    for (const [at, view] of views.entries()) {
      const key = found[at]?.["_key"];
      const others = byKey.get(key);
      if (others === undefined) byKey.set(key, [view]);
      else others.push(view);
    }
    for (const [at, row] of shown.entries()) {
      const values = byKey.get(keys[at]) ?? [];
      row[name] = relation.many ? values : (values[0] ?? null);
    }
  }
  return shown;
}

/** References that a body sends: the fields, and the ids of what they refer to. */
export type References = ReadonlyMap<string, Key>;

/** Of the references that a body sends, those to rows that the caller may not see, if there are such rows at all. */
export async function unknownReferences(
  tx: Tx,
  relations: ReadonlyMap<string, Relation> | undefined,
  sent: object,
): Promise<References> {
  const found = new Map<string, Key>();
  for (const relation of relations?.values() ?? []) {
    const id = relation.lookup === undefined ? null : (((sent as Row)[relation.key] ?? null) as Key | null);
    if (id === null) continue;
    if (
      relation.lookup === "unless_all" &&
      tx.caller.grants(`${relation.entity}:read`).some((grant) => grant.length === 0)
    )
      continue;
    if ((await visibleOf(tx, { ...relation, deleted: "include" }, [id])).size === 0) found.set(relation.key, id);
  }
  return found;
}

/** Refuse a new row that refers to what the caller may not see, as if it was not there. */
export function checkReferences(unknown: References): void {
  for (const field of unknown.keys()) throw unknownReference(`/${field}`);
}

/** Link the row with exactly these, all of which the caller has to be able to see. */
export async function setLinks(
  tx: Tx,
  relation: Relation,
  pointer: string,
  id: Key,
  ids: readonly Key[],
): Promise<void> {
  const others = ids.map((each) => asUuid(each) ?? each);
  const visible = await visibleOf(tx, relation, others);
  const unknown = others.findIndex((each) => !visible.has(each));
  if (unknown >= 0) {
    throw unknownReference(`${pointer}/${unknown}`);
  }
  const link = linkOf(relation);
  const statement = ofRow(tx, link, id);
  statement.where(`${link.there} <> all(${statement.bind(others)})`);
  await tx.execute(`delete from ${link.table} where ${statement.conditions}`, statement.values);
  await add(tx, link, id, new Set(others));
}

/** Link two rows; they may be linked already. */
export async function link(tx: Tx, relation: Relation, id: Key, other: Key): Promise<void> {
  if ((await visibleOf(tx, relation, [other])).size === 0) throw notFound();
  await add(tx, linkOf(relation), id, [other]);
}

/** Take the link between two rows away, if there is one. */
export async function unlink(tx: Tx, relation: Relation, id: Key, other: Key): Promise<void> {
  if ((await visibleOf(tx, relation, [other])).size === 0) throw notFound();
  const link = linkOf(relation);
  const statement = ofRow(tx, link, id);
  statement.where(`${link.there} = ${statement.bind(other)}`);
  await tx.execute(`delete from ${link.table} where ${statement.conditions}`, statement.values);
}

/** Those of the ids whose rows the caller may see. */
async function visibleOf(tx: Tx, linked: Relation, ids: readonly Key[]): Promise<Set<unknown>> {
  if (ids.length === 0) return new Set();
  const relation: Relation = { ...linked };
  delete (relation as { link?: Link }).link;
  return new Set((await relation.load(tx, relation, ids)).map((row) => row["_key"]));
}

function linkOf(relation: Relation): Link {
  if (relation.link === undefined) throw new Error(`${relation.entity} is not linked over a table`);
  return relation.link;
}

function ofRow(tx: Tx, link: Link, id: Key): Statement {
  const statement = new Statement();
  if (link.tenant !== undefined) statement.where(`${link.tenant} = ${statement.bind(tx.caller.requireTenant())}`);
  statement.where(`${link.here} = ${statement.bind(id)}`);
  return statement;
}

async function add(tx: Tx, link: Link, id: Key, others: Iterable<Key>): Promise<void> {
  const columns = [link.here, link.there, ...(link.tenant === undefined ? [] : [link.tenant])];
  const tenant = link.tenant === undefined ? [] : [tx.caller.requireTenant()];
  const places = columns.map((_, at) => `$${at + 1}`).join(", ");
  const insert = `insert into ${link.table} (${columns.join(", ")}) values (${places}) on conflict do nothing`;
  for (const other of others) await tx.execute(insert, [id, other, ...tenant]);
}
