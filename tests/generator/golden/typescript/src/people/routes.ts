/** People over HTTP. */
import { checkItemsWritable, each } from "../core/batch.js";
import type { Tx } from "../core/db.js";
import { answerCsv, wantsCsv } from "../core/export.js";
import { once } from "../core/idempotency.js";
import { included, tree } from "../core/include.js";
import { checkList, includeQuery } from "../core/paging.js";
import { ifMatch, includedAnswer, pageAnswer, rowAnswer, rowsAnswer, send, shown, type Feature } from "../core/web.js";
import { RELATIONS } from "../relations.js";
import { hooks } from "./hooks.js";
import * as repository from "./repository.js";
import * as schemas from "./schemas.js";

const ENTITY = "person";
/** As a CSV. The texts are what people write, and what a spreadsheet might take for formulas. */
const SHEET = {
  name: "people",
  columns: Object.keys(repository.COLUMNS),
  texts: new Set<string>(["email"]),
};

export const peopleRoutes: Feature = (app, { db }, done) => {
  /** The people that the caller may read, one page at a time. */
  app.get(
    "/people",
    { schema: { querystring: schemas.PersonQuery, response: { 200: schemas.PersonPage } } },
    async (request, reply) => {
      const { caller, query } = request;
      caller.require("person:read");
      checkList(caller, ENTITY, query);
      const hidden = caller.hidden(ENTITY);
      if (wantsCsv(request, query)) {
        return answerCsv(reply, SHEET, caller, hidden, db, (tx) => repository.exportPeople(tx, query));
      }
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const page = await repository.listPeople(tx, query);
        const rows =
          wanted.size > 0 ? await included(tx, ENTITY, page.data, wanted) : page.data.map((row) => shown(row, hidden));
        return pageAnswer(request, page, rows);
      });
      return send(reply, answer);
    },
  );

  /** Create a person. */
  app.post(
    "/people",
    { schema: { body: schemas.PersonCreate, response: { 201: schemas.Person } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("person:create");
      caller.checkWritable(ENTITY, body);
      const work = async (tx: Tx) => rowAnswer(request, await create(tx, body), caller.hidden(ENTITY), 201);
      const answer = await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx)));
      return send(reply, answer);
    },
  );

  /** One person. */
  app.get(
    "/people/:id",
    { schema: { params: schemas.PersonId, querystring: includeQuery, response: { 200: schemas.Person } } },
    async (request, reply) => {
      const { caller, params, query } = request;
      caller.require("person:read");
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const found = await repository.getPerson(tx, params.id);
        if (wanted.size === 0) return rowAnswer(request, found, caller.hidden(ENTITY));
        const [row] = await included(tx, ENTITY, [found], wanted);
        return includedAnswer(row);
      });
      return send(reply, answer);
    },
  );

  /** Change a person: fields that are absent stay as they are. */
  app.patch(
    "/people/:id",
    { schema: { params: schemas.PersonId, body: schemas.PersonUpdate, response: { 200: schemas.Person } } },
    async (request, reply) => {
      const { caller, params, body } = request;
      caller.require("person:update");
      caller.checkWritable(ENTITY, body);
      const updated = await db.tx(caller, (tx) => update(tx, params.id, body, ifMatch(request)));
      return send(reply, rowAnswer(request, updated, caller.hidden(ENTITY)));
    },
  );

  /** Delete a person. */
  app.delete("/people/:id", { schema: { params: schemas.PersonId } }, async (request, reply) => {
    const { caller, params } = request;
    caller.require("person:delete");
    await db.tx(caller, (tx) => remove(tx, params.id, ifMatch(request)));
    return reply.code(204).send();
  });

  /** Create many people, or none. */
  app.post(
    "/people/batch",
    { schema: { body: schemas.PersonBatchCreate, response: { 201: schemas.PersonRows } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("person:create");
      checkItemsWritable(caller, ENTITY, body.items);
      const work = async (tx: Tx) => {
        const rows = await each("/items", body.items, (item) => create(tx, item));
        return rowsAnswer(rows, caller.hidden(ENTITY), 201);
      };
      return send(reply, await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx))));
    },
  );

  /** Change many people, or none. */
  app.post(
    "/people/batch-update",
    { schema: { body: schemas.PersonBatchUpdate, response: { 200: schemas.PersonRows } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("person:update");
      checkItemsWritable(caller, ENTITY, body.items);
      const work = async (tx: Tx) => {
        const rows = await each("/items", body.items, ({ id, version, ...patch }) =>
          update(tx, id, patch, typeof version === "number" ? [version] : null),
        );
        return rowsAnswer(rows, caller.hidden(ENTITY));
      };
      return send(reply, await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx))));
    },
  );

  /** Delete many people, or none. */
  app.post("/people/batch-delete", { schema: { body: schemas.PersonBatchDelete } }, async (request, reply) => {
    const { caller, body } = request;
    caller.require("person:delete");
    const work = async (tx: Tx) => {
      await each("/ids", body.ids, (id) => remove(tx, id, null), { deleting: true });
      return { status: 204, headers: {}, body: undefined };
    };
    return send(reply, await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx))));
  });

  done();
};

async function create(tx: Tx, body: schemas.PersonCreate): Promise<schemas.Person> {
  await hooks.beforeCreate?.(tx, body);
  const created = await repository.createPerson(tx, body);
  await hooks.afterCreate?.(tx, created);
  return created;
}

async function update(
  tx: Tx,
  id: string,
  patch: schemas.PersonUpdate,
  versions: readonly number[] | null,
): Promise<schemas.Person> {
  await hooks.beforeUpdate?.(tx, id, patch);
  const updated = await repository.updatePerson(tx, id, patch, versions);
  await hooks.afterUpdate?.(tx, updated);
  return updated;
}

async function remove(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  await hooks.beforeDelete?.(tx, id);
  await repository.deletePerson(tx, id, versions);
  await hooks.afterDelete?.(tx, id);
}
