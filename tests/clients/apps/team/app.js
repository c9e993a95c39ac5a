// Crew: sign up, verify the address, protect the account with a second factor, and invite others to a team.
import { Account, AuthenticationFactor, AuthenticatorType, client, fill, ID, named, on, show, Teams, welcome } from "/page.js";

const account = new Account(client);
const teams = new Teams(client);
const link = Object.fromEntries(new URLSearchParams(location.search));

async function start() {
  if (location.pathname === "/verify") {
    await account.updateEmailVerification({ userId: link.userId, secret: link.secret });
  }
  if (location.pathname === "/join") {
    const { teamId, membershipId, userId, secret } = link;
    await teams.updateMembershipStatus({ teamId, membershipId, userId, secret });
  }
  history.replaceState(null, "", "/");
  await home();
}

async function home() {
  let user;
  try {
    user = await account.get();
  } catch (error) {
    if (error.type === "user_more_factors_required") return await secondFactor();
    if (error.code === 401) return welcome(account, home);
    throw error;
  }
  const screen = show("home", {
    name: user.name,
    verified: user.emailVerification ? "verified" : "not verified",
    mfa: user.mfa ? "You are asked for a second factor." : "Your password is enough.",
  });
  screen.verify.hidden = user.emailVerification;
  on("click", screen.verify, async () => {
    await account.createEmailVerification({ url: `${location.origin}/verify` });
    screen.verified.textContent = "not verified: look into your mail";
  });
  on("click", screen.leave, async () => {
    await account.deleteSession({ sessionId: "current" });
    await home();
  });
  on("click", screen.protect, async () => {
    const app = await account.createMFAAuthenticator({ type: AuthenticatorType.Totp });
    screen.secret.textContent = app.secret;
    screen.confirm.hidden = false;
  });
  on("submit", screen.confirm, async ({ otp }) => {
    await account.updateMFAAuthenticator({ type: AuthenticatorType.Totp, otp });
    await account.updateMFA({ mfa: true });
    await home();
  });
  on("submit", screen.found, async ({ name }) => {
    await teams.create({ teamId: ID.unique(), name });
    await home();
  });
  for (const team of (await teams.list()).teams) await list(screen.teams, team);
}

async function list(among, team) {
  const { memberships } = await teams.listMemberships({ teamId: team.$id });
  const members = memberships.map((each) => `${each.userName}${each.confirm ? "" : ", invited"}`);
  const item = fill("team", { name: team.name, members: members.join("; ") });
  on("submit", named(item).invite, async ({ name, email }) => {
    const url = `${location.origin}/join`;
    await teams.createMembership({ teamId: team.$id, roles: ["member"], email, name, url });
    await home();
  });
  among.append(item);
}

async function secondFactor() {
  const { $id: challengeId } = await account.createMFAChallenge({ factor: AuthenticationFactor.Totp });
  const { prove } = show("second-factor");
  on("submit", prove, async ({ otp }) => {
    await account.updateMFAChallenge({ challengeId, otp });
    await home();
  });
}

start().catch((error) => {
  document.querySelector("[role=alert]").textContent = error.message;
});
