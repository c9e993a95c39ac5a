// A blog: posts have an author, tags and comments. Drafts are their author's; what is published is for everybody.
import { Account, client, fill, ID, named, on, Permission, Query, Role, show, TablesDB, welcome } from "/page.js";

const account = new Account(client);
const tables = new TablesDB(client);
const table = (tableId) => ({ databaseId: "blog", tableId });

let user = null;
let tag = null;

async function home() {
  user = await account.get().catch((error) => {
    if (error.code === 401) return null;
    throw error;
  });
  const screen = show("blog", { reader: user ? `You are ${user.name}.` : "You are a guest." });
  screen.leave.hidden = screen.write.hidden = user === null;
  screen.enter.hidden = user !== null;
  on("click", screen.enter, () => welcome(account, home));
  on("click", screen.leave, async () => {
    await account.deleteSession({ sessionId: "current" });
    await home();
  });
  on("submit", screen.write, async (fields) => {
    await write(fields);
    await home();
  });
  on("click", screen.everything, async () => {
    tag = null;
    await home();
  });
  await list(screen);
}

/** Make a post, with its author and tags where they are not there yet, in one call. */
async function write({ title, body, tags }) {
  const names = tags.split(",").map((each) => each.trim()).filter((each) => each);
  const known = await tables.listRows({ ...table("tags"), queries: [Query.equal("name", names)] });
  const me = Role.user(user.$id);
  await tables.createRow({
    ...table("posts"),
    rowId: ID.unique(),
    data: {
      title,
      body,
      author: { $id: user.$id, name: user.name },
      tags: names.map((name) => known.rows.find((each) => each.name === name)?.$id ?? { $id: ID.unique(), name }),
    },
    permissions: [Permission.read(me), Permission.update(me), Permission.delete(me)],
  });
}

async function list(screen) {
  const found = await tables.listRows({
    ...table("posts"),
    queries: [
      Query.select(["*", "author.name", "tags.name", "comments.text", "comments.name"]),
      Query.orderDesc("$createdAt"),
      ...(tag ? [Query.equal("tags.name", tag)] : []),
    ],
  });
  screen.about.textContent = tag ? `Posts about ${tag}` : "";
  screen.everything.hidden = tag === null;
  screen.posts.replaceChildren();
  for (const post of found.rows) screen.posts.append(article(post));
}

function article(post) {
  const item = fill("post", {
    title: post.title,
    body: post.body,
    author: post.author.name,
    draft: post.published ? "" : "a draft",
  });
  const parts = named(item);
  for (const { name } of post.tags) {
    const button = document.createElement("button");
    button.textContent = `#${name}`;
    parts.tags.append(button, " ");
    on("click", button, async () => {
      tag = name;
      await home();
    });
  }
  for (const { name, text } of post.comments) {
    const line = document.createElement("li");
    line.textContent = `${name}: ${text}`;
    parts.comments.append(line);
  }
  parts.publish.hidden = post.published || user === null;
  on("click", parts.publish, async () => {
    const permissions = [...post.$permissions, Permission.read(Role.any())];
    await tables.updateRow({ ...table("posts"), rowId: post.$id, data: { published: true }, permissions });
    await home();
  });
  parts.comment.hidden = !post.published || user === null;
  on("submit", parts.comment, async ({ text }) => {
    const data = { text, name: user.name, post: post.$id };
    await tables.createRow({ ...table("comments"), rowId: ID.unique(), data });
    await home();
  });
  return item;
}

home().catch((error) => {
  document.querySelector("[role=alert]").textContent = error.message;
});
