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
import { rewind, saved } from "./rewind.mjs";

// read and compiled once, which makes a new one twice as fast
const dist = dirname(createRequire(import.meta.url).resolve("@electric-sql/pglite"));
const compiled = (name) => WebAssembly.compile(readFileSync(join(dist, name)));
const given = {
  startParams: [...PGlite.defaultStartParams, "-c", "shared_buffers=16MB"], // less memory to put back
  extensions: { vector },
  pgliteWasmModule: await compiled("pglite.wasm"),
  initdbWasmModule: await compiled("initdb.wasm"),
  fsBundle: new Blob([readFileSync(join(dist, "pglite.data"))]),
};
const templates = new Map(); // the files of each
const running = new Map(); // by the socket
const idle = []; // with the states that they can be put back to: one for each template that was copied or made there

const LOADED = "select string_agg(module_name, ',' order by module_name) as names from pg_get_loaded_modules()";
// what all tests need is loaded before a state is saved
const LOAD = "select '[1]'::extensions.vector; do $$ begin end $$; select to_tsvector('english', 'words')";

async function loaded(database) {
  const { rows } = await database.query(LOADED);
  return rows[0].names;
}

/** An idle one in the state of a template, or a new one. */
async function copied(template) {
  const place = idle.findIndex(({ states }) => states.has(template));
  if (place >= 0) {
    const [instance] = idle.splice(place, 1);
    rewind(instance.database, instance.states.get(template));
    return instance;
  }
  const database = await PGlite.create({ ...given, loadDataDir: templates.get(template) });
  await database.exec(LOAD);
  const instance = { database, libraries: await loaded(database), states: new Map() };
  instance.states.set(template, saved(database));
  return instance;
}

async function release(instance) {
  const { database, libraries } = instance;
  try {
    if (database.isInTransaction()) await database.exec("rollback");
    await database.exec("discard all");
    if ((await loaded(database)) === libraries) return idle.push(instance);
  } catch {} // a broken one
  await database.close().catch(() => {});
}

const REQUESTS = { ssl: 80877103, gss: 80877104, cancel: 80877102 };
const TERMINATE = "X".charCodeAt(0);

// PGlite takes a statement whole: it would wait for the rows of COPY without end.
const COPY = /^Q.{4}\s*copy\b.*\bfrom\s+stdin\b/is;
const REFUSAL = "do $$ begin raise feature_not_supported using message = 'no COPY from a client'; end $$\0";
const REFUSED = Buffer.from(`Q....${REFUSAL}`);
REFUSED.writeInt32BE(4 + REFUSAL.length, 1);

/** The protocol of PostgreSQL for one client at a time; another is turned away. The session goes on for the next. */
function listen(database, path) {
  let before = null; // the client that there is
  const sockets = new Set();
  const server = createServer(async (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.pause();
    // One that has gone may be told only now. Turns are counted, not time: a statement lets no other event through.
    for (let turn = 0; before && turn < 50; turn++) await new Promise((done) => setTimeout(done, 10));
    if (before || socket.destroyed) return socket.destroy();
    before = new Promise((done) => socket.on("close", done))
      .then(() => working)
      .then(() => database.isInTransaction() && database.exec("rollback"))
      .catch(() => {})
      .then(() => (before = null));
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
        const asked = COPY.test(message.toString("latin1")) ? REFUSED : message;
        await database.execProtocolRawStream(new Uint8Array(asked), { onRawData: (answer) => socket.write(Buffer.from(answer)) });
      }
    };
    socket.on("data", (data) => (working = working.then(() => take(data)).catch(() => socket.destroy())));
    socket.resume();
  });
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    return before;
  };
  return new Promise((done) => server.listen(path, () => done({ close })));
}

const commands = {
  async copy({ copy, socket }) {
    const instance = await copied(copy);
    running.set(socket, { instance, listener: await listen(instance.database, socket) });
  },
  async save({ save: socket, as }) {
    const { database, states, libraries } = running.get(socket).instance;
    templates.set(as, await database.dumpDataDir("none"));
    if ((await loaded(database)) === libraries) states.set(as, saved(database));
  },
  async drop({ drop }) {
    const { instance, listener } = running.get(drop);
    running.delete(drop);
    await listener.close();
    await release(instance);
  },
};

const engine = await PGlite.create(given);
await engine.exec(readFileSync(process.argv[2], "utf8"));
templates.set("engine", await engine.dumpDataDir("none"));
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
