// To do: everybody has a list of their own, in one table; each row belongs to who made it.
import { Account, client, fill, ID, named, on, Permission, Query, Role, show, TablesDB, welcome } from "/page.js";

const account = new Account(client);
const tables = new TablesDB(client);
const TASKS = { databaseId: "todo", tableId: "tasks" };
const FILTERS = { all: [], open: [Query.equal("done", false)], done: [Query.equal("done", true)] };

let shown = "all";

async function home() {
  let user;
  try {
    user = await account.get();
  } catch (error) {
    if (error.code === 401) return welcome(account, home);
    throw error;
  }
  const screen = show("tasks", { name: user.name });
  const refresh = () => list(screen);
  on("click", screen.leave, async () => {
    await account.deleteSession({ sessionId: "current" });
    await home();
  });
  on("submit", screen.add, async ({ title }) => {
    const owner = Role.user(user.$id);
    const permissions = [Permission.read(owner), Permission.update(owner), Permission.delete(owner)];
    await tables.createRow({ ...TASKS, rowId: ID.unique(), data: { title }, permissions });
    screen.add.reset();
    await refresh();
  });
  for (const name of Object.keys(FILTERS)) {
    on("click", screen[name], async () => {
      shown = name;
      await refresh();
    });
  }
  await refresh();
}

async function list(screen) {
  const queries = [...FILTERS[shown], Query.orderAsc("$createdAt")];
  const found = await tables.listRows({ ...TASKS, queries });
  screen.list.replaceChildren();
  for (const row of found.rows) {
    const item = fill("task", { title: row.title });
    const { tick, title, remove } = named(item);
    tick.checked = row.done;
    title.classList.toggle("done", row.done);
    on("change", tick, async () => {
      await tables.updateRow({ ...TASKS, rowId: row.$id, data: { done: tick.checked } });
      await list(screen);
    });
    on("click", remove, async () => {
      await tables.deleteRow({ ...TASKS, rowId: row.$id });
      await list(screen);
    });
    screen.list.append(item);
  }
  screen.count.textContent = found.total === 1 ? "1 task" : `${found.total} tasks`;
}

home().catch((error) => {
  document.querySelector("[role=alert]").textContent = error.message;
});
