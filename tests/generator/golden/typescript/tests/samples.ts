/** Values for sample rows: valid, and different each time. */
import { randomInt } from "node:crypto";

import { newId } from "../src/core/ids.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** How resources.json says that a value is made. */
export interface Recipe {
  readonly list?: Recipe;
  readonly value?: unknown;
  readonly uuid?: true;
  readonly number?: readonly [least: number, most: number];
  readonly spelled?: readonly string[];
  readonly text?: number;
  readonly before?: string;
  readonly after?: string;
}

const START = randomInt(1_000_000_000);
const given = new Map<string, number>();

export function made(recipe: Recipe): unknown {
  if (recipe.list !== undefined) return [made(recipe.list)];
  if ("value" in recipe) return recipe.value;
  if (recipe.uuid === true) return newId();
  if (recipe.number !== undefined) {
    const [least, most] = recipe.number;
    const value = least + (next(`${least} ${most}`) % (most - least + 1));
    return recipe.before === undefined ? value : `${recipe.before}${value}`;
  }
  const alphabets = recipe.spelled ?? new Array<string>(recipe.text ?? 0).fill(LETTERS);
  return `${recipe.before ?? ""}${spelled(alphabets)}${recipe.after ?? ""}`;
}

/** Counts each kind by itself: what is made of the others uses up none of a kind of which there are few. */
function next(kind: string): number {
  const count = (given.get(kind) ?? START) + 1;
  given.set(kind, count);
  return count;
}

/** One character of each alphabet. The same text does not come back before all others were given. */
function spelled(alphabets: readonly string[]): string {
  let count = next(alphabets.join(" "));
  const found = alphabets.toReversed().map((alphabet) => {
    const place = count % alphabet.length;
    count = Math.floor(count / alphabet.length);
    return alphabet.charAt(place);
  });
  return found.toReversed().join("");
}
