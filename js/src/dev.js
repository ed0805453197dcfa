// pgvec-admin dev: PostgreSQL with pgvector and this release in this process (PGlite), a prompt, or a file to run.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { PGlite, protocol } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { migration } from "./init.js";
import { Refused, release } from "./package.js";
import { run } from "./print.js";

const FIRST = "select id, round(score::numeric, 3) as score, content\n  from hybrid_search('pool timeout', '[0.6, 0.8, 0]', 2, collection => 'sample');";

/** Runs a file or the standard input, or prompts; the exit code. */
export async function dev({ file, data }, { input = process.stdin, output = process.stdout, errors = process.stderr } = {}) {
  const text = await given(file, input);
  const say = (line) => output.write(`${line}\n`);
  const complain = (line) => errors.write(`${line}\n`);
  if (text === null) say(`pgvec-admin ${release()}: PostgreSQL in this process ...`);
  const database = await open(data);
  try {
    if (text !== null) return (await run(database, protocol, text, { say, complain })) ? 0 : 1;
    say(`A scratch database${data ? ` in ${data}` : "; it ends with this prompt"}. Collection "sample" has four rows to try:\n\n=> ${FIRST}`);
    await run(database, protocol, FIRST, { say, complain });
    await prompt(database, { input, output, say, complain });
    return 0;
  } finally {
    await database.close();
  }
}

async function given(file, input) {
  if (file && file !== "-") {
    if (!existsSync(file)) throw new Refused(`there is no file ${file}`);
    return readFileSync(file, "utf8");
  }
  if (input.isTTY && file !== "-") return null;
  const chunks = [];
  for await (const chunk of input) chunks.push(chunk);
  return Buffer.concat(chunks.map((chunk) => Buffer.from(chunk))).toString("utf8");
}

/** A database with this release and the sample. One in memory is a copy of the first, which is made once and kept. */
export async function open(data) {
  const extensions = { vector };
  if (data) {
    const made = await PGlite.create(data, { extensions });
    await install(made);
    return made;
  }
  const kept = join(cacheFolder(), `dev-${createHash("sha256").update(migration() + sample()).digest("hex")}.tar.gz`);
  if (existsSync(kept)) return PGlite.create({ extensions, loadDataDir: new Blob([readFileSync(kept)]) });
  const made = await PGlite.create({ extensions });
  await install(made);
  await keep(kept, await made.dumpDataDir("gzip"));
  return made;
}

async function install(database) {
  await database.exec(migration());
  const { rows } = await database.query("select from pgvec.collections where name = 'sample'");
  if (rows.length === 0) await database.exec(sample());
}

function sample() {
  return readFileSync(new URL("./sample.sql", import.meta.url), "utf8");
}

function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pgvec-admin");
}

/** Only saves the next start some seconds: a folder that cannot be written is no error. */
async function keep(path, archive) {
  try {
    mkdirSync(cacheFolder(), { recursive: true });
    for (const older of readdirSync(cacheFolder())) if (older.startsWith("dev-")) rmSync(join(cacheFolder(), older));
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, Buffer.from(await archive.arrayBuffer()));
    renameSync(unfinished, path);
  } catch {
    // the next start installs again
  }
}

async function prompt(database, { input, output, say, complain }) {
  const lines = createInterface({ input, output, prompt: "=> " });
  let text = "";
  lines.prompt();
  for await (const line of lines) {
    if (text === "" && /^\s*(\\q|quit|exit)\s*;?\s*$/.test(line)) break;
    text += `${line}\n`;
    if (isComplete(text)) {
      if (text.trim()) await run(database, protocol, text, { say, complain });
      text = "";
    }
    lines.setPrompt(text === "" ? "=> " : "-> ");
    lines.prompt();
  }
  lines.close();
}

/** Whether a text ends with a semicolon outside of quotes and comments, or is empty. */
export function isComplete(text) {
  const plain = text.replace(/--[^\n]*|\/\*[^]*?\*\/|(\$\w*\$)[^]*?\1|'(?:[^']|'')*'|"[^"]*"/g, (found) => (/^(--|\/\*)/.test(found) ? " " : "x"));
  return plain.trim() === "" || (plain.trimEnd().endsWith(";") && !/['"]|\$\w*\$|\/\*/.test(plain));
}
