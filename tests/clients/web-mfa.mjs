// The official web SDK, as a page signs in with a second factor: half a session, a challenge, a whole one.
// Takes endpoint, project, e-mail, password; prints what it saw as one line of JSON.
import { createHmac } from "node:crypto";
import { Window } from "happy-dom";

const [endpoint, project, email, password] = process.argv.slice(2);
const seen = {};

const window = new Window({ url: "http://app.localhost:3000/" });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.FormData = window.FormData;
globalThis.File = window.File;
const { Account, AuthenticationFactor, AuthenticatorType, Client, ID } = await import("appwrite");
const account = new Account(new Client().setEndpoint(endpoint).setProject(project));
const fetch_ = globalThis.fetch;
globalThis.fetch = (url, options = {}) => {
  const headers = new Headers(options.headers);
  headers.set("Origin", "http://app.localhost:3000");
  return fetch_(url, { ...options, headers });
};

// An authenticator app (RFC 6238). The server takes a code once, so each one is of a later step.
let step = Math.floor(Date.now() / 30000) - 2;
function code(secret) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((each) => alphabet.indexOf(each).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((each) => parseInt(each, 2)));
  const counter = Buffer.alloc(8);
  step = Math.max(step + 1, Math.floor(Date.now() / 30000) - 1);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, "0");
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return [error.code, error.type];
  }
}

await account.create({ userId: ID.unique(), email, password });
await account.createEmailPasswordSession({ email, password });
const app = await account.createMFAAuthenticator({ type: AuthenticatorType.Totp });
await account.updateMFAAuthenticator({ type: AuthenticatorType.Totp, otp: code(app.secret) });
seen.mfa = (await account.updateMFA({ mfa: true })).mfa;
const { recoveryCodes } = await account.createMFARecoveryCodes();
seen.codes = recoveryCodes.length;
await account.deleteSession({ sessionId: "current" });

await account.createEmailPasswordSession({ email, password });
seen.half = await refusal(() => account.get());
const factors = await account.listMFAFactors();
seen.factors = [factors.totp, factors.email, factors.recoveryCode];
let { $id: challengeId } = await account.createMFAChallenge({ factor: AuthenticationFactor.Totp });
seen.wrong = await refusal(() => account.updateMFAChallenge({ challengeId, otp: "wrong!" }));
const session = await account.updateMFAChallenge({ challengeId, otp: code(app.secret) });
seen.shown = session.factors;
seen.whole = (await account.get()).email === email;

({ $id: challengeId } = await account.createMFAChallenge({ factor: AuthenticationFactor.Recoverycode }));
await account.updateMFAChallenge({ challengeId, otp: recoveryCodes[0] });
seen.left = (await account.getMFARecoveryCodes()).recoveryCodes.length;
await account.deleteMFAAuthenticator({ type: AuthenticatorType.Totp });
seen.gone = (await account.listMFAFactors()).totp;
console.log(JSON.stringify(seen));
await window.happyDOM.close();
