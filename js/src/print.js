// Results and errors as psql prints them.

/** A table: names, a line, rows, and how many there are. */
export function columns(names, rows) {
  const cells = rows.map((row) => row.map((value) => value ?? ""));
  const widths = names.map((name, place) => Math.max(...[name, ...cells.map((row) => row[place])].map(width)));
  const line = (row) => row.map((cell, place) => ` ${cell}${" ".repeat(widths[place] - width(cell))} `).join("|").trimEnd();
  const count = `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
  return [line(names), widths.map((wide) => "-".repeat(wide + 2)).join("+"), ...cells.map(line), count].join("\n");
}

function width(text) {
  return [...text].length;
}

/** An error or a notice, with detail and hint. */
export function refusal({ severity, code, message, detail, hint }) {
  const told = [`${severity}: ${code && code !== "00000" ? `${code}: ` : ""}${message}`];
  if (detail) told.push(`DETAIL: ${detail}`);
  if (hint) told.push(`HINT: ${hint}`);
  return told.join("\n");
}
