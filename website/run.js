// A button at each block of SQL that runs it in this page, on PostgreSQL in WebAssembly (PGlite). Where a command that is no SQL comes
// before, such as loading files, the database begins as that command has left it.
import { run } from "./print.js";

const fetched = (name) => fetch(new URL(`./${name}`, import.meta.url));

let parts;

/** What every database of the page is made of, fetched when something is run first. */
function load() {
  parts ??= (async () => {
    const [{ PGlite, protocol }, { vector }, empty, engine] = await Promise.all([
      import("./pglite/index.js"),
      import("./pglite-pgvector/index.js"),
      fetched("empty.tar.gz").then((answer) => answer.blob()),
      text("engine.sql.gz"),
    ]);
    return { PGlite, protocol, vector, empty, known: engine.split("\n") };
  })();
  return parts;
}

async function text(name) {
  return new Response((await fetched(name)).body.pipeThrough(new DecompressionStream("gzip"))).text();
}

/** A database as a file has it: lines, or the number of the first and how many of the engine's. */
async function opened(state) {
  const [{ PGlite, vector, empty, known }, lines] = await Promise.all([load(), text(state).then(JSON.parse)]);
  const made = await PGlite.create({ extensions: { vector }, loadDataDir: empty });
  await made.exec(lines.flatMap((line) => (typeof line === "string" ? line : known.slice(line[0], line[0] + line[1]))).join("\n"));
  await made.exec("discard all");
  return made;
}

const blocks = [...document.querySelectorAll(".run-sql")].map((place) => {
  const button = Object.assign(document.createElement("button"), { textContent: "Run" });
  const status = document.createElement("p");
  place.append(button, status);
  return { place, button, status, steps: JSON.parse(place.dataset.steps) };
});
const steps = blocks.flatMap(({ place, steps }) => steps.map((step) => ({ ...step, place })));

let database; // as it is before the step with the number `next`
let next;

/** Runs the steps of a block, after those that its database comes from. */
async function runBlock(block) {
  const first = steps.findIndex(({ place }) => place === block.place);
  const last = first + block.steps.length - 1;
  const begin = steps.findLastIndex(({ state }, number) => state && number <= first);
  if (next === undefined || next > first || next < begin) next = begin;
  for (; next <= last; next++) {
    if (steps[next].state) {
      const before = database;
      database = undefined;
      await before?.close();
      database = await opened(steps[next].state);
    }
    await runStep(steps[next]);
  }
}

/** A command prints what psql would, and goes on after an error. */
async function runStep({ place, number, sql: { statements, options } }) {
  const { protocol } = await load();
  const lines = [];
  const complain = (line) => lines.push(line);
  const [unaligned, tuplesOnly, quiet, silent] = [..."Atqo"].map((letter) => options.includes(letter));
  const say = silent ? () => {} : complain;
  for (const statement of statements) {
    await run(database, protocol, statement, { say, complain, unaligned, tuplesOnly, quiet, codes: false });
  }
  await database.exec("discard all"); // each psql is a session of its own
  place.querySelector(`output[data-number="${number}"]`)?.remove();
  const output = Object.assign(document.createElement("output"), { textContent: lines.map((line) => `${line}\n`).join("") });
  output.dataset.number = number;
  place.append(output);
}

for (const block of blocks) {
  block.button.addEventListener("click", async () => {
    for (const { button } of blocks) button.disabled = true;
    block.status.textContent = database ? "running ..." : "starting PostgreSQL in this page ...";
    try {
      await runBlock(block);
      block.status.textContent = "";
    } catch (error) {
      next = undefined;
      block.status.textContent = String(error);
    } finally {
      for (const { button } of blocks) button.disabled = false;
    }
  });
}
