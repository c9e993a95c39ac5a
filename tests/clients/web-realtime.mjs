// The official web SDK under a DOM, on realtime: subscribes, signs in, says that it is there, and hears of rows.
// Takes endpoint, project, database, table, e-mail, password; prints what it saw as one line of JSON.
import { Window } from "happy-dom";

const [endpoint, project, databaseId, tableId, email, password] = process.argv.slice(2);
const origin = "http://app.localhost:3000";
const seen = { events: [], old: [] };

const window = new Window({ url: `${origin}/` });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.WebSocket = window.WebSocket;
const fetch_ = globalThis.fetch;
globalThis.fetch = (url, options = {}) => {
  const headers = new Headers(options.headers);
  headers.set("Origin", origin);
  return fetch_(url, { ...options, headers });
};
const { Account, Channel, Client, Presences, Query, Realtime, TablesDB } = await import("appwrite");

const client = new Client().setEndpoint(endpoint).setProject(project);
const account = new Account(client);
const tables = new TablesDB(client);
await account.createEmailPasswordSession({ email, password });

const until = async (what) => {
  for (let tries = 0; tries < 600; tries++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain; saw ${JSON.stringify(seen)}`);
};

// What is written before the server knows of the subscription is not told, so a row is written until one is.
const realtime = new Realtime(client);
realtime.onError((error, code) => (seen.error = [error.message, code]));
let told = 0;
await realtime.subscribe("account", () => told++);
await until(async () => {
  await account.updatePrefs({ prefs: { now: Date.now() } });
  return told > 0;
});
const rows = Channel.tablesdb(databaseId).table(tableId).row();
const subscription = await realtime.subscribe(
  rows,
  ({ events, payload, channels }) => seen.events.push([events[0], payload.title, channels.includes("rows")]),
  [Query.equal("title", ["kept"])],
);
let any = 0;
await realtime.subscribe("rows", () => any++);
await until(async () => {
  await tables.upsertRow({ databaseId, tableId, rowId: "first", data: { title: "other" } });
  return any > 0;
});
await tables.createRow({ databaseId, tableId, rowId: "second", data: { title: "kept" } });
await tables.deleteRow({ databaseId, tableId, rowId: "second" });
await until(() => seen.events.length >= 2);

await realtime.upsertPresence({ presenceId: "here", status: "online", metadata: { page: "/" } });
const presences = new Presences(client);
await until(async () => {
  const found = (await presences.list()).presences;
  seen.presence = found.map((each) => [each.$id, each.status, each.source]);
  return found.length > 0;
});
await subscription.unsubscribe();
await realtime.disconnect();
await until(async () => (await presences.list()).total === 0);

// As apps of older versions do: through the client.
const stop = client.subscribe("documents", ({ payload }) => seen.old.push(payload.$collectionId));
await until(async () => {
  await tables.upsertRow({ databaseId, tableId, rowId: "third", data: { title: "other" } });
  return seen.old.length > 0;
});
stop();
seen.old = seen.old.slice(0, 1);
console.log(JSON.stringify(seen));
process.exit(0);
