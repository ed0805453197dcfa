// What this package has: its release, the generated files, and errors that a user sees.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The files that js/pack.py generates from the repository. */
export const ASSETS = join(ROOT, "assets");

/** A message of one line, and what to do; the exit codes are those of the Python command. */
export class Refused extends Error {
  constructor(message, hint, exitCode = 2) {
    super(message);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

export function release() {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
}

/** In a checkout there are none. */
export function checkAssets() {
  if (!existsSync(ASSETS)) throw new Refused("this is a checkout, without the SQL that a package has", "make npm-package", 1);
}
