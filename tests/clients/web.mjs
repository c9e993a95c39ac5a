// The official web SDK under a DOM, as a page of another origin uses it: sessions by cookie fallback.
// Takes endpoint, project, database, table, e-mail, password; prints what it saw as one line of JSON.
import { Window } from "happy-dom";

const [endpoint, project, databaseId, tableId, email, password] = process.argv.slice(2);
const seen = {};

const window = new Window({ url: "http://app.localhost:3000/" });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.FormData = window.FormData;
globalThis.File = window.File;
// Node's own fetch, with the origin that the page has; a browser would send it and read the CORS headers.
const fetch_ = globalThis.fetch;
globalThis.fetch = async (url, options = {}) => {
  const headers = new Headers(options.headers);
  headers.set("Origin", "http://app.localhost:3000");
  const response = await fetch_(url, { ...options, headers });
  if (response.headers.get("access-control-allow-origin") !== "http://app.localhost:3000") {
    throw new Error(`CORS would have refused ${url}`);
  }
  return response;
};
const { Account, Client, Databases, ID, Operator, Query, TablesDB } = await import("appwrite");

const client = new Client().setEndpoint(endpoint).setProject(project);
const account = new Account(client);
const tables = new TablesDB(client);

const user = await account.create({ userId: ID.unique(), email, password, name: "Webber" });
seen.created = user.email === email;
const session = await account.createEmailPasswordSession({ email, password });
seen.session = [session.userId === user.$id, session.current, session.secret];
seen.fallback = Object.keys(JSON.parse(localStorage.getItem("cookieFallback") ?? "{}"));
seen.name = (await account.updateName({ name: "Web" })).name;
seen.sessions = (await account.listSessions()).total;

const row = await tables.createRow({ databaseId, tableId, rowId: ID.unique(), data: { title: "From the web" } });
seen.permissions = row.$permissions.length;
const listed = await tables.listRows({ databaseId, tableId, queries: [Query.equal("title", ["From the web"])] });
seen.listed = [listed.total, listed.rows[0].title, listed.rows[0].$sequence];

const old = new Databases(client);
const at = { databaseId, collectionId: tableId, documentId: row.$id };
const changed = await old.updateDocument({ ...at, data: { title: "In old words" } });
seen.document = [changed.title, changed.$collectionId, (await old.getDocument(at)).title];
const { $id: transactionId } = await tables.createTransaction();
const titled = { title: Operator.stringReplace("old", "new") };
await tables.updateRow({ databaseId, tableId, rowId: row.$id, data: titled, transactionId });
await tables.createRow({ databaseId, tableId, rowId: "gone", data: { title: "Gone" }, transactionId });
await tables.deleteRow({ databaseId, tableId, rowId: "gone", transactionId });
const ended = await tables.updateTransaction({ transactionId, commit: true });
const retitled = await tables.getRow({ databaseId, tableId, rowId: row.$id });
seen.transaction = [ended.status, ended.operations, retitled.title];

await account.deleteSession({ sessionId: "current" });
try {
  await account.get();
} catch (error) {
  seen.signedOut = [error.code, error.type];
}
console.log(JSON.stringify(seen));
await window.happyDOM.close();
