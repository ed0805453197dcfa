// Databases of PGlite for the Python tests: each a copy of a template, on a socket of its own.
// node databases.mjs SCHEMA.sql; then on stdin a JSON object a line, each answered by one:
//   {"copy": "engine", "socket": PATH}   a new database; SCHEMA.sql has made the template "engine"
//   {"save": PATH, "as": "filled"}       the database of a socket becomes a template
//   {"drop": PATH}
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { PGlite } from "@electric-sql/pglite";
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

const REQUESTS = { ssl: 80877103, gss: 80877104, cancel: 80877102 };
const TERMINATE = "X".charCodeAt(0);

/** The protocol of PostgreSQL for one client at a time; another is turned away. The session goes on for the next. */
function listen(database, path) {
  let before = Promise.resolve();
  const server = createServer(async (socket) => {
    socket.on("error", () => {});
    socket.pause();
    const free = await Promise.race([before.then(() => true), new Promise((done) => setTimeout(done, 500))]);
    if (!free) return socket.destroy();
    const gone = new Promise((done) => socket.on("close", done));
    before = gone.then(() => !database.closed && database.isInTransaction() && database.exec("rollback")).catch(() => {});
    let buffer = Buffer.alloc(0);
    let started = false;
    let working = Promise.resolve();
    const take = async (data) => {
      buffer = Buffer.concat([buffer, data]);
      for (;;) {
        const head = started ? 1 : 0; // the first message has no type
        if (buffer.length < head + 4 || buffer.length < head + buffer.readInt32BE(head)) return;
        const message = buffer.subarray(0, head + buffer.readInt32BE(head));
        buffer = buffer.subarray(message.length);
        const code = started ? 0 : message.readInt32BE(4);
        if (code === REQUESTS.cancel || (started && message[0] === TERMINATE)) return;
        if (code === REQUESTS.ssl || code === REQUESTS.gss) {
          socket.write("N");
          continue;
        }
        started = true;
        await database.execProtocolRawStream(new Uint8Array(message), { onRawData: (answer) => socket.write(Buffer.from(answer)) });
      }
    };
    socket.on("data", (data) => (working = working.then(() => take(data)).catch(() => socket.destroy())));
    socket.resume();
  });
  return new Promise((done) => server.listen(path, () => done(server)));
}

const commands = {
  async copy({ copy, socket }) {
    const database = await PGlite.create({ ...given, loadDataDir: templates.get(copy) });
    const server = await listen(database, socket);
    running.set(socket, { database, server });
  },
  async save({ save: socket, as }) {
    await save(running.get(socket).database, as);
  },
  async drop({ drop }) {
    const { database, server } = running.get(drop);
    running.delete(drop);
    server.close();
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
