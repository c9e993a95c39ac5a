/** The application: what is mounted, and in which order a request meets it. */
import Fastify, { LogController, type FastifyInstance } from "fastify";

import { authenticator } from "./core/auth.js";
import { contract } from "./core/contract.js";
import { Database } from "./core/db.js";
import * as errors from "./core/errors.js";
import { health, metrics, type State } from "./core/health.js";
import { Limiter } from "./core/limits.js";
import * as logs from "./core/logs.js";
import { compile, parseQuery } from "./core/validation.js";
import { acceptJson, knowCallers, yieldToOthers } from "./core/web.js";
import { EXTRA } from "./extra.js";
import { FEATURES } from "./features.js";
import type { Settings } from "./settings.js";

export interface App {
  readonly server: FastifyInstance;
  readonly db: Database;
  readonly state: State;
}

export async function createApp(settings: Settings): Promise<App> {
  // Loaded only where it is used: its libraries take memory and time that a service without traces keeps.
  const traces = settings.traces ? await import("./core/traces.js") : undefined;
  const db = new Database(settings, traces?.watch);
  const state: State = { draining: false };
  const server = Fastify({
    logger: logs.logging(settings.logLevel),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    requestIdHeader: false,
    genReqId: logs.requestId,
    childLoggerFactory: traces?.tracedLogger ?? logs.childLogger,
    bodyLimit: settings.maxBodyBytes,
    http: { maxHeaderSize: 131_072 }, // beyond it Node hangs up, often before the caller has read why
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => {
      logs.identify(request, reply); // no hook is run for them
      void errors.render(request, reply, new errors.Problem(400, "bad_request", error.message));
    },
    routerOptions: { querystringParser: (query) => parseQuery(query) as never, maxParamLength: 4096 },
  });
  server.setValidatorCompiler(compile);
  server.addHook("onClose", () => db.close());
  errors.install(server);
  logs.install(server);
  traces?.install(server, traces.start(settings.service));
  acceptJson(server);
  health(server, db, state);
  if (settings.metricsPort === 0) metrics(server, db);
  await server.register(contract);
  await server.register(
    async (v1) => {
      knowCallers(v1, authenticator(settings, v1.log), new Limiter(settings.rateLimit));
      for (const feature of EXTRA) await v1.register(feature, { db });
      yieldToOthers(v1);
      for (const feature of FEATURES) await v1.register(feature, { db });
    },
    { prefix: "/v1" },
  );
  return { server, db, state };
}
