/** `make token ROLE=admin TENANT=<id> USER_ID=<id>`: a token for development, signed with AUTH_DEV_SECRET. */
import { parseArgs } from "node:util";

import { SignJWT } from "jose";

import { isStarted } from "./core/started.js";
import { ROLES } from "./permissions.js";

/** A signed token. The service only takes it while AUTH_PROVIDER is `dev`. */
export async function issue(secret: string, role: string, tenant: string, user: string, seconds = 3600): Promise<string> {
  const claims = {
    roles: [role],
    ...(role === "service" ? { kind: "service" } : {}),
    ...(tenant === "" ? {} : { tenant_id: tenant }),
  };
  const token = new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setIssuer("dev").setIssuedAt();
  if (user !== "") token.setSubject(user);
  return token.setExpirationTime(Math.floor(Date.now() / 1000) + seconds).sign(new TextEncoder().encode(secret));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      role: { type: "string", default: "" },
      tenant: { type: "string", default: "" },
      user: { type: "string", default: "" },
      hours: { type: "string", default: "8" },
    },
  });
  const roles = [...ROLES, "service"];
  const secret = process.env["AUTH_DEV_SECRET"] ?? "";
  if (!roles.includes(values.role)) fail(`--role should be one of: ${roles.join(", ")}`);
  if (!/^\d{1,4}$/.test(values.hours)) fail("--hours should be a whole number");
  if (secret.length < 32) fail("AUTH_DEV_SECRET should have at least 32 characters; see .env.example");
  console.log(await issue(secret, values.role, values.tenant, values.user, Number(values.hours) * 3600));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

if (isStarted(import.meta.filename)) await main();
