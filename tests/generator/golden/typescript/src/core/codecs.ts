/** Between PostgreSQL's texts and the values of this API: what a row holds is what the caller gets. */
import { isIPv6 } from "node:net";

import pg from "pg";
import { parse as parseArray } from "postgres-array";

export type Point = readonly [number, number];

type Parser = (text: string) => unknown;

const NUMBER = /-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Infinity)|NaN/gi;

/** The type of a column (its oid) and that of an array of such, and how its text is read. */
const PARSERS: readonly (readonly [oid: number, array: number, parser: Parser])[] = [
  [16, 1000, (text) => text === "t"],
  [17, 1001, (text) => Buffer.from(text.slice(2), "hex").toString("base64")],
  [20, 1016, Number],
  [23, 1007, Number],
  [25, 1009, String],
  [600, 1017, (text) => points(text)[0]],
  [602, 1019, points],
  [604, 1027, points],
  [701, 1022, Number],
  [1082, 1182, String],
  [1083, 1183, clock],
  [1184, 1185, rfc3339],
  [1700, 1231, String],
  [2950, 2951, String],
  [3802, 3807, (text) => JSON.parse(text) as unknown],
];

const BY_OID = new Map<number, Parser>(
  PARSERS.flatMap(([oid, array, parser]) => [
    [oid, parser],
    [array, (text: string) => parseArray(text, parser)],
  ]),
);

/** For the connections of this service. Types that no column has are read as `pg` reads them. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid) => BY_OID.get(oid) ?? (pg.types.getTypeParser(oid) as Parser),
};

/** UTC with exactly three digits: what every language can keep. */
function rfc3339(text: string): string {
  const [date = "", time = ""] = text.split(" ");
  const [seconds = "", fraction = ""] = time.replace("+00", "").split(".");
  return `${date}T${seconds}.${fraction.padEnd(3, "0")}Z`;
}

function clock(text: string): string {
  const [seconds = "", fraction] = text.split(".");
  return fraction === undefined ? seconds : `${seconds}.${fraction.padEnd(6, "0")}`;
}

function points(text: string): Point[] {
  const numbers = (text.match(NUMBER) ?? []).map(Number);
  return numbers.flatMap((x, at) => (at % 2 === 0 ? [[x, numbers[at + 1] ?? 0] as const] : []));
}

/** How a value is written for the database, where `pg` would not do it rightly by itself. */
export type Encoder = (value: never) => unknown;

export function toJson(value: unknown): string {
  return JSON.stringify(value);
}

export function toBytes(value: string): Buffer {
  return Buffer.from(value, "base64");
}

/** The one spelling of an address: `2001:DB8:0::1` is `2001:db8::1`. */
export function toAddress(text: string): string {
  return isIPv6(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}

export function toPoint([x, y]: Point): string {
  return `(${x},${y})`;
}

export function toLine(line: readonly Point[]): string {
  return `[${line.map(toPoint).join(",")}]`;
}

/** The rings of a polygon, the outer one first. */
export function toRings(rings: readonly (readonly Point[])[]): string[] {
  return rings.map((ring) => `(${ring.map(toPoint).join(",")})`);
}

/** The same for each value of an array. */
export function each<T>(encode: (value: T) => unknown): (values: readonly T[]) => unknown[] {
  return (values) => values.map(encode);
}
