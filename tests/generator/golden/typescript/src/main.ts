/** The process: it refuses to start when something is not safe, serves, and stops without losing a request. */
import Fastify from "fastify";

import { createApp, type App } from "./app.js";
import { metrics } from "./core/health.js";
import { main as migrate } from "./migrate.js";
import { load, SettingsError, type Settings } from "./settings.js";

const CLOSE_MS = 20_000;

async function main(): Promise<void> {
  const settings = settingsOrExit();
  const app = await createApp(settings);
  try {
    if (settings.autoMigrate) await migrate("up");
    await app.db.open();
  } catch (error) {
    app.server.log.fatal(`The service cannot start: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
  stopWhenTold(app, settings);
  await app.server.listen({ host: settings.host, port: settings.port });
  if (settings.metricsPort !== 0) await serveMetrics(app, settings);
}

function settingsOrExit(): Settings {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

/** On a port of their own, which the outside need not reach. They are there until the process ends. */
async function serveMetrics(app: App, settings: Settings): Promise<void> {
  const server = Fastify();
  metrics(server, app.db);
  await server.listen({ host: settings.host, port: settings.metricsPort });
}

/** Not ready before it stops listening, so that no request is lost behind a load balancer. */
function stopWhenTold(app: App, settings: Settings): void {
  const stop = (): void => {
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    void app.server.close().then(() => process.exit(0));
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (app.state.draining || settings.drainSeconds === 0) {
        stop();
        return;
      }
      app.state.draining = true;
      app.server.log.info("draining");
      setTimeout(stop, settings.drainSeconds * 1000);
    });
  }
}

await main();
