/** From schemas to checks: what a caller sent, or a refusal that names every field that is wrong. */
import { isIP } from "node:net";

import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { FastifySchema, FastifySchemaCompiler } from "fastify";

import { invalidParameter, Problem, type Fault } from "./errors.js";

const MAX_FAULTS = 50;

/** A schema with what the checks below read of it. */
interface JsonSchema {
  readonly type?: string;
  readonly items?: JsonSchema;
  readonly commas?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });

for (const [name, check] of Object.entries({
  storable: (value: string) => !value.includes("\0") && value.isWellFormed(),
  uuid: (value: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value),
  ip: (value: string) => isIP(value) !== 0 && !value.includes("%"), // a zone means something on one machine only
  date: isDate,
  clock: (value: string) => /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/.test(value),
  "date-time": isTimestamp,
  base64: (value: string) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value),
})) {
  ajv.addFormat(name, check);
}

// A text that is too long is not matched as well: some patterns take their time on long texts.
ajv.removeKeyword("pattern");
ajv.addKeyword({
  keyword: "pattern",
  type: "string",
  schemaType: "string",
  compile: (pattern: string, parent) => {
    const expression = new RegExp(pattern, "u");
    const longest = 2 * ((parent["maxLength"] as number | undefined) ?? 1000);
    return (value: string) => value.length > longest || expression.test(value);
  },
});

// The bounds of decimals, which are strings.
for (const [keyword, sign] of [
  ["least", 1],
  ["most", -1],
] as const) {
  ajv.addKeyword({
    keyword,
    type: "string",
    schemaType: "string",
    compile: (bound: string) => (value: string) => !isDecimal(value) || compare(value, bound) * sign >= 0,
  });
}

/** A check of one value, such as one from a cursor. */
export function checker(schema: object): ValidateFunction {
  return ajv.compile(schema);
}

/** For Fastify: each part of a request is checked by its schema. */
export const compile: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) => {
  const check = ajv.compile(schema as object);
  if (httpPart === "querystring") {
    return (pairs: Parameters) => {
      const query = readQuery(schema as JsonSchema, pairs);
      if (check(query)) return { value: query };
      return { error: refusedParameter(check.errors ?? []) };
    };
  }
  if (httpPart === "params") {
    return (parameters: Record<string, string>) => {
      const read = readQuery(schema as JsonSchema, Object.entries(parameters));
      return check(read) ? { value: read } : { error: refusedParameter(check.errors ?? []) };
    };
  }
  return (body: unknown) => (check(body) ? { value: body } : { error: refusedBody(check.errors ?? []) });
};

/** Name and value of each query parameter, in the order in which they were sent. */
export type Parameters = readonly [name: string, value: string][];

export function parseQuery(query: string): Parameters {
  return [...new URLSearchParams(query)];
}

/** The parameters as their schema types them. What is unknown, or there twice and means one thing, is refused. */
function readQuery(schema: JsonSchema, pairs: Parameters): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of pairs) {
    const known = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
    if (known === undefined) throw invalidParameter(name, "there is no such parameter", "unknown_parameter");
    if (known.items !== undefined) {
      const before = (found[name] ?? []) as unknown[];
      const parts = known.commas === true ? value.split(",") : [value];
      found[name] = [...before, ...parts.map((part) => typed(part, known.items?.type))];
    } else if (name in found) {
      throw invalidParameter(name, "given more than once");
    } else {
      found[name] = typed(value, known.type);
    }
  }
  return found;
}

/** The text as a number or a boolean, if it is one; otherwise it stays, and its schema refuses it. */
function typed(text: string, type: string | undefined): unknown {
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  if (type === "integer") return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
  if (type === "number") return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
  return text;
}

function refusedParameter(errors: readonly ErrorObject[]): Problem {
  const [error] = errors;
  const name = error?.instancePath.split("/")[1] ?? "";
  return invalidParameter(name, error === undefined ? "is invalid" : message(error));
}

function refusedBody(errors: readonly ErrorObject[]): Problem {
  const faults = errors.slice(0, MAX_FAULTS).map(fault);
  const detail = faults.length === 1 ? "1 field is invalid." : `${faults.length} fields are invalid.`;
  return new Problem(422, "validation_failed", detail, faults);
}

function fault(error: ErrorObject): Fault {
  if (error.data === null && error.instancePath === "") {
    return { pointer: "", code: "required", message: "field required" };
  }
  const { missingProperty, additionalProperty } = error.params as { missingProperty?: string; additionalProperty?: string };
  const key = missingProperty ?? additionalProperty;
  const pointer = error.instancePath + (key === undefined ? "" : `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  return { pointer, code: CODES[error.keyword] ?? "invalid", message: message(error) };
}

const CODES: Readonly<Record<string, string>> = {
  required: "required",
  additionalProperties: "unknown_field",
  maxLength: "too_long",
  minLength: "too_short",
};

const FORMATS: Readonly<Record<string, string>> = {
  storable: "a NUL character or half of a surrogate pair cannot be stored",
  uuid: "should be a UUID",
  ip: "should be an IP address",
  date: "should be a date such as 2026-01-31",
  clock: "should be a time such as 09:30:00",
  "date-time": "should be a time with its zone, such as 2026-01-31T09:30:00.000Z",
  base64: "should be base64",
};

function message(error: ErrorObject): string {
  const limit = String((error.params as { limit?: unknown }).limit);
  const bound = String(error.schema);
  switch (error.keyword) {
    case "required":
      return "field required";
    case "additionalProperties":
      return "there is no such field";
    case "type":
      return error.data === null ? "may not be null" : `should be ${[error.schema].flat().join(" or ")}`;
    case "enum":
      return `should be one of: ${(error.schema as (string | null)[]).filter((value) => value !== null).join(", ")}`;
    case "maxLength":
      return `should have at most ${limit} characters`;
    case "minLength":
      return `should have at least ${limit} characters`;
    case "maxItems":
      return `should have at most ${limit} items`;
    case "minItems":
      return `should have at least ${limit} items`;
    case "minimum":
      return `should be at least ${limit}`;
    case "maximum":
      return `should be at most ${limit}`;
    case "least":
      return `should be at least ${bound}`;
    case "most":
      return `should be at most ${bound}`;
    case "format":
      return FORMATS[bound] ?? "is invalid";
    default:
      return `should match ${bound}`;
  }
}

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value) || value < "0001") return false;
  const moment = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(moment.valueOf()) && moment.toISOString().startsWith(value);
}

function isTimestamp(value: string): boolean {
  const parts = /^(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/.exec(value);
  if (parts === null || !isDate(parts[1] ?? "")) return false;
  const moment = new Date(`${parts[1] ?? ""}T${parts[2] ?? ""}${parts[3]?.toUpperCase() ?? ""}`);
  return !Number.isNaN(moment.valueOf()) && moment.getUTCFullYear() >= 1 && moment.getUTCFullYear() <= 9999;
}

function isDecimal(value: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(value);
}

/** The sign of the difference of two decimals. */
function compare(left: string, right: string): number {
  const scale = Math.max(...[left, right].map((each) => each.split(".")[1]?.length ?? 0));
  const [a, b] = [left, right].map((each) => {
    const [whole = "", fraction = ""] = each.split(".");
    return BigInt(whole + fraction.padEnd(scale, "0"));
  });
  return a === b ? 0 : (a ?? 0n) < (b ?? 0n) ? -1 : 1;
}
