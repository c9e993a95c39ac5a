/** The changing parts of a statement: conditions and assignments with their bound values. */
import type { Caller } from "./access.js";
import type { Encoder } from "./codecs.js";
import { ME, TENANT, type Condition } from "./rules.js";

/** What the API calls a field, and its column as SQL spells it. */
export type Columns = Readonly<Record<string, string>>;

const SIGNS: Readonly<Record<string, string>> = {
  "": "=",
  eq: "=",
  ne: "<>",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
};

/** The columns, each under the name that the API gives it. */
export function selectList(columns: Columns): string {
  return Object.entries(columns)
    .map(([name, column]) => (column === name || column === `"${name}"` ? column : `${column} as "${name}"`))
    .join(", ");
}

/** Collects conditions and values. Only names that this service wrote become part of the SQL text. */
export class Statement {
  readonly values: unknown[] = [];
  readonly #conditions: string[] = [];

  /** Keep the value, and answer with its placeholder. */
  bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  where(condition: string): void {
    this.#conditions.push(condition);
  }

  get conditions(): string {
    return this.#conditions.join(" and ") || "true";
  }

  /** Only the rows on which the caller has the permission, or for which `unless` holds. */
  allow(caller: Caller, permission: string, unless = "false"): void {
    const grants = caller.grants(permission);
    if (grants.some((grant) => grant.length === 0)) return;
    const ways = grants.map((grant) => grant.map((condition) => this.#rule(caller, condition)).join(" and "));
    this.where(`(${[...ways, unless].join(" or ")})`);
  }

  #rule(caller: Caller, condition: Condition): string {
    if ("link" in condition) {
      const { link, rowColumn, userColumn } = condition;
      return `id in (select ${rowColumn} from ${link} where ${userColumn} = ${this.bind(caller.id)})`;
    }
    const values = condition.values.map((value) =>
      this.bind(value === ME ? caller.id : value === TENANT ? caller.tenantId : value),
    );
    return `${condition.column} in (${values.join(", ")})`;
  }

  /** Only the row whose version the caller has seen, if it said which. */
  version(versions: readonly number[] | null): void {
    if (versions !== null) this.where(`version = any(${this.bind(versions)}::bigint[])`);
  }

  /** Only the rows that have the words of a web search, if there is one. */
  search(column: string, text: string | undefined): void {
    if (text !== undefined) this.where(`${column} @@ websearch_to_tsquery('simple', ${this.bind(text)})`);
  }

  /** Conditions from query parameters such as `budget.gte`. */
  filter(columns: Columns, filters: Iterable<readonly [parameter: string, value: unknown]>): void {
    for (const [parameter, value] of filters) {
      const [name = "", operator = ""] = parameter.split(".");
      this.where(this.#comparison(columns[name] ?? "", operator, value));
    }
  }

  #comparison(column: string, operator: string, value: unknown): string {
    if (operator === "is_null") return `${column} is ${value === true ? "" : "not "}null`;
    if (operator === "in") return `${column} = any(${this.bind(value)})`;
    if (operator === "contains") return `${column} ilike ${this.bind(`%${escapeLike(String(value))}%`)}`;
    if (operator === "starts_with") return `${column} ilike ${this.bind(`${escapeLike(String(value))}%`)}`;
    return `${column} ${SIGNS[operator] ?? "="} ${this.bind(value)}`;
  }

  /** Of each value whether the row has it already, as an array. */
  kept(columns: Columns, values: Iterable<readonly [name: string, value: unknown]>): string {
    const kept = [...values].map(([name, value]) => `${columns[name] ?? ""} is not distinct from ${this.bind(value)}`);
    return `array[${kept.join(", ")}]`;
  }

  /** `name = $1, budget = $2, `: with a comma at the end, since `version` and its like follow. Keys of links are none. */
  assignments(columns: Columns, values: object, encoders: Readonly<Record<string, Encoder>> = {}): string {
    return Object.entries(encoded(values, encoders))
      .filter(([name]) => Object.hasOwn(columns, name))
      .map(([name, value]) => `${columns[name] ?? ""} = ${this.bind(value)}, `)
      .join("");
  }
}

/** The values as the database takes them; null and what is absent stay so. */
export function encoded<T extends object>(values: T, encoders: Readonly<Record<string, Encoder>>): T {
  const found = { ...values } as Record<string, unknown>;
  for (const [name, encode] of Object.entries(encoders)) {
    const value = found[name] ?? null;
    if (value !== null) found[name] = encode(value as never);
  }
  return found as T;
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}

/** All entries but some. */
export function omit<T extends object, K extends keyof T & string>(entries: T, ...names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => !names.includes(name as K))) as Omit<T, K>;
}

/** The value as the database takes it; null stays null. */
export function orNull<T>(encode: (value: T) => unknown, value: T | null): unknown {
  return value === null ? null : encode(value);
}
