#!/usr/bin/env node
import { parseArgs } from "node:util";
import { checkAssets, Refused, release } from "../src/package.js";

const HELP = `Usage: pgvec-admin init | dev [options]

  init                    write the search functions into a Supabase project: migration, Edge Function, types, seed, test
    --directory DIR       in or below the project (default: here)
    --update              rewrite files of ours that differ, instead of showing how
    --replace-existing    let the migration replace functions that others made under our names; history keeps them
    --dry-run             only say what would be written

  dev                     a scratch database with the search functions in this process (PGlite), and a prompt
    --file FILE           run the SQL of a file instead; - or a pipe: of the standard input
    --data DIR            keep the database there (default: in memory)

  --version, --help

Everything else, such as loading and embedding files, is in the Python command of the same name: pip install pgvec-admin.`;

const OPTIONS = {
  init: { directory: { type: "string", default: "." }, update: { type: "boolean" }, "replace-existing": { type: "boolean" }, "dry-run": { type: "boolean" } },
  dev: { file: { type: "string" }, data: { type: "string" } },
};

async function main([command, ...rest]) {
  if (command === "--version") return console.log(release());
  if (command === undefined || command === "--help" || command === "-h" || rest.includes("--help")) return console.log(HELP);
  if (!Object.hasOwn(OPTIONS, command)) throw new Refused(`there is no command ${command}`, "npx pgvec-admin --help");
  const { values } = parsed(rest, OPTIONS[command]);
  checkAssets();
  if (command === "init") {
    const { init } = await import("../src/init.js");
    const { directory, update, "replace-existing": replaceExisting, "dry-run": dryRun } = values;
    if (!init(directory, { update, replaceExisting, dryRun })) {
      throw new Refused("not everything is of this release", "look at the differences; --update takes this release's", 4);
    }
  } else {
    const { dev } = await import("../src/dev.js");
    process.exitCode = await dev(values);
  }
}

function parsed(args, options) {
  try {
    return parseArgs({ args, options, strict: true });
  } catch (error) {
    throw new Refused(error.message.split(". ")[0], "npx pgvec-admin --help");
  }
}

main(process.argv.slice(2)).catch((error) => {
  if (!(error instanceof Refused)) throw error;
  console.error(`error: ${error.message}${error.hint ? `\nhint: ${error.hint}` : ""}`);
  process.exitCode = error.exitCode;
});
