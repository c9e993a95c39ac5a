/** Audit log over HTTP. */
import { answerCsv, wantsCsv } from "../core/export.js";
import { included, tree } from "../core/include.js";
import { checkList, includeQuery } from "../core/paging.js";
import { includedAnswer, pageAnswer, rowAnswer, send, shown, type Feature } from "../core/web.js";
import { RELATIONS } from "../relations.js";
import * as repository from "./repository.js";
import * as schemas from "./schemas.js";

const ENTITY = "audit_entry";
/** As a CSV. The texts are what people write, and what a spreadsheet might take for formulas. */
const SHEET = {
  name: "audit-log",
  columns: Object.keys(repository.COLUMNS),
  texts: new Set<string>(["actor_id", "request_id", "entity", "entity_id", "action"]),
};

export const auditLogRoutes: Feature = (app, { db }, done) => {
  /** The audit log that the caller may read, one page at a time. */
  app.get(
    "/audit-log",
    { schema: { querystring: schemas.AuditEntryQuery, response: { 200: schemas.AuditEntryPage } } },
    async (request, reply) => {
      const { caller, query } = request;
      caller.require("audit_entry:read");
      checkList(caller, ENTITY, query);
      const hidden = caller.hidden(ENTITY);
      if (wantsCsv(request, query)) {
        return answerCsv(reply, SHEET, caller, hidden, db, (tx) => repository.exportAuditLog(tx, query));
      }
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const page = await repository.listAuditLog(tx, query);
        const rows =
          wanted.size > 0 ? await included(tx, ENTITY, page.data, wanted) : page.data.map((row) => shown(row, hidden));
        return pageAnswer(request, page, rows);
      });
      return send(reply, answer);
    },
  );

  /** One audit entry. */
  app.get(
    "/audit-log/:id",
    { schema: { params: schemas.AuditEntryId, querystring: includeQuery, response: { 200: schemas.AuditEntry } } },
    async (request, reply) => {
      const { caller, params, query } = request;
      caller.require("audit_entry:read");
      const wanted = tree(caller, RELATIONS, ENTITY, query.include);
      const answer = await db.tx(caller, async (tx) => {
        const found = await repository.getAuditEntry(tx, params.id);
        if (wanted.size === 0) return rowAnswer(request, found, caller.hidden(ENTITY));
        const [row] = await included(tx, ENTITY, [found], wanted);
        return includedAnswer(row);
      });
      return send(reply, answer);
    },
  );

  done();
};
