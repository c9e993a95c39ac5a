/**
 * What else happens when projects change. This file is yours: it was written once, and is never written again.
 *
 * Each function runs in the transaction of the change, so that throwing a `Problem` refuses it and undoes everything.
 * Bodies may be changed before they are written. Batches call the same functions, once for each item.
 */
import type { Hooks } from "../core/hook-types.js";
import type { Project, ProjectCreate, ProjectUpdate } from "./schemas.js";

export const hooks: Hooks<Project, ProjectCreate, ProjectUpdate, string> = {};
