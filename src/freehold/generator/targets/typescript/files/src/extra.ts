/**
 * Routes of your own below /v1. This file is yours: it was written once, and is never written again.
 *
 * They stand before the routes of the resources, so that one with the same path takes their place. What they promise
 * is said in openapi.extra.yaml.
 */
import type { Feature } from "./core/web.js";

export const EXTRA: readonly Feature[] = [];
