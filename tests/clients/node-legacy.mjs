// The official Node SDK's `Databases`: collections, attributes and documents of an app that has not moved on.
// Takes endpoint, project and key; prints what it saw as one line of JSON.
import { Account, Client, Databases, ID, Permission, Query, Role, TablesDB, Users } from "node-appwrite";

const [endpoint, project, key] = process.argv.slice(2);
const seen = {};

const server = new Client().setEndpoint(endpoint).setProject(project).setKey(key);
const databases = new Databases(server);

const database = await databases.create({ databaseId: ID.unique(), name: "Old" });
seen.type = database.type;
const collection = await databases.createCollection({
  databaseId: database.$id,
  collectionId: "notes",
  name: "Notes",
  permissions: [Permission.create(Role.users())],
  documentSecurity: true,
});
const at = { databaseId: database.$id, collectionId: collection.$id };
seen.security = collection.documentSecurity;
const attribute = await databases.createStringAttribute({ ...at, key: "title", size: 50, required: true });
seen.attribute = [attribute.key, attribute.status, attribute.size];
await databases.createIntegerAttribute({ ...at, key: "stars", required: false, min: 0, max: 5 });
await databases.updateIntegerAttribute({ ...at, key: "stars", required: false, xdefault: 1, min: 0, max: 9 });
const index = await databases.createIndex({ ...at, key: "by_stars", type: "key", attributes: ["stars"] });
seen.index = [index.key, index.attributes];
seen.collection = (await databases.getCollection(at)).attributes.map((each) => [each.key, each.default]);

const email = `old-${ID.unique()}@example.com`;
const password = "correct horse battery";
await new Users(server).create({ userId: ID.unique(), email, password });
const session = await new Account(server).createEmailPasswordSession({ email, password });
const mine = new Databases(new Client().setEndpoint(endpoint).setProject(project).setSession(session.secret));
for (const stars of [3, 2]) {
  await mine.createDocument({ ...at, documentId: `note-${stars}`, data: { title: `Note ${stars}`, stars } });
}
await mine.incrementDocumentAttribute({ ...at, documentId: "note-2", attribute: "stars", value: 5 });
const queries = [Query.orderDesc("stars"), Query.greaterThan("stars", 1)];
const listed = await mine.listDocuments({ ...at, queries });
seen.listed = [listed.total, listed.documents.map((each) => [each.$id, each.stars, each.$collectionId])];
await mine.upsertDocument({ ...at, documentId: "note-3", data: { title: "Changed" } });
await mine.deleteDocument({ ...at, documentId: "note-2" });
try {
  await mine.getDocument({ ...at, documentId: "note-2" });
} catch (error) {
  seen.gone = [error.code, error.type];
}
const rows = await new TablesDB(server).listRows({ databaseId: database.$id, tableId: "notes" });
seen.asRows = rows.rows.map((row) => [row.title, row.stars, row.$tableId]);
console.log(JSON.stringify(seen));
