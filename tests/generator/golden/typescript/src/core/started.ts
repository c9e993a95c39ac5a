/** Whether a file is the one that `node` was told to run, rather than one that it imports. */
import { realpathSync } from "node:fs";

export function isStarted(file: string): boolean {
  const told = process.argv[1];
  return told !== undefined && realpathSync(told) === file;
}
