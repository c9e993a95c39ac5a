/** How often one caller may ask: a bucket of tokens for each, in this process. Off unless RATE_LIMIT says a number. */
import { isIPv6 } from "node:net";

import { Problem } from "./errors.js";

const WINDOW_S = 60;
/** The callers that are remembered; who has not asked for the longest is forgotten first. */
const CALLERS = 10_000;

/** Where a caller is: who has an IPv6 address has the others of its /64 as well. */
export function networkOf(address: string): string {
  const [plain = ""] = address.split("%");
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain) ?? [];
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? plain;
  const [before = [], after = []] = plain.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}

/** So many requests a minute for each caller, as many of them at once as the caller likes. */
export class Limiter {
  readonly #perMinute: number;
  readonly #buckets = new Map<string, { readonly left: number; readonly seen: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** The headers that tell a caller what is left. A caller with nothing left is refused. */
  take(caller: string): Record<string, string> {
    if (this.#perMinute === 0) return {};
    const now = performance.now() / 1000;
    const known = this.#buckets.get(caller) ?? { left: this.#perMinute, seen: now };
    const left = Math.min(this.#perMinute, known.left + ((now - known.seen) * this.#perMinute) / WINDOW_S);
    const refused = left < 1;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, { left: refused ? left : left - 1, seen: now });
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > CALLERS && oldest.done !== true) this.#buckets.delete(oldest.value);
    const wait = Math.ceil((Math.max(0, 1 - left) * WINDOW_S) / this.#perMinute);
    const headers = {
      "RateLimit-Policy": `"minute";q=${this.#perMinute};w=${WINDOW_S}`,
      RateLimit: `"minute";r=${refused ? 0 : Math.floor(left - 1)};t=${wait}`,
    };
    if (!refused) return headers;
    const detail = `At most ${this.#perMinute} requests a minute; try again in ${wait} s.`;
    throw new Problem(429, "rate_limited", detail, [], { "Retry-After": String(wait), ...headers });
  }
}
