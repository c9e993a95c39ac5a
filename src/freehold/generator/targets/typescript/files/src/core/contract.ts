/** The contract, as a document and as a page. The page is served from here: it works where no other host is reached. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

const DOCUMENT = fileURLToPath(new URL("../../openapi.json", import.meta.url));

export async function contract(app: FastifyInstance): Promise<void> {
  const text = readFileSync(DOCUMENT, "utf8");
  app.get("/openapi.json", (_request, reply) => reply.type("application/json").send(text));
  // The document is a file of this repository: it is the contract, and not derived from the code.
  const baseDir = fileURLToPath(new URL("../..", import.meta.url));
  await app.register(swagger, { mode: "static", specification: { path: DOCUMENT, baseDir } });
  await app.register(swaggerUi, { routePrefix: "/docs" });
}
