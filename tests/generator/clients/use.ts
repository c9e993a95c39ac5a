// What a program in TypeScript does with the client: `node use.js URL TOKEN NUMBER`. It tells what it got.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

declare const process: { readonly argv: readonly string[] };
declare const console: { log(line: string): void };

const [, , baseUrl = "", token = "", number = ""] = process.argv;
const api = createClient<paths, `application/${string}json`>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
const company: components["schemas"]["CompanyCreate"] = {
  name: "Ships & Sons",
  number,
  country: "DK",
  tier: "1st",
  revenue: "1200.50",
  website: null,
  custom: { vip: true },
};

const created = await api.POST("/v1/companies", { body: company });
if (created.data === undefined) throw new Error(created.error.detail);
const path = { id: created.data.id };

// The types refuse what the service would refuse.
// @ts-expect-error there is no such tier
void ({ tier: "4th" } satisfies components["schemas"]["CompanyUpdate"]);
// @ts-expect-error a field that is there is not undefined
void ({ name: undefined } satisfies components["schemas"]["CompanyUpdate"]);

const listed = await api.GET("/v1/companies", {
  params: { query: { number, "tier.in": ["1st", "2nd"], sort: ["-created_at", "kind"], include: ["owner"], count: "exact" } },
});
if (listed.data === undefined) throw new Error(listed.error.detail);
const [row] = listed.data.data;

const etag = created.response.headers.get("etag") ?? "";
const changed = await api.PATCH("/v1/companies/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: { industry: "Shipping", revenue: null },
});
if (changed.data === undefined) throw new Error(changed.error.detail);

const stale = await api.PATCH("/v1/companies/{id}", {
  params: { path, header: { "If-Match": etag } },
  body: { industry: "Ports" },
});
const refused = await api.POST("/v1/companies", { body: { ...company, country: "Denmark" } });

console.log(
  JSON.stringify({
    created: [created.data.name, created.data.tier, created.data.revenue, created.data.custom, etag],
    listed: [listed.data.page.total, row?.number, row?.website, row?.owner?.id === created.data.owner_id],
    changed: [changed.data.industry, changed.data.revenue, changed.data.version],
    stale: [stale.error?.status, stale.error?.code],
    refused: [refused.error?.status, refused.error?.code, refused.error?.errors.map((each) => each.pointer)],
  }),
);
