/** What the service refuses to start with, and what it says about itself when it runs. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { TENANT_TABLES } from "../src/constraints.js";
import { load, SettingsError } from "../src/settings.js";
import { app, databaseUrl } from "./service.js";

const GOOD = {
  DATABASE_URL: "postgresql://app_api@localhost/x",
  ENVIRONMENT: "production",
  AUTH_PROVIDER: "custom",
  AUTH_ISSUER: "https://id.example.com/",
  AUTH_JWKS_URL: "https://id.example.com/jwks",
  AUTH_AUDIENCE: "api",
};

for (const [name, value] of [
  ["DATABASE_URL", ""],
  ["AUTH_ISSUER", ""],
  ["AUTH_AUDIENCE", ""],
  ["AUTH_JWKS_URL", "http://id.example.com/jwks"],
  ["AUTH_ALGORITHMS", "HS256"],
  ["AUTH_PROVIDER", "dev"],
  ["AUTO_MIGRATE", "1"],
  ["PORT", "eighty"],
  ["ENVIRONMENT", "prod"],
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"],
] as const) {
  test(`${name}=${value} is refused by name`, () => {
    const secret = "s".repeat(40);

    assert.equal(load(GOOD).environment, "production");
    assert.throws(
      () => load({ ...GOOD, AUTH_DEV_SECRET: secret, [name]: value }),
      (error) => error instanceof SettingsError && error.message.includes(name) && !error.message.includes(secret),
    );
  });
}

test("a secret can come from a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "settings-"));
  try {
    writeFileSync(join(folder, "url"), "postgresql://app_api:secret@localhost/x\n");
    const { databaseUrl: url } = load({ ...GOOD, DATABASE_URL: "", DATABASE_URL_FILE: join(folder, "url") });

    assert.equal(url, "postgresql://app_api:secret@localhost/x");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Started {
  readonly process: ChildProcess;
  readonly port: number;
  readonly output: () => string;
}

async function start(changes: Readonly<Record<string, string>> = {}): Promise<Started> {
  const port = await freePort();
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  const started = spawn(process.execPath, ["--import", "tsx", main], {
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: databaseUrl,
      DATABASE_ROLE: "app_api",
      AUTH_PROVIDER: "dev",
      AUTH_DEV_SECRET: "x".repeat(32),
      PORT: String(port),
      ...changes,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  started.stderr.on("data", (part: Buffer) => (output += part.toString()));
  return { process: started, port, output: () => output };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const REASONS = {
  "": "bypasses row-level security",
  ...(TENANT_TABLES.length > 0 ? { app_owner: "owns the table" } : {}),
};

for (const [role, reason] of Object.entries(REASONS)) {
  test(`a role is refused that ${reason}`, async () => {
    const started = await start({ DATABASE_ROLE: role });
    const [code] = (await once(started.process, "close")) as [number];

    assert.equal(code, 1);
    assert.ok(started.output().includes(reason), started.output());
  });
}

test("an address that cannot be read is refused like everything else", async () => {
  const refused = await app.server.inject({ method: "GET", url: "/v1/%zz" });

  assert.equal(refused.statusCode, 400);
  assert.match(String(refused.headers["content-type"]), /^application\/problem\+json/);
  assert.equal(refused.headers["x-request-id"], refused.json<{ request_id: string }>().request_id);
});

test("the process serves, and stops when told", async () => {
  const started = await start();
  try {
    await untilReady(started);
    started.process.kill("SIGTERM");
    const [code] = (await once(started.process, "exit")) as [number];

    assert.equal(code, 0, started.output());
  } finally {
    started.process.kill("SIGKILL");
  }
});

async function untilReady({ process: started, port, output }: Started): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    assert.equal(started.exitCode, null, output());
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error(`the service did not get ready: ${output()}`);
}

test("health, contract and numbers are public", async () => {
  const get = async (url: string) => (await app.server.inject({ url })).body;

  assert.deepEqual(JSON.parse(await get("/healthz")), { status: "ok" });
  assert.deepEqual(JSON.parse(await get("/readyz")), { status: "ok", faults: [] });
  assert.equal((JSON.parse(await get("/openapi.json")) as { openapi: string }).openapi, "3.1.0");
  assert.match(await get("/metrics"), /http_requests_total/);
});

test("a service that drains is not ready", async () => {
  app.state.draining = true;
  const answer = await app.server.inject({ url: "/readyz" });
  app.state.draining = false;

  assert.deepEqual([answer.statusCode, answer.json()], [503, { status: "not ready", faults: ["shutting down"] }]);
});

test("the API reference needs no other host", async () => {
  const page = await app.server.inject({ url: "/docs" });
  const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? "");

  assert.ok(parts.length > 0);
  for (const part of parts) {
    const { host, pathname } = new URL(part, "http://here/docs/");
    assert.equal(host, "here", part);
    assert.equal((await app.server.inject({ url: pathname })).statusCode, 200, part);
  }
});
