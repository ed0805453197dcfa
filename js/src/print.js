// Results and errors as psql prints them.

const NUMERIC = new Set([20, 21, 23, 26, 28, 700, 701, 790, 1700]); // bigint ... numeric, which are aligned to the right

/**
 * Runs statements and says what psql would print of each, until one fails; returns whether none did. `unaligned`, `tuplesOnly` and
 * `quiet` are psql's -A, -t and -q; errors have their code unless `codes` is false.
 */
export async function run(database, protocol, text, { say, complain, unaligned = false, tuplesOnly = false, quiet = false, codes = true }) {
  const onNotice = (notice) => complain(refusal(notice, codes));
  const { messages } = await database.execProtocol(protocol.serialize.query(text), { throwOnError: false, onNotice });
  const print = unaligned ? separated : table;
  let fields = [];
  let rows = [];
  for (const message of messages) {
    if (message.name === "rowDescription") [fields, rows] = [message.fields, []];
    else if (message.name === "dataRow") rows.push(message.fields.map((value) => value ?? ""));
    else if (message.name === "commandComplete") {
      const lines = fields.length ? print(fields, rows, tuplesOnly) : quiet ? [] : [message.text];
      if (lines.length) say(lines.join("\n"));
      fields = [];
    } else if (message.name === "error") {
      complain(refusal(message, codes));
      return false;
    }
  }
  return true;
}

/** Names, a line, rows, how many there are, and an empty line. */
function table(fields, rows, tuplesOnly) {
  const widths = fields.map(({ name }, place) => Math.max(tuplesOnly ? 0 : width(name), ...rows.map((row) => width(row[place]))));
  const line = (cells) => cells.map((cell) => ` ${cell} `).join("|").trimEnd();
  const centred = (text, wide) => " ".repeat(Math.floor((wide - width(text)) / 2)) + text + " ".repeat(Math.ceil((wide - width(text)) / 2));
  const aligned = (text, place) => {
    const space = " ".repeat(widths[place] - width(text));
    return NUMERIC.has(fields[place].dataTypeID) ? space + text : text + space;
  };
  const lines = rows.map((row) => line(row.map(aligned)));
  if (tuplesOnly) return [...lines, ""];
  return [line(fields.map(({ name }, place) => centred(name, widths[place]))), widths.map((wide) => "-".repeat(wide + 2)).join("+"), ...lines, count(rows), ""];
}

function separated(fields, rows, tuplesOnly) {
  const lines = rows.map((row) => row.join("|"));
  return tuplesOnly ? lines : [fields.map(({ name }) => name).join("|"), ...lines, count(rows)];
}

function count(rows) {
  return `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
}

function width(text) {
  return [...text].length;
}

/** An error or a notice, with detail and hint. */
function refusal({ severity, code, message, detail, hint }, codes) {
  const told = [`${severity}:  ${codes && severity === "ERROR" ? `${code}: ` : ""}${message}`];
  if (detail) told.push(`DETAIL:  ${detail}`);
  if (hint) told.push(`HINT:  ${hint}`);
  return told.join("\n");
}
