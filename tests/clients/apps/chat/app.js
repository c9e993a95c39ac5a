// A chat: one room, and who is in it. When the network goes away and comes back, nothing is missing and nothing is double.
import {
  Account, Channel, client, fill, ID, named, on, Permission, Presences, Query, Realtime, Role, show, TablesDB, welcome,
} from "/page.js";
import { endpoint, project } from "/where.js";

const account = new Account(client);
const presences = new Presences(client);
const realtime = new Realtime(client);
const tables = new TablesDB(client);
const MESSAGES = { databaseId: "chat", tableId: "messages" };

let user;
let screen;
let since = ""; // what the change feed knows that this page has shown
let heardMeanwhile = null; // what came by the socket while the page was catching up
const messages = new Map();
const people = new Map();
const unsent = new Map();

async function home() {
  try {
    user = await account.get();
  } catch (error) {
    if (error.code === 401) return welcome(account, home);
    throw error;
  }
  screen = show("room", { name: user.name });
  on("submit", screen.send, async ({ text }) => {
    screen.send.reset();
    unsent.set(ID.unique(), text);
    await send();
  });
  realtime.onClose(() => say("offline"));
  await realtime.subscribe([Channel.tablesdb("chat").table("messages").row(), Channel.presences()], hear);
  // Said anew by the SDK after each reconnect. Once the page hears of it itself, its subscriptions stand.
  await realtime.upsertPresence({
    presenceId: user.$id,
    status: "online",
    permissions: [Permission.read(Role.users())],
    metadata: { name: user.name },
  });
}

function hear(event) {
  const isMine = event.channels.includes("presences.upsert") && event.payload.$id === user.$id;
  if (isMine && !heardMeanwhile) return catchUp().catch(report);
  if (heardMeanwhile) heardMeanwhile.push(event);
  else apply(event);
}

async function catchUp() {
  heardMeanwhile = [];
  try {
    await (since ? readChanges() : readAll());
    people.clear();
    for (const each of (await presences.list()).presences) people.set(each.$id, each.metadata.name);
    heardMeanwhile.forEach(apply);
  } finally {
    heardMeanwhile = null;
  }
  await send();
  report({ message: "" });
  say("online");
}

async function readAll() {
  since = (await changes({})).since;
  const queries = [Query.orderAsc("$sequence"), Query.limit(1000)];
  const found = await tables.listRows({ ...MESSAGES, queries });
  messages.clear();
  for (const row of found.rows) messages.set(row.$id, row);
}

async function readChanges() {
  try {
    for (let more = true; more; ) {
      const missed = await changes({ since, channels: ["tablesdb.chat.tables.messages.rows"] });
      missed.changes.forEach(apply);
      ({ since, more } = missed);
    }
  } catch (error) {
    if (error.code !== 410) throw error;
    await readAll(); // away for longer than changes are kept
  }
}

const changes = (said) =>
  client.call("get", new URL(`${endpoint}/changes`), { "X-Appwrite-Project": project }, said);

function apply({ channels, payload }) {
  const isGone = channels.some((channel) => channel.endsWith(".delete"));
  const [shown, value] = channels.includes("presences") ? [people, payload.metadata?.name] : [messages, payload];
  if (isGone) shown.delete(payload.$id);
  else shown.set(payload.$id, value);
  draw();
}

async function send() {
  for (const [rowId, text] of unsent) {
    const owner = Role.user(user.$id);
    const permissions = [Permission.read(Role.users()), Permission.delete(owner)];
    try {
      await tables.createRow({ ...MESSAGES, rowId, data: { text, name: user.name }, permissions });
    } catch (error) {
      if (error.code !== 409) throw error; // it had arrived before, though the answer had not
    }
    unsent.delete(rowId);
  }
}

function say(state) {
  screen.state.textContent = state;
  draw();
}

function draw() {
  screen.people.textContent = [...people.values()].sort().join(", ");
  screen.list.replaceChildren();
  for (const row of [...messages.values()].sort((a, b) => a.$sequence - b.$sequence)) {
    const item = fill("message", { text: `${row.name}: ${row.text}` });
    const { remove } = named(item);
    remove.hidden = row.name !== user.name;
    on("click", remove, () => tables.deleteRow({ ...MESSAGES, rowId: row.$id }));
    screen.list.append(item);
  }
}

function report(error) {
  document.querySelector("[role=alert]").textContent = error.message;
}

home().catch(report);
