// The official Node SDK, from making a database to reading a row as a signed-in user.
// Takes endpoint, project and key; prints what it saw as one line of JSON.
import { Account, Client, Graphql, ID, Operator, Permission, Query, Role, TablesDB, Teams, Users } from "node-appwrite";

const [endpoint, project, key] = process.argv.slice(2);
const seen = {};

const server = new Client().setEndpoint(endpoint).setProject(project).setKey(key);
const tables = new TablesDB(server);
const users = new Users(server);

const database = await tables.create({ databaseId: ID.unique(), name: "Node" });
const table = await tables.createTable({
  databaseId: database.$id,
  tableId: "notes",
  name: "Notes",
  permissions: [Permission.create(Role.users())],
  rowSecurity: true,
});
const at = { databaseId: database.$id, tableId: table.$id };
const column = await tables.createVarcharColumn({ ...at, key: "title", size: 50, required: true });
seen.column = [column.key, column.status, column.size];
await tables.createIntegerColumn({ ...at, key: "stars", required: false, min: 0, max: 5 });
await tables.createIndex({ ...at, key: "by_stars", type: "key", columns: ["stars"] });

const email = `node-${ID.unique()}@example.com`;
const user = await users.create({ userId: ID.unique(), email, password: "correct horse battery", name: "Noder" });
const session = await new Account(server).createEmailPasswordSession({ email, password: "correct horse battery" });
const client = new Client().setEndpoint(endpoint).setProject(project).setSession(session.secret);
const account = new Account(client);
seen.me = (await account.get()).$id === user.$id;
await account.updatePrefs({ prefs: { theme: "dark" } });
seen.prefs = await account.getPrefs();

const mine = new TablesDB(client);
for (const stars of [3, 1, 2]) {
  await mine.createRow({ ...at, rowId: ID.unique(), data: { title: `Note ${stars}`, stars } });
}
const listed = await mine.listRows({ ...at, queries: [Query.orderDesc("stars"), Query.greaterThan("stars", 1)] });
seen.listed = [listed.total, listed.rows.map((row) => row.title)];
const changed = await mine.updateRow({ ...at, rowId: listed.rows[0].$id, data: { title: "Changed" } });
seen.changed = changed.title;
await mine.deleteRow({ ...at, rowId: changed.$id });
try {
  await mine.getRow({ ...at, rowId: changed.$id });
} catch (error) {
  seen.gone = [error.code, error.type];
}

const transaction = await mine.createTransaction({ ttl: 60 });
const staged = { ...at, transactionId: transaction.$id };
const draft = await mine.createRow({ ...staged, rowId: ID.unique(), data: { title: "Draft", stars: 1 } });
await mine.updateRow({ ...staged, rowId: draft.$id, data: { stars: Operator.multiply(3, 4) } });
await mine.incrementRowColumn({ ...staged, rowId: draft.$id, column: "stars", value: 1, max: 5 });
await mine.createOperations({
  transactionId: transaction.$id,
  operations: [{ action: "update", ...at, rowId: draft.$id, data: { title: Operator.stringConcat("!") } }],
});
const within = await mine.getRow({ ...staged, rowId: draft.$id });
const outside = (await mine.listRows({ ...at, queries: [Query.equal("title", "Draft!")] })).total;
await mine.updateTransaction({ transactionId: transaction.$id, commit: true });
const committed = await mine.getRow({ ...at, rowId: draft.$id });
seen.transaction = [within.title, within.stars, outside, committed.title, committed.stars];
await mine.deleteRow({ ...at, rowId: draft.$id });

const byGraphql = await new Graphql(client).query({
  query: {
    query: "query ($d: String!) { tablesDBListRows(databaseId: $d, tableId: \"notes\") { rows { data } } }",
    variables: { d: at.databaseId },
  },
});
seen.byGraphql = byGraphql.data.tablesDBListRows.rows.map((row) => JSON.parse(row.data).title).sort();
const shorter = await new Graphql(client).query({ query: "{ accountGet { _id } }" });
seen.shorter = shorter.data.accountGet._id === user.$id;

const { jwt } = await account.createJWT();
const byJwt = new Client().setEndpoint(endpoint).setProject(project).setJWT(jwt);
seen.byJwt = (await new TablesDB(byJwt).listRows(at)).total;
const team = await new Teams(client).create({ teamId: ID.unique(), name: "Nodes" });
seen.team = team.total;

await account.deleteSession({ sessionId: "current" });
try {
  await account.get();
} catch (error) {
  seen.signedOut = [error.code, error.type];
}
console.log(JSON.stringify(seen));
