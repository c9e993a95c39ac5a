// Calls methods of one of the official JavaScript SDKs, as it is told on standard input: a line of JSON for each call,
// and a line for what came of it. Takes the SDK's package name.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { Window } from "happy-dom";

const [name] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const sdk = require(name);
const inBrowser = name === "appwrite";
const origin = "http://localhost:3000";

if (inBrowser) {
  const window = new Window({ url: `${origin}/` });
  // Going elsewhere is all that some methods do: keep where to.
  globalThis.window = { localStorage: window.localStorage, console: { warn: () => {} }, location: { href: "" } };
  globalThis.localStorage = window.localStorage;
  const fetch_ = globalThis.fetch;
  globalThis.fetch = (url, options = {}) => {
    const headers = new Headers(options.headers);
    headers.set("Origin", origin);
    return fetch_(url, { ...options, headers });
  };
}

const methodsOf = (service) =>
  Object.getOwnPropertyNames(sdk[service]?.prototype ?? {}).filter((each) => each !== "constructor");

/** A file as the SDK takes it. */
function fileOf({ name, contents }) {
  const bytes = Buffer.from(contents, "base64");
  return inBrowser ? new File([bytes], name) : require("node-appwrite/file").InputFile.fromBuffer(bytes, name);
}

async function answer({ service, method, said, endpoint, project, key, session }, progress) {
  if (!method) return methodsOf(service);
  const client = new sdk.Client().setEndpoint(endpoint).setProject(project);
  if (key) client.setKey(key);
  if (session) client.setSession(session);
  if (inBrowser) {
    localStorage.clear();
    window.location.href = "";
  }
  if (said.file) said.file = fileOf(said.file);
  if ("onProgress" in said) said.onProgress = (each) => progress.push(each);
  const called = new sdk[service](client);
  const given = await (Object.keys(said).length ? called[method](said) : called[method]());
  if (given instanceof ArrayBuffer) return { contents: Buffer.from(given).toString("base64") };
  return inBrowser && window.location.href ? window.location.href : given;
}

for await (const line of createInterface({ input: process.stdin })) {
  const watch = setTimeout(() => process.exit(1), 30_000); // rather than let a test wait for ever
  let told;
  try {
    const progress = [];
    told = { given: (await answer(JSON.parse(line), progress)) ?? null, progress };
  } catch (error) {
    told = { refused: `${error.code ?? ""} ${error.type ?? ""} ${error.message}` };
  }
  clearTimeout(watch);
  console.log(JSON.stringify(told));
}
