// What the apps share: one screen at a time, forms and buttons that do something, and refusals that are shown.
import { endpoint, project } from "/where.js";

export const {
  Account, AuthenticationFactor, AuthenticatorType, Channel, Client, ID, Permission, Presences, Query, Realtime, Role, Storage,
  TablesDB, Teams,
} =
  window.Appwrite;
export const client = new Client().setEndpoint(endpoint).setProject(project);

const main = document.querySelector("main");
const alert = document.querySelector("[role=alert]");

/** Show the template with this id, its elements with a data-name filled from `said`. Gives them by name. */
export function show(id, said = {}) {
  main.replaceChildren(fill(id, said));
  alert.textContent = "";
  return named(main);
}

/** One more copy of a template, to be put into a list. */
export function fill(id, said = {}) {
  const copy = document.getElementById(id).content.cloneNode(true);
  for (const element of copy.querySelectorAll("[data-name]")) {
    if (element.dataset.name in said) element.textContent = said[element.dataset.name];
  }
  return copy;
}

export function named(within) {
  const elements = [...within.querySelectorAll("[data-name]")];
  return Object.fromEntries(elements.map((element) => [element.dataset.name, element]));
}

/** Do something when an element is clicked, changed or submitted; a form's fields come as an object. */
export function on(event, element, act) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    const fields = element instanceof HTMLFormElement ? Object.fromEntries(new FormData(element)) : {};
    alert.textContent = "";
    try {
      await act(fields);
    } catch (error) {
      alert.textContent = error.message;
    }
  });
}

/** A screen where somebody signs up or in; then the app goes on. */
export function welcome(account, next) {
  const { signUp, signIn } = show("welcome");
  on("submit", signUp, async ({ name, email, password }) => {
    await account.create({ userId: ID.unique(), email, password, name });
    await account.createEmailPasswordSession({ email, password });
    await next();
  });
  on("submit", signIn, async ({ email, password }) => {
    await account.createEmailPasswordSession({ email, password });
    await next();
  });
}
