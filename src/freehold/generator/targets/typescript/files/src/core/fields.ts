/** The types of fields on the wire: each is a schema that validates and serializes, and a type of TypeScript. */
import { Type, type Static, type TProperties, type TSchema, type TStringOptions } from "typebox";

import type { Point as PointValue } from "./codecs.js";

export const MAX_TEXT = 1_000_000;
export const MAX_ITEMS = 1000;

/** A text with bounds of its own. `storable` refuses what PostgreSQL cannot keep. */
export function text(bounds: TStringOptions = {}) {
  return Type.String({ maxLength: MAX_TEXT, format: "storable", ...bounds });
}

export const Text = text();
export const TextId = text({ minLength: 1, maxLength: 255 });
export const Uuid = Type.String({ format: "uuid" });
export const Email = text({ maxLength: 320, pattern: "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$" });
export const Url = text({ maxLength: 2048, pattern: "^[A-Za-z][A-Za-z0-9+.-]*://[^\\s]+$" });
export const Ip = Type.String({ format: "ip" });
export const Int32 = Type.Integer({ minimum: -(2 ** 31), maximum: 2 ** 31 - 1 });
export const Int53 = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
export const Float = Type.Number();
export const Bool = Type.Boolean();
export const DateOnly = Type.String({ format: "date" });
export const Time = Type.String({ format: "clock" });
export const Timestamp = Type.String({ format: "date-time" });
export const Bytes = Type.String({ format: "base64" });
export const Point = Type.Unsafe<PointValue>({
  type: "array",
  items: { type: "number" },
  minItems: 2,
  maxItems: 2,
});
export const Line = Type.Unsafe<PointValue[]>({ type: "array", items: Point, minItems: 2, maxItems: 10_000 });
export const Polygon = Type.Unsafe<PointValue[][]>({
  type: "array",
  items: { type: "array", items: Point, minItems: 4, maxItems: 10_000 },
  minItems: 1,
  maxItems: 100,
});

/** What a text should contain, or begin with. */
export const Search = text({ minLength: 1 });

/** The ids of rows to link. */
export function links<T extends TSchema>(id: T) {
  return Type.Array(id, { maxItems: 1000 });
}

/** The items of a batch. */
export function items<T extends TSchema>(item: T) {
  return Type.Array(item, { minItems: 1, maxItems: 500 });
}

/** Rows that `include` adds to a row: they are shown as they come. */
export const Related = Type.Unsafe<unknown>({});

/** An object or an array, whatever is in it. */
export const Json = Type.Unsafe<object>({ type: ["object", "array"] });

/** The same as it is shown. The serializer would leave out what a schema does not name. */
export const AnyJson = Type.Unsafe<object>({});

interface Bounds {
  readonly minimum?: number;
  readonly maximum?: number;
}

export function int32(bounds: Bounds) {
  return Type.Integer({ ...Int32, ...bounds });
}

export function int53(bounds: Bounds) {
  return Type.Integer({ ...Int53, ...bounds });
}

export function float(bounds: Bounds) {
  return Type.Number({ ...bounds });
}

/** Digits as a string, since a number of JSON would lose some. */
export function decimal(precision: number, scale: number, bounds: { least?: string; most?: string } = {}) {
  const fraction = scale > 0 ? `(\\.[0-9]{1,${scale}})?` : "";
  return Type.String({ pattern: `^-?[0-9]{1,${Math.max(precision - scale, 1)}}${fraction}$`, ...bounds });
}

export function oneOf<const T extends readonly string[]>(...values: T) {
  return Type.Unsafe<T[number]>({ type: "string", enum: values });
}

export function list<T extends TSchema>(items: T) {
  return Type.Array(items, { maxItems: MAX_ITEMS });
}

export function nullable<T extends TSchema>(schema: T) {
  const { type, enum: values, ...rest } = schema as { type?: string | string[]; enum?: unknown[] };
  return Type.Unsafe<Static<T> | null>({
    ...rest,
    ...(type === undefined ? {} : { type: [type, "null"].flat() }),
    ...(values === undefined ? {} : { enum: [...values, null] }),
  });
}

/** What a caller sends. A key that is not a field is refused. */
export function body<T extends TProperties>(fields: T) {
  return Type.Object(fields, { additionalProperties: false });
}

/** The values of a filter such as `status.in`: the parameter repeated, or with `commas` also in one. */
export function many<T extends TSchema>(items: T, options: { commas?: boolean } = {}) {
  return Type.Array(items, { maxItems: 100, ...options });
}

/** What is shown. */
export function view<T extends TProperties>(fields: T) {
  return Type.Object(fields);
}

/** Rows in the order of the items of a batch. */
export function rows<T extends TSchema>(row: T) {
  return Type.Object({ data: Type.Array(row) });
}

/** A field that may be absent. */
export function optional<T extends TSchema>(schema: T) {
  return Type.Optional(schema);
}

/** The type of the values that a schema takes. */
export type Infer<T extends TSchema> = Static<T>;
