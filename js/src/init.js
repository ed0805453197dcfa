// pgvec-admin init: writes this release into a Supabase project, as `pgvec-admin supabase export` does in Python.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { createTwoFilesPatch } from "diff";
import { ASSETS, Refused, release } from "./package.js";

const DIFF_LINES = 60;
const SECTION = [
  "# The function compares the caller's key itself; the gateway would refuse secret keys, which are no tokens.",
  "[functions.embed]",
  "verify_jwt = false",
];
const HAS_SECTION = /^\s*\[\s*functions\s*\.\s*["']?embed["']?\s*\]|^\s*functions\s*[.=]/m;

/**
 * Writes what the project around `folder` lacks, and says so line by line. A file that is there and differs is shown and left
 * alone; with `update` those of ours are rewritten. Returns whether ours are now those of this release.
 */
export function init(folder, { replaceExisting = false, update = false, dryRun = false, say = console.log, now = new Date() } = {}) {
  const config = findConfig(folder);
  const would = dryRun ? "would be " : "";
  let current = true;
  for (const { path, text, isOurs } of files(dirname(config), replaceExisting, now)) {
    const name = relative(resolve(folder), path);
    const there = existsSync(path) ? readFileSync(path, "utf8") : null;
    if (there === text) {
      say(`${name} is up to date`);
    } else if (there === null || (update && isOurs(there))) {
      if (!dryRun) write(path, text);
      say(`${name} ${would}${there === null ? "written" : "rewritten"}`);
    } else if (isOurs(there)) {
      current = false;
      say(`${name} differs from this release, and is left as it is:\n${difference(name, there, text)}`);
    } else {
      say(`${name} is yours, and is left as it is`);
    }
  }
  const settings = readFileSync(config, "utf8");
  if (!HAS_SECTION.test(settings)) {
    if (!dryRun) appendFileSync(config, `${settings.endsWith("\n") ? "" : "\n"}\n${SECTION.join("\n")}\n`);
    say(`${relative(resolve(folder), config)} ${would}extended:\n${SECTION.map((line) => `+${line}`).join("\n")}`);
  }
  return current;
}

/** The migration of this release; with `replaceExisting` it replaces functions of others under our names. */
export function migration(replaceExisting = false) {
  const text = asset("migration.sql");
  return replaceExisting ? text.replace("as $$ select false $$;", () => "as $$ select true $$;") : text;
}

function findConfig(folder) {
  const start = resolve(folder);
  for (let at = start; ; at = dirname(at)) {
    const config = join(at, "supabase", "config.toml");
    if (existsSync(config)) return config;
    if (at === dirname(at)) throw new Refused(`there is no supabase/config.toml in ${start} or above it`, "npx supabase init makes one");
  }
}

/** What a project gets. `isOurs` tells a file of ours, of this release or another, from one of the project's own. */
function files(project, replaceExisting, now) {
  const ours = (name) => ({ path: join(project, name), text: asset(name), isOurs: (there) => firstLine(there) === firstLine(asset(name)) });
  const start = (name) => ({ path: join(project, name), text: asset(name), isOurs: () => false });
  const [code, settings] = [ours("functions/embed/index.ts"), ours("functions/embed/deno.json")];
  const embeds = !existsSync(code.path) || code.isOurs(readFileSync(code.path, "utf8"));
  return [
    { path: migrationPath(join(project, "migrations"), now), text: migration(replaceExisting), isOurs: () => true },
    code,
    ...(embeds ? [settings] : []),
    ours("tests/search.test.sql"),
    start("seed.sql"),
    start("database.types.ts"),
  ];
}

/** The migration of this release that is there, or a new one that comes after the others. */
function migrationPath(folder, now) {
  const suffix = `_pgvec_admin_${release().replaceAll(".", "_")}.sql`;
  const there = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(suffix)).sort() : [];
  return join(folder, there.at(-1) ?? `${now.toISOString().replace(/\D/g, "").slice(0, 14)}${suffix}`);
}

function asset(name) {
  return readFileSync(join(ASSETS, name), "utf8");
}

function firstLine(text) {
  return text.split("\n", 1)[0];
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function difference(name, there, ours) {
  const lines = createTwoFilesPatch(name, "this release", there, ours, "", "", { context: 1 }).trimEnd().split("\n").slice(1);
  const more = lines.length - DIFF_LINES;
  return lines.slice(0, DIFF_LINES).join("\n") + (more > 0 ? `\n... ${more} more lines` : "");
}
