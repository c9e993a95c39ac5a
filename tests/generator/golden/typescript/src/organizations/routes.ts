/** Organizations over HTTP. */
import type { Tx } from "../core/db.js";
import { answerCsv, wantsCsv } from "../core/export.js";
import { once } from "../core/idempotency.js";
import { newId } from "../core/ids.js";
import { included, tree } from "../core/include.js";
import { checkList, includeQuery } from "../core/paging.js";
import { ifMatch, includedAnswer, pageAnswer, rowAnswer, send, shown, type Feature } from "../core/web.js";
import { RELATIONS } from "../relations.js";
import { hooks } from "./hooks.js";
import * as repository from "./repository.js";
import * as schemas from "./schemas.js";

const ENTITY = "organization";
/** As a CSV. The texts are what people write, and what a spreadsheet might take for formulas. */
const SHEET = {
  name: "organizations",
  columns: Object.keys(repository.COLUMNS),
  texts: new Set<string>(["name", "slug"]),
};

export const organizationsRoutes: Feature = (app, { db }, done) => {
  /** The organizations that the caller may read, one page at a time. */
  app.get(
    "/organizations",
    { schema: { querystring: schemas.OrganizationQuery, response: { 200: schemas.OrganizationPage } } },
    async (request, reply) => {
      const { caller, query } = request;
      caller.require("organization:read");
      checkList(caller, ENTITY, query);
      const hidden = caller.hidden(ENTITY);
      if (wantsCsv(request, query)) {
        return answerCsv(reply, SHEET, caller, hidden, db, (tx) => repository.exportOrganizations(tx, query));
      }
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const page = await repository.listOrganizations(tx, query);
        const rows =
          wanted.size > 0 ? await included(tx, ENTITY, page.data, wanted) : page.data.map((row) => shown(row, hidden));
        return pageAnswer(request, page, rows);
      });
      return send(reply, answer);
    },
  );

  /** Create an organization. */
  app.post(
    "/organizations",
    { schema: { body: schemas.OrganizationCreate, response: { 201: schemas.Organization } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("organization:create");
      caller.checkWritable(ENTITY, body);
      const work = async (tx: Tx) => rowAnswer(request, await create(tx, body), caller.hidden(ENTITY), 201);
      // A new organization is a tenant of its own, and is made inside of itself.
      const answer = await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx)), newId());
      return send(reply, answer);
    },
  );

  /** One organization. */
  app.get(
    "/organizations/:id",
    { schema: { params: schemas.OrganizationId, querystring: includeQuery, response: { 200: schemas.Organization } } },
    async (request, reply) => {
      const { caller, params, query } = request;
      caller.require("organization:read");
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const found = await repository.getOrganization(tx, params.id);
        if (wanted.size === 0) return rowAnswer(request, found, caller.hidden(ENTITY));
        const [row] = await included(tx, ENTITY, [found], wanted);
        return includedAnswer(row);
      });
      return send(reply, answer);
    },
  );

  /** Change an organization: fields that are absent stay as they are. */
  app.patch(
    "/organizations/:id",
    {
      schema: {
        params: schemas.OrganizationId,
        body: schemas.OrganizationUpdate,
        response: { 200: schemas.Organization },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      caller.require("organization:update");
      caller.checkWritable(ENTITY, body);
      const updated = await db.tx(caller, (tx) => update(tx, params.id, body, ifMatch(request)));
      return send(reply, rowAnswer(request, updated, caller.hidden(ENTITY)));
    },
  );

  /** Delete an organization. */
  app.delete("/organizations/:id", { schema: { params: schemas.OrganizationId } }, async (request, reply) => {
    const { caller, params } = request;
    caller.require("organization:delete");
    await db.tx(caller, (tx) => remove(tx, params.id, ifMatch(request)));
    return reply.code(204).send();
  });

  done();
};

async function create(tx: Tx, body: schemas.OrganizationCreate): Promise<schemas.Organization> {
  await hooks.beforeCreate?.(tx, body);
  const created = await repository.createOrganization(tx, body);
  await hooks.afterCreate?.(tx, created);
  return created;
}

async function update(
  tx: Tx,
  id: string,
  patch: schemas.OrganizationUpdate,
  versions: readonly number[] | null,
): Promise<schemas.Organization> {
  await hooks.beforeUpdate?.(tx, id, patch);
  const updated = await repository.updateOrganization(tx, id, patch, versions);
  await hooks.afterUpdate?.(tx, updated);
  return updated;
}

async function remove(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  await hooks.beforeDelete?.(tx, id);
  await repository.deleteOrganization(tx, id, versions);
  await hooks.afterDelete?.(tx, id);
}
