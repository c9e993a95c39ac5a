/** From a credential to the caller: signature, issuer, audience, expiry, tenant and roles of a bearer token. */
import { createHash } from "node:crypto";

import type { FastifyBaseLogger, FastifyRequest } from "fastify";
import { decodeProtectedHeader, jwtVerify, type JWK, type JWTPayload } from "jose";

import { asTenantId, asUserId, ROLES } from "../permissions.js";
import type { Provider, Settings } from "../settings.js";
import { ANONYMOUS, unauthenticated, type Identity } from "./access.js";
import { unavailable } from "./errors.js";

const LEEWAY_S = 30;
const FRESH_MS = 3_600_000;
const STALE_MS = 24 * FRESH_MS;
const CACHED_TOKENS = 10_000;
const MAX_KEY_SET = 1_000_000;

const ALGORITHMS_OF: Readonly<Record<string, readonly string[]>> = {
  RSA: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  EC: ["ES256"],
  OKP: ["EdDSA"],
};

type Log = Pick<FastifyBaseLogger, "warn">;

/** What finds the caller. Without a credential this is an anonymous one, whom `require` refuses where it must. */
export function authenticator(settings: Settings, log: Log): (request: FastifyRequest) => Promise<Identity> {
  const verifier = new Verifier(settings, log);
  return (request) => credential(request, verifier);
}

async function credential(request: FastifyRequest, verifier: Verifier): Promise<Identity> {
  const values = headers(request, "authorization");
  if (values.length === 0) return ANONYMOUS;
  const [, token] = /^bearer +(\S.*)$/i.exec(values[0] ?? "") ?? [];
  if (values.length > 1 || token === undefined) {
    throw unauthenticated("Send one header: Authorization: Bearer <token>.", "invalid_request");
  }
  return verifier.identity(token.trim());
}

/** Every value of the header, however often it came. */
function headers(request: FastifyRequest, name: string): string[] {
  return request.raw.rawHeaders.filter((_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === name);
}

/** Verifies tokens of the one provider that the settings name. */
export class Verifier {
  readonly #provider: Provider;
  readonly #keys: KeySet;
  readonly #devSecret: Uint8Array;
  readonly #known = new Map<string, { readonly until: number; readonly identity: Identity }>();

  constructor(settings: Pick<Settings, "provider" | "authDevSecret">, log: Log) {
    this.#provider = settings.provider;
    this.#keys = new KeySet(settings.provider.jwksUrl, settings.provider.refetchSeconds * 1000, log);
    this.#devSecret = new TextEncoder().encode(settings.authDevSecret);
  }

  /** Whom the token names, from the cache for at most a minute and never past its expiry. */
  async identity(token: string): Promise<Identity> {
    const digest = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(digest);
    if (known !== undefined && known.until > Date.now()) return known.identity;
    const claims = await this.#claims(token);
    const identity = this.#read(claims);
    const expiry = ((claims.exp ?? 0) + LEEWAY_S) * 1000;
    this.#known.set(digest, { until: Math.min(Date.now() + 60_000, expiry), identity });
    const oldest = this.#known.keys().next();
    if (this.#known.size > CACHED_TOKENS && oldest.done !== true) this.#known.delete(oldest.value);
    return identity;
  }

  async #claims(token: string): Promise<JWTPayload> {
    const provider = this.#provider;
    const claims = await this.#verified(token);
    if (claims.iat !== undefined && claims.iat > Date.now() / 1000 + LEEWAY_S) {
      throw unauthenticated("The token is not valid, or has expired.");
    }
    if (provider.audience.length > 0) {
      const audience = words(claims[provider.audienceClaim]);
      if (!provider.audience.some((each) => audience.has(each)))
        throw unauthenticated("The token is meant for someone else.");
    }
    for (const [claim, expected] of Object.entries(provider.require)) {
      if (claims[claim] !== expected) throw unauthenticated(`The token's ${claim} should be ${expected}.`);
    }
    return claims;
  }

  async #verified(token: string): Promise<JWTPayload> {
    const key = this.#provider.name === "dev" ? this.#devSecret : await this.#keyOf(token);
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [...this.#provider.algorithms],
        issuer: this.#provider.issuer,
        clockTolerance: LEEWAY_S,
        requiredClaims: ["exp"],
      });
      return payload;
    } catch (error) {
      throw unauthenticated("The token is not valid, or has expired.", "invalid_token", error);
    }
  }

  async #keyOf(token: string): Promise<JWK> {
    let header: { alg?: string; kid?: string };
    try {
      header = decodeProtectedHeader(token);
    } catch (error) {
      throw unauthenticated("The token is not valid, or has expired.", "invalid_token", error);
    }
    const key = await this.#keys.get(header.kid ?? "");
    const usable = ALGORITHMS_OF[key?.kty ?? ""] ?? [];
    if (key === undefined || !usable.includes(header.alg ?? "")) {
      throw unauthenticated("The token is not valid, or has expired.");
    }
    return key;
  }

  #read(claims: JWTPayload): Identity {
    const provider = this.#provider;
    const service = provider.serviceClaim !== "" && at(claims, provider.serviceClaim) === provider.serviceValue;
    const roles = [...words(at(claims, provider.rolesClaim))].filter((role) => ROLES.some((known) => known === role));
    return {
      kind: service ? "service" : "user",
      id: asUserId(at(claims, provider.userClaim)),
      tenantId: asTenantId(only(at(claims, provider.tenantClaim))),
      roles: new Set([...roles, "public", "authenticated", ...(service ? ["service"] : [])]),
      keyId: null,
      scopes: new Set(),
    };
  }
}

/** The provider's public keys: fetched when an unknown one is named, at most so often, and kept a day. */
class KeySet {
  readonly #url: string;
  readonly #refetchMs: number;
  readonly #log: Log;
  #keys = new Map<string, JWK>();
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(url: string, refetchMs: number, log: Log) {
    this.#url = url;
    this.#refetchMs = refetchMs;
    this.#log = log;
  }

  async get(kid: string): Promise<JWK | undefined> {
    const isDue = !this.#keys.has(kid) || Date.now() - this.#fetchedAt > FRESH_MS;
    if (isDue && this.#fetching === undefined && Date.now() - this.#triedAt > this.#refetchMs) {
      this.#triedAt = Date.now();
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    if (isDue) await this.#fetching;
    if (Date.now() - this.#fetchedAt > STALE_MS) throw unavailable();
    return this.#keys.get(kid);
  }

  async #fetch(): Promise<void> {
    try {
      const found = (await download(this.#url)) as { keys: JWK[] };
      this.#keys = new Map(found.keys.filter(isUsable).map((key) => [key.kid ?? "", key]));
      this.#fetchedAt = Date.now();
    } catch (error) {
      this.#log.warn({ err: error }, "the provider's keys cannot be fetched"); // the old ones stay good for a day
    }
  }
}

async function download(url: string): Promise<unknown> {
  const answer = await fetch(url, {
    headers: { Accept: "application/json" },
    redirect: "error",
    signal: AbortSignal.timeout(5_000),
  });
  if (!answer.ok || answer.body === null) throw new Error(`the key set answered ${answer.status}`);
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MAX_KEY_SET) throw new Error("the key set is too large");
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

function isUsable(key: JWK): boolean {
  if ((key.use ?? "sig") !== "sig") return false;
  if (key.kty === "RSA") return Buffer.from(key.n ?? "", "base64url").length >= 256;
  return key.kty === "EC" ? key.crv === "P-256" : key.kty === "OKP" && key.crv === "Ed25519";
}

/** The claim at a path such as `app_metadata.tenant_id`; a claim whose name has dots wins. */
function at(claims: JWTPayload, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split(".").reduce<unknown>((found, part) => {
    const inside = typeof found === "object" && found !== null && Object.hasOwn(found, part);
    return inside ? (found as Record<string, unknown>)[part] : undefined;
  }, claims);
}

/** The one id of a claim that may be a list, or Keycloak's map of organizations by alias. Of several it is none. */
function only(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 1 ? (value as unknown[])[0] : undefined;
  if (typeof value !== "object" || value === null) return value;
  const [first, ...others] = Object.entries(value) as [string, unknown][];
  if (first === undefined || others.length > 0) return undefined;
  const [alias, organization] = first;
  if (typeof organization !== "object" || organization === null) return undefined;
  return Object.hasOwn(organization, "id") ? (organization as { id: unknown }).id : alias;
}

function words(value: unknown): Set<string> {
  if (typeof value === "string") return new Set(value.split(/\s+/).filter((word) => word !== ""));
  return new Set(Array.isArray(value) ? value.filter((word) => typeof word === "string") : []);
}
