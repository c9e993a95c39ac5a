import { auditLogRoutes } from "./audit-log/routes.js";
/** The resources of the API, in the order of the schema. Mount your own routes here too. */
import type { Feature } from "./core/web.js";
import { organizationsRoutes } from "./organizations/routes.js";
import { peopleRoutes } from "./people/routes.js";
import { projectsRoutes } from "./projects/routes.js";

export const FEATURES: readonly Feature[] = [organizationsRoutes, projectsRoutes, peopleRoutes, auditLogRoutes];
