/** Tokens: what is accepted, and each way of forging one. */
import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, mock, test } from "node:test";

import { CompactSign, SignJWT } from "jose";

import { Verifier } from "../src/core/auth.js";
import { Problem } from "../src/core/errors.js";
import { newId } from "../src/core/ids.js";
import { ROLES } from "../src/permissions.js";
import { PROVIDERS } from "../src/settings.js";

const [KEY, OTHER_KEY, WEAK_KEY] = [2048, 2048, 1024].map(
  (modulusLength) => generateKeyPairSync("rsa", { modulusLength }).privateKey,
) as [KeyObject, KeyObject, KeyObject];

function jwk(key: KeyObject, kid: string): object {
  return { ...createPublicKey(key).export({ format: "jwk" }), kid, use: "sig" };
}

/** An identity provider that counts how often its keys are fetched. */
const issuer = { fetched: 0, status: 200 };
const server = createServer((_request, response) => {
  issuer.fetched += 1;
  response.writeHead(issuer.status).end(JSON.stringify({ keys: [jwk(KEY, "a"), jwk(WEAK_KEY, "weak")] }));
}).listen(0, "127.0.0.1");
await once(server, "listening");
after(() => server.close());

/** What the service would have logged. */
const logged: unknown[] = [];

function verifier(): Verifier {
  const provider = {
    ...PROVIDERS.custom,
    issuer: "https://id.example.com/",
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    audience: ["api"],
    tenantClaim: "org.id",
    require: { token_use: "access" },
  };
  return new Verifier({ authDevSecret: "", provider }, { warn: (...line: unknown[]) => logged.push(line[1]) });
}

const now = () => Math.floor(Date.now() / 1000);

function claims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const found: Record<string, unknown> = {
    iss: "https://id.example.com/",
    aud: "api",
    exp: now() + 600,
    token_use: "access",
    sub: newId(),
    org: { id: newId() },
    roles: [...ROLES.slice(0, 1), "no_such_role", "service"],
    ...changes,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
}

function sign(changes: Readonly<Record<string, unknown>> = {}, key = KEY, kid = "a", alg = "RS256"): Promise<string> {
  return new SignJWT(claims(changes)).setProtectedHeader({ alg, kid }).sign(key);
}

/** Put together by hand, since no library would. */
function assembled(header: object, signature: (message: string) => string): string {
  const message = [header, claims()].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${message}.${signature(message)}`;
}

function signedWithThePublicKey(): string {
  const secret = createPublicKey(KEY).export({ format: "pem", type: "spki" });
  return assembled({ alg: "HS256", kid: "a" }, (message) =>
    createHmac("sha256", secret).update(message).digest("base64url"),
  );
}

test("a good token names its tenant, and known roles only", async () => {
  const identity = await verifier().identity(await sign());

  assert.notEqual(identity.tenantId, null);
  assert.equal(identity.kind, "user");
  assert.deepEqual(identity.roles, new Set([...ROLES.slice(0, 1), "public", "authenticated"]));
});

const FORGERIES: Readonly<Record<string, () => string | Promise<string>>> = {
  "no algorithm": () => assembled({ alg: "none", kid: "a" }, () => ""),
  "the public key as a secret": signedWithThePublicKey,
  "another key": () => sign({}, OTHER_KEY),
  "an unknown key": () => sign({}, KEY, "../../etc/passwd"),
  "a weak key": () => sign({}, OTHER_KEY, "weak"),
  "another hash": () => sign({}, KEY, "a", "RS512"),
  expired: () => sign({ exp: now() - 60 }),
  "never expires": () => sign({ exp: null }),
  "not yet": () => sign({ nbf: now() + 600 }),
  "another issuer": () => sign({ iss: "https://id.example.com" }),
  "no issuer": () => sign({ iss: null }),
  "another audience": () => sign({ aud: "other" }),
  "no audience": () => sign({ aud: null }),
  "another use": () => sign({ token_use: "id" }),
  "no claims": () => new CompactSign(Buffer.from("[]")).setProtectedHeader({ alg: "RS256", kid: "a" }).sign(KEY),
  garbage: () => "a.b.c",
};

for (const [forgery, make] of Object.entries(FORGERIES)) {
  test(`a forged token is refused: ${forgery}`, async () => {
    await assert.rejects(
      verifier().identity(await make()),
      (error) => error instanceof Problem && error.status === 401,
    );
  });
}

test("unknown keys are looked up once a minute, whoever asks", async () => {
  const checked = verifier();
  issuer.fetched = 0;
  const tokens = await Promise.all([...Array(10).keys()].map((number) => sign({}, KEY, `unknown-${number}`)));
  const results = await Promise.allSettled(tokens.map((token) => checked.identity(token)));

  assert.ok(results.every((result) => result.status === "rejected"));
  assert.equal(issuer.fetched, 1);
});

test("known keys outlive an outage of the provider, for a day", async () => {
  const checked = verifier();
  issuer.fetched = 0;
  await checked.identity(await sign());
  issuer.status = 503;
  try {
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
    await assert.rejects(
      checked.identity(await sign({}, KEY, "unknown")),
      (error) => error instanceof Problem && error.status === 401,
    );
    await checked.identity(await sign());
    assert.equal(issuer.fetched, 2);
    assert.deepEqual(logged, ["the provider's keys cannot be fetched"]);
    mock.timers.setTime(Date.now() + 25 * 3_600_000);
    await assert.rejects(checked.identity(await sign()), (error) => error instanceof Problem && error.status === 503);
  } finally {
    mock.timers.reset();
    issuer.status = 200;
  }
});
