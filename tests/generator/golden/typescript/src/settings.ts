/** Every setting of the service: its environment variable, its type, and what is refused at the start. */
import { readFileSync } from "node:fs";

const SERVICE = "acme-works";

/** How to read the tokens of an identity provider. Each value can be set by AUTH_<NAME>. */
export interface Provider {
  readonly name: string;
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly algorithms: readonly string[];
  readonly audienceClaim: string;
  readonly audience: readonly string[];
  readonly userClaim: string;
  readonly tenantClaim: string;
  readonly rolesClaim: string;
  readonly serviceClaim: string;
  readonly serviceValue: string;
  readonly require: Readonly<Record<string, string>>;
  readonly refetchSeconds: number;
}

const PLAIN: Provider = {
  name: "",
  issuer: "",
  jwksUrl: "",
  algorithms: ["RS256"],
  audienceClaim: "aud",
  audience: [],
  userClaim: "sub",
  tenantClaim: "tenant_id",
  rolesClaim: "roles",
  serviceClaim: "",
  serviceValue: "",
  require: {},
  refetchSeconds: 60,
};

export const PROVIDERS = {
  // The issuer ends in a slash. Roles come as permissions: switch RBAC on for the API.
  auth0: {
    ...PLAIN,
    name: "auth0",
    jwksUrl: "{issuer}.well-known/jwks.json",
    tenantClaim: "org_id",
    rolesClaim: "permissions",
    serviceClaim: "gty",
    serviceValue: "client-credentials",
  },
  // Every value is yours to set.
  custom: {
    ...PLAIN,
    name: "custom",
  },
  // Tokens of `make token`, signed with AUTH_DEV_SECRET. Refused in production.
  dev: {
    ...PLAIN,
    name: "dev",
    issuer: "dev",
    algorithms: ["HS256"],
    serviceClaim: "kind",
    serviceValue: "service",
  },
} satisfies Record<string, Provider>;

/** What the process was told. Read once, at the start. */
export interface Settings {
  readonly databaseUrl: string;
  readonly provider: Provider;
  readonly environment: string;
  readonly service: string;
  readonly databaseRole: string;
  readonly databaseSchema: string;
  readonly databasePoolSize: number;
  readonly pgbouncer: boolean;
  readonly autoMigrate: boolean;
  readonly authDevSecret: string;
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly maxBodyBytes: number;
  readonly rateLimit: number;
  readonly traces: boolean;
  readonly drainSeconds: number;
  readonly logLevel: string;
}

/** The environment is not complete or not safe; the message says which variables to mend. */
export class SettingsError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "EdDSA"];

/** The settings from the environment, or one message with everything that is wrong with it. */
export function load(environment: Environment = process.env): Settings {
  const read = new Reader(environment);
  const production = read.oneOf("ENVIRONMENT", ["development", "production"], "development") === "production";
  const settings: Settings = {
    databaseUrl: read.required("DATABASE_URL", "such as postgresql://app_api:...@host/db"),
    provider: provider(read, production),
    environment: production ? "production" : "development",
    service: SERVICE,
    databaseRole: read.text("DATABASE_ROLE", ""),
    databaseSchema: read.text("DATABASE_SCHEMA", "public"),
    databasePoolSize: read.number("DATABASE_POOL_SIZE", 10, 1, 200),
    pgbouncer: read.flag("PGBOUNCER"),
    autoMigrate: read.flag("AUTO_MIGRATE"),
    authDevSecret: read.text("AUTH_DEV_SECRET", ""),
    host: read.text("HOST", "127.0.0.1"),
    port: read.number("PORT", 8000, 0, 65_535),
    metricsPort: read.number("METRICS_PORT", production ? 9090 : 0, 0, 65_535),
    maxBodyBytes: read.number("MAX_BODY_BYTES", 1_000_000, 1_000, 100_000_000),
    rateLimit: read.number("RATE_LIMIT", 0, 0, 1_000_000),
    traces: traces(read),
    drainSeconds: read.number("DRAIN_SECONDS", production ? 5 : 0, 0, 60),
    logLevel: read.oneOf("LOG_LEVEL", ["debug", "info", "warning", "error"], "info"),
  };
  if (settings.provider.name === "dev" && settings.authDevSecret.length < 32) {
    read.faults.push("AUTH_DEV_SECRET should have at least 32 characters (make token needs it too)");
  }
  if (production && settings.autoMigrate) {
    read.faults.push("AUTO_MIGRATE is for development; in production run `node dist/migrate.js up`");
  }
  read.refuseFaults(production ? "" : "For development `make dev` reads .env, a copy of .env.example.\n");
  return settings;
}

function provider(read: Reader, production: boolean): Provider {
  const names = Object.keys(PROVIDERS) as (keyof typeof PROVIDERS)[];
  const name = read.oneOf("AUTH_PROVIDER", names, "auth0");
  if (name === "dev" && production) {
    read.faults.push("AUTH_PROVIDER=dev is refused when ENVIRONMENT=production: anyone could sign tokens");
  }
  const preset: Provider = PROVIDERS[name];
  const issuer = read.text("AUTH_ISSUER", preset.issuer);
  const found: Provider = {
    ...preset,
    issuer,
    jwksUrl: read.text("AUTH_JWKS_URL", preset.jwksUrl.replace("{issuer}", issuer)),
    algorithms: read.words("AUTH_ALGORITHMS", preset.algorithms),
    audienceClaim: read.text("AUTH_AUDIENCE_CLAIM", preset.audienceClaim),
    audience: read.words("AUTH_AUDIENCE", preset.audience),
    userClaim: read.text("AUTH_USER_CLAIM", preset.userClaim),
    tenantClaim: read.text("AUTH_TENANT_CLAIM", preset.tenantClaim),
    rolesClaim: read.text("AUTH_ROLES_CLAIM", preset.rolesClaim),
    serviceClaim: read.text("AUTH_SERVICE_CLAIM", preset.serviceClaim),
    serviceValue: read.text("AUTH_SERVICE_VALUE", preset.serviceValue),
    refetchSeconds: read.number("AUTH_REFETCH_SECONDS", preset.refetchSeconds, 1, 3600),
  };
  if (found.name === "dev") {
    if (found.algorithms.join() !== "HS256") read.faults.push("AUTH_ALGORITHMS cannot be set for AUTH_PROVIDER=dev");
    return found;
  }
  if (found.issuer === "") read.faults.push("AUTH_ISSUER is missing: the exact `iss` of your provider's tokens");
  if (!found.jwksUrl.startsWith("https://") && (production || !found.jwksUrl.includes("localhost"))) {
    read.faults.push("AUTH_JWKS_URL should begin with https://");
  }
  if (found.audience.length === 0) {
    read.faults.push(`AUTH_AUDIENCE is missing: what \`${found.audienceClaim}\` must contain`);
  }
  if (!found.algorithms.every((each) => ALGORITHMS.includes(each))) {
    read.faults.push(`AUTH_ALGORITHMS may only name ${ALGORITHMS.join(", ")}`);
  }
  return found;
}

/** Whether spans are sent: when the standard variables of OpenTelemetry name a place, and nobody switched it off. */
function traces(read: Reader): boolean {
  const place = read.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", read.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""));
  const off =
    read.text("OTEL_SDK_DISABLED", "").toLowerCase() === "true" || read.text("OTEL_TRACES_EXPORTER", "") === "none";
  if (place === "" || off) return false;
  if (!/^https?:\/\//.test(place))
    read.faults.push("OTEL_EXPORTER_OTLP_ENDPOINT should begin with http:// or https://");
  for (const name of ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"]) {
    read.oneOf(name, ["http/protobuf"], "http/protobuf");
  }
  return true;
}

/** Reads variables, or the files that NAME_FILE points at, and collects what is wrong. */
class Reader {
  readonly faults: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  text(name: string, preset: string): string {
    const path = this.#environment[`${name}_FILE`] ?? "";
    if (path !== "") {
      try {
        return readFileSync(path, "utf8").trim();
      } catch (error) {
        this.faults.push(`${name}_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    const value = this.#environment[name] ?? "";
    return value === "" ? preset : value;
  }

  required(name: string, hint: string): string {
    const value = this.text(name, "");
    if (value === "") this.faults.push(`${name} is missing: ${hint}`);
    return value;
  }

  words(name: string, preset: readonly string[]): readonly string[] {
    const found = this.text(name, "")
      .split(/[\s,]+/)
      .filter((word) => word !== "");
    return found.length > 0 ? found : preset;
  }

  flag(name: string): boolean {
    return this.oneOf(name, ["0", "1"], "0") === "1";
  }

  number(name: string, preset: number, least: number, most: number): number {
    const value = this.text(name, String(preset));
    if (/^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    this.faults.push(`${name} should be a whole number from ${least} to ${most}`);
    return preset;
  }

  oneOf<T extends string>(name: string, choices: readonly T[], preset: T): T {
    const value = this.text(name, preset);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) this.faults.push(`${name} should be one of: ${choices.join(", ")}`);
    return found ?? preset;
  }

  refuseFaults(advice: string): void {
    if (this.faults.length === 0) return;
    throw new SettingsError(
      `The service cannot start:\n${this.faults.map((fault) => `  ${fault}\n`).join("")}${advice}`,
    );
  }
}
