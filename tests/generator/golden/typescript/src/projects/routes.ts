/** Projects over HTTP. */
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

const ENTITY = "project";
/** The fields that `q` looks into. */
const SEARCHED = ["name"];
/** As a CSV. The texts are what people write, and what a spreadsheet might take for formulas. */
const SHEET = {
  name: "projects",
  columns: Object.keys(repository.SUMMARY),
  texts: new Set<string>(["name", "code", "status", "created_by", "updated_by"]),
};

export const projectsRoutes: Feature = (app, { db }, done) => {
  /** The projects that the caller may read, one page at a time. */
  app.get(
    "/projects",
    { schema: { querystring: schemas.ProjectQuery, response: { 200: schemas.ProjectPage } } },
    async (request, reply) => {
      const { caller, query } = request;
      caller.require("project:read");
      if ((query.deleted ?? "exclude") !== "exclude") caller.require("project:read_deleted");
      checkList(caller, ENTITY, query, SEARCHED);
      const hidden = caller.hidden(ENTITY);
      if (wantsCsv(request, query)) {
        return answerCsv(reply, SHEET, caller, hidden, db, (tx) => repository.exportProjects(tx, query));
      }
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const page = await repository.listProjects(tx, query);
        const rows =
          wanted.size > 0 ? await included(tx, ENTITY, page.data, wanted) : page.data.map((row) => shown(row, hidden));
        return pageAnswer(request, page, rows);
      });
      return send(reply, answer);
    },
  );

  /** Create a project. */
  app.post(
    "/projects",
    { schema: { body: schemas.ProjectCreate, response: { 201: schemas.Project } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("project:create");
      caller.checkWritable(ENTITY, body);
      const work = async (tx: Tx) => rowAnswer(request, await create(tx, body), caller.hidden(ENTITY), 201);
      const answer = await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx)));
      return send(reply, answer);
    },
  );

  /** One project. */
  app.get(
    "/projects/:id",
    { schema: { params: schemas.ProjectId, querystring: includeQuery, response: { 200: schemas.Project } } },
    async (request, reply) => {
      const { caller, params, query } = request;
      caller.require("project:read");
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const found = await repository.getProject(tx, params.id);
        if (wanted.size === 0) return rowAnswer(request, found, caller.hidden(ENTITY));
        const [row] = await included(tx, ENTITY, [found], wanted);
        return includedAnswer(row);
      });
      return send(reply, answer);
    },
  );

  /** Change a project: fields that are absent stay as they are. */
  app.patch(
    "/projects/:id",
    { schema: { params: schemas.ProjectId, body: schemas.ProjectUpdate, response: { 200: schemas.Project } } },
    async (request, reply) => {
      const { caller, params, body } = request;
      caller.require("project:update");
      caller.checkWritable(ENTITY, body);
      const updated = await db.tx(caller, (tx) => update(tx, params.id, body, ifMatch(request)));
      return send(reply, rowAnswer(request, updated, caller.hidden(ENTITY)));
    },
  );

  /** Delete a project; it can be restored. */
  app.delete("/projects/:id", { schema: { params: schemas.ProjectId } }, async (request, reply) => {
    const { caller, params } = request;
    caller.require("project:delete");
    await db.tx(caller, (tx) => remove(tx, params.id, ifMatch(request)));
    return reply.code(204).send();
  });

  /** Bring a project back that was deleted. */
  app.post(
    "/projects/:id/restore",
    { schema: { params: schemas.ProjectId, response: { 200: schemas.Project } } },
    async (request, reply) => {
      const { caller, params } = request;
      caller.require("project:restore");
      const restored = await db.tx(caller, (tx) => repository.restoreProject(tx, params.id));
      return send(reply, rowAnswer(request, restored, caller.hidden(ENTITY)));
    },
  );

  /** Create many projects, or none. */
  app.post(
    "/projects/batch",
    { schema: { body: schemas.ProjectBatchCreate, response: { 201: schemas.ProjectRows } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("project:create");
      if (body.on_conflict === "update") caller.require("project:update");
      checkItemsWritable(caller, ENTITY, body.items);
      const work = async (tx: Tx) => {
        const rows = await each("/items", body.items, (item) => upsert(tx, item, body.on_conflict ?? "error"));
        return rowsAnswer(rows, caller.hidden(ENTITY), 201);
      };
      return send(reply, await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx))));
    },
  );

  /** Change many projects, or none. */
  app.post(
    "/projects/batch-update",
    { schema: { body: schemas.ProjectBatchUpdate, response: { 200: schemas.ProjectRows } } },
    async (request, reply) => {
      const { caller, body } = request;
      caller.require("project:update");
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

  /** Delete many projects, or none. */
  app.post("/projects/batch-delete", { schema: { body: schemas.ProjectBatchDelete } }, async (request, reply) => {
    const { caller, body } = request;
    caller.require("project:delete");
    const work = async (tx: Tx) => {
      await each("/ids", body.ids, (id) => remove(tx, id, null), { deleting: true });
      return { status: 204, headers: {}, body: undefined };
    };
    return send(reply, await db.tx(caller, (tx) => once(request, reply, tx, () => work(tx))));
  });

  done();
};

async function create(tx: Tx, body: schemas.ProjectCreate): Promise<schemas.Project> {
  await hooks.beforeCreate?.(tx, body);
  const created = await repository.createProject(tx, body);
  await hooks.afterCreate?.(tx, created);
  return created;
}

async function upsert(
  tx: Tx,
  body: schemas.ProjectCreate,
  onConflict: "error" | "update" | "ignore",
): Promise<schemas.Project> {
  if (onConflict === "error") return create(tx, body);
  await hooks.beforeCreate?.(tx, body);
  const { row, outcome } = await repository.upsertProject(tx, body, onConflict);
  if (outcome === "created") await hooks.afterCreate?.(tx, row);
  if (outcome === "updated") await hooks.afterUpdate?.(tx, row);
  return row;
}

async function update(
  tx: Tx,
  id: string,
  patch: schemas.ProjectUpdate,
  versions: readonly number[] | null,
): Promise<schemas.Project> {
  await hooks.beforeUpdate?.(tx, id, patch);
  const updated = await repository.updateProject(tx, id, patch, versions);
  await hooks.afterUpdate?.(tx, updated);
  return updated;
}

async function remove(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  await hooks.beforeDelete?.(tx, id);
  await repository.deleteProject(tx, id, versions);
  await hooks.afterDelete?.(tx, id);
}
