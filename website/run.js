// A button at each block of SQL that runs it in this page, on PostgreSQL in WebAssembly (PGlite), after the blocks before it.
import { run } from "./print.js";

let starting;

/** The page's own database, made when something is run first. */
function start() {
  starting ??= (async () => {
    const [{ PGlite, protocol }, { vector }, engine] = await Promise.all([
      import("./pglite/index.js"),
      import("./pglite-pgvector/index.js"),
      fetch(new URL("./engine.tar.gz", import.meta.url)).then((answer) => answer.blob()),
    ]);
    const database = await PGlite.create({ extensions: { vector }, loadDataDir: engine });
    return { database, protocol };
  })();
  return starting;
}

const blocks = [...document.querySelectorAll(".run-sql")].map((place) => {
  const button = Object.assign(document.createElement("button"), { textContent: "Run" });
  const status = document.createElement("p");
  place.append(button, status);
  return { place, button, status, steps: JSON.parse(place.dataset.steps), done: false };
});

/** Each command prints what psql would, and goes on after an error. */
async function runBlock({ place, steps }) {
  const { database, protocol } = await start();
  for (const output of place.querySelectorAll("output")) output.remove();
  for (const { place: number, statements, options, shown } of steps) {
    const lines = [];
    const say = (line) => lines.push(line);
    const [unaligned, tuplesOnly, quiet] = ["A", "t", "q"].map((letter) => options.includes(letter));
    for (const statement of statements) {
      await run(database, protocol, statement, { say, complain: say, unaligned, tuplesOnly, quiet, codes: false });
    }
    await database.exec("discard all"); // each psql is a session of its own
    if (!shown) continue;
    const output = Object.assign(document.createElement("output"), { textContent: lines.map((line) => `${line}\n`).join("") });
    output.dataset.place = number;
    place.append(output);
  }
}

for (const [number, block] of blocks.entries()) {
  block.button.addEventListener("click", async () => {
    for (const { button } of blocks) button.disabled = true;
    block.status.textContent = starting ? "" : "starting PostgreSQL in this page ...";
    try {
      for (const before of blocks.slice(0, number + 1)) {
        if (before.done && before !== block) continue;
        await runBlock(before);
        before.done = true;
      }
      block.status.textContent = "";
    } catch (error) {
      block.status.textContent = String(error);
    } finally {
      for (const { button } of blocks) button.disabled = false;
    }
  });
}
