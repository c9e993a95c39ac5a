/** Many rows in one request: all of them or none, and a refusal that points at its item. */
import pg from "pg";

import type { Caller } from "./access.js";
import { isVictim } from "./db.js";
import { fromDatabase, Problem } from "./errors.js";

/** The results of the work. The first item that fails ends it, and the transaction with it. */
export async function each<Item, Result>(
  pointer: string,
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  { deleting = false } = {},
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [position, item] of items.entries()) {
    try {
      results.push(await work(item));
    } catch (error) {
      if (isVictim(error)) throw error; // the whole request is run again
      const problem = error instanceof pg.DatabaseError ? fromDatabase(error, deleting) : error;
      throw problem instanceof Problem ? moved(`${pointer}/${position}`, problem) : problem;
    }
  }
  return results;
}

/** Refuse fields that the caller may not set, wherever they are. */
export function checkItemsWritable(caller: Caller, entity: string, items: readonly object[]): void {
  for (const [position, item] of items.entries()) {
    try {
      caller.checkWritable(entity, item);
    } catch (error) {
      throw error instanceof Problem ? moved(`/items/${position}`, error) : error;
    }
  }
}

function moved(pointer: string, problem: Problem): Problem {
  const errors =
    problem.errors.length > 0
      ? problem.errors.map((error) => ({ ...error, pointer: pointer + (error.pointer ?? "") }))
      : [{ pointer, code: problem.code, message: problem.detail }];
  return new Problem(problem.status, problem.code, problem.detail, errors, problem.headers, { cause: problem });
}
