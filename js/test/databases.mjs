// Databases of PGlite for the Python tests: each a copy of a template, on a socket of its own.
// node databases.mjs SCHEMA.sql; then on stdin a JSON object a line, each answered by one:
//   {"copy": "engine", "socket": PATH}   a new database; SCHEMA.sql has made the template "engine"
//   {"save": PATH, "as": "filled"}       the database of a socket becomes a template
//   {"drop": PATH}
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { vector } from "@electric-sql/pglite-pgvector";

// read and compiled once, which makes a copy twice as fast
const dist = dirname(createRequire(import.meta.url).resolve("@electric-sql/pglite"));
const compiled = (name) => WebAssembly.compile(readFileSync(join(dist, name)));
const given = {
  extensions: { vector },
  pgliteWasmModule: await compiled("pglite.wasm"),
  initdbWasmModule: await compiled("initdb.wasm"),
  fsBundle: new Blob([readFileSync(join(dist, "pglite.data"))]),
};
const templates = new Map();
const running = new Map();

async function save(database, name) {
  templates.set(name, await database.dumpDataDir("none"));
}

const commands = {
  async copy({ copy, socket }) {
    const database = await PGlite.create({ ...given, loadDataDir: templates.get(copy) });
    const server = new PGLiteSocketServer({ db: database, path: socket, maxConnections: 1 });
    await server.start();
    running.set(socket, { database, server });
  },
  async save({ save: socket, as }) {
    await save(running.get(socket).database, as);
  },
  async drop({ drop }) {
    const { database, server } = running.get(drop);
    running.delete(drop);
    await server.stop();
    await database.close();
  },
};

const engine = await PGlite.create(given);
await engine.exec(readFileSync(process.argv[2], "utf8"));
await save(engine, "engine");
await engine.close();
console.log("{}");

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    await commands[Object.keys(request)[0]](request);
    console.log("{}");
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
  }
}
process.exit(0);
