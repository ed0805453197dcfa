// Embeds the rows of a collection that are due, and answers how many. Called by a schedule, as often as one likes: each
// call claims other rows. See docs/supabase.md.
//
//   POST {"collection": "documents", "batch": 100, "seconds": 50, "lease": 110}, each of them optional
//   answers {"collection", "embedded", "failed", "released", "more"}, and "error" where it could not go on (status 503)
//
// Environment: SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY or SUPABASE_SECRET_KEYS, which hosted functions have;
// OPENAI_API_KEY, OPENAI_BASE_URL for another server that speaks OpenAI's API; EMBEDDING_MODEL, where the collection
// is bound to no model: a name of that server, or supabase:gte-small, which runs within the function.

type Row = { id: string; content: string; content_hash: string };
type Target = { model: string | null; dimensions: number; passage_prefix: string | null };
type Embeddings = { vectors: number[][]; tokens: number };
type Options = { collection: string; batch?: number; seconds: number; lease?: number };
type Embed = (texts: string[]) => Promise<Embeddings>;
type Session = { run(text: string, options: { mean_pool: boolean; normalize: boolean }): Promise<ArrayLike<number>> };
type Platform = { Supabase?: { ai?: { Session: new (model: string) => Session } } };

const OPENAI = "https://api.openai.com/v1";
const LONGER: Record<string, number> = { "text-embedding-3-small": 1536, "text-embedding-3-large": 3072 }; // can shorten
const MOST_ROWS = 2000; // a call may take two seconds of CPU; most of it is the JSON of the vectors
const REQUEST_SECONDS = 30;
const WAIT = 60; // seconds until rows are due again that the provider failed for, where it does not say

/** No row is at fault: those that were claimed go back uncharged, and are due again after `wait` seconds. */
class Stopped extends Error {
  constructor(message: string, readonly wait = WAIT) {
    super(message);
  }
}

/** The texts of a request may be at fault; `definite` where the provider says so. */
class Refused extends Error {
  constructor(message: string, readonly definite = false, readonly wait = WAIT) {
    super(message);
  }
}

/** An error of the database, with its SQLSTATE. */
class DatabaseError extends Error {
  constructor(message: string, readonly code: string) {
    super(message);
  }
}

const setting = (name: string): string => Deno.env.get(name)?.trim() ?? "";

/** The keys that a caller may present; the database is called with the first. */
function serviceKeys(): string[] {
  const secret = Object.values(JSON.parse(setting("SUPABASE_SECRET_KEYS") || "{}") as Record<string, string>);
  return [setting("SUPABASE_SERVICE_ROLE_KEY"), ...secret].filter((key) => key !== "");
}

/** What may be told of an error: one line, and no key in it. */
function told(error: unknown): string {
  let text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").trim();
  for (const key of [...serviceKeys(), setting("OPENAI_API_KEY")]) {
    if (key) text = text.replaceAll(key, "***");
  }
  return text.length > 300 ? text.slice(0, 299) + "…" : text;
}

/** Calls a function of the database as service_role. */
async function rpc<Result>(name: string, parameters: Record<string, unknown>): Promise<Result> {
  const key = serviceKeys()[0];
  const response = await fetch(`${setting("SUPABASE_URL")}/rest/v1/rpc/${name}`, {
    method: "POST",
    headers: { apikey: key, authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(parameters),
    signal: AbortSignal.timeout(REQUEST_SECONDS * 1000),
  });
  const text = await response.text();
  if (!response.ok) {
    const { code, message, hint } = parsed(text) ?? {};
    throw new DatabaseError(`${name}: ${message ?? response.status}${hint ? ` (${hint})` : ""}`, String(code ?? ""));
  }
  return JSON.parse(text);
}

// deno-lint-ignore no-explicit-any
function parsed(text: string): any {
  try {
    const body = JSON.parse(text);
    return Array.isArray(body) ? body[0] : body; // Gemini puts its error into a list
  } catch {
    return undefined;
  }
}

/** The seconds that Retry-After wants, given in milliseconds, in seconds or as a date. */
function waitOf(headers: Headers): number {
  const milliseconds = Number(headers.get("retry-after-ms") ?? NaN);
  const after = headers.get("retry-after") ?? "";
  const seconds = /^\d/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
  const wait = Number.isNaN(milliseconds) ? seconds : milliseconds / 1000;
  return Number.isNaN(wait) ? WAIT : Math.min(Math.max(wait, 1), 3600);
}

/** The vectors of `data` in the order of the texts; Refused where they do not belong to the texts one by one. */
function vectorsOf(data: unknown, texts: number, dimensions: number): number[][] {
  if (!Array.isArray(data) || data.length !== texts) {
    const count = Array.isArray(data) ? `${data.length} vectors for ${texts} texts` : "something else than vectors";
    throw new Refused(`the server answered ${count}`);
  }
  const numbered = data.some((item) => item?.index !== undefined); // some servers number nothing
  const vectors: number[][] = [];
  data.forEach((item, place) => {
    vectors[numbered ? item?.index ?? 0 : place] = item?.embedding; // those made of protocol buffers leave 0 out
  });
  for (let place = 0; place < texts; place++) {
    const vector = vectors[place];
    if (!Array.isArray(vector)) throw new Refused("the server answered no vector for a text");
    if (vector.length !== dimensions) {
      throw new Refused(
        `the server answered a vector of ${vector.length} dimensions where ${dimensions} were expected`,
      );
    }
    if (!vector.every((value) => typeof value === "number" && Number.isFinite(Math.fround(value)))) {
      throw new Refused("the model answered a vector with NaN or infinity");
    }
    if (vector.every((value) => Math.fround(value) === 0)) throw new Refused("the model answered a zero vector");
  }
  return vectors;
}

/** A model behind the OpenAI embeddings API. */
function openai(model: string, target: Target, deadline: number): Embed {
  const base = (setting("OPENAI_BASE_URL") || OPENAI).replace(/\/+$/, "");
  const key = setting("OPENAI_API_KEY");
  if (!key && base === OPENAI) throw new Stopped("OPENAI_API_KEY is not set: supabase secrets set OPENAI_API_KEY=...");
  const shortened = target.dimensions < (LONGER[model] ?? 0) ? { dimensions: target.dimensions } : {};
  return async (texts) => {
    const input = texts.map((text) => (target.passage_prefix ?? "") + text);
    const left = deadline - performance.now();
    if (left < 0) throw new Stopped("the time is over", 0);
    let response: Response, text: string;
    try {
      response = await fetch(`${base}/embeddings`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
        body: JSON.stringify({ model, input, ...shortened }),
        signal: AbortSignal.timeout(Math.min(left, REQUEST_SECONDS * 1000)),
      });
      text = await response.text();
    } catch (error) {
      if (performance.now() >= deadline) throw new Stopped("the provider did not answer in time", 0);
      throw new Refused(`no answer: ${told(error)}`);
    }
    const body = parsed(text);
    const said = body?.error?.message ?? body?.error ?? body?.message ?? body?.detail;
    const reason = typeof said === "string" && said ? said : `status ${response.status}`;
    if ([400, 413, 422].includes(response.status)) throw new Refused(reason, true);
    if (!response.ok) {
      const explained = `the provider answered ${response.status}: ${reason}`;
      if (response.status >= 500 || response.status === 408) {
        throw new Refused(explained, false, waitOf(response.headers));
      }
      throw new Stopped(explained, waitOf(response.headers));
    }
    const vectors = vectorsOf(body?.data ?? (said ? reason : undefined), texts.length, target.dimensions);
    return { vectors, tokens: Number.isInteger(body.usage?.total_tokens) ? body.usage.total_tokens : 0 };
  };
}

/** A model of Supabase's runtime; it has one, gte-small of 384 dimensions. */
function builtin(model: string, target: Target, deadline: number): Embed {
  const ai = (globalThis as Platform).Supabase?.ai;
  if (!ai) throw new Stopped(`supabase:${model} exists only where Supabase runs this function`);
  const session = new ai.Session(model);
  return async (texts) => {
    const data = [];
    for (const text of texts) {
      if (performance.now() >= deadline) throw new Stopped("the time is over", 0);
      try {
        const input = (target.passage_prefix ?? "") + text;
        data.push({ embedding: Array.from(await session.run(input, { mean_pool: true, normalize: true })) });
      } catch (error) {
        throw new Refused(told(error));
      }
    }
    return { vectors: vectorsOf(data, texts.length, target.dimensions), tokens: 0 };
  };
}

/** The model of a collection: the one it is bound to, else EMBEDDING_MODEL. Never another one than it is bound to. */
function embedder(target: Target, deadline: number): Embed {
  const configured = setting("EMBEDDING_MODEL");
  const named = configured && !/^(openai|supabase):/.test(configured) ? `openai:${configured}` : configured;
  const spec = named || target.model || "openai:text-embedding-3-small";
  if (target.model && spec !== target.model) {
    throw new Stopped(`the collection is bound to ${target.model}, and EMBEDDING_MODEL is ${spec}`);
  }
  const [kind, model] = [spec.slice(0, spec.indexOf(":")), spec.slice(spec.indexOf(":") + 1)];
  if (kind === "openai") return openai(model, target, deadline);
  if (kind === "supabase") return builtin(model, target, deadline);
  throw new Stopped(`${spec} cannot be run here: pgvec-admin embed does`);
}

async function halved(length: number, each: (from: number, to: number) => Promise<void>): Promise<void> {
  const middle = Math.ceil(length / 2);
  await each(0, middle);
  await each(middle, length);
}

/** One call: what it has claimed and not yet given back, and what has become of the rest. */
class Run {
  embedded = 0;
  failed = 0;
  released = 0;
  private open = new Set<Row>();
  private healthy = false; // whether the provider has embedded anything since it last refused a text

  constructor(private collection: string, private model: string | null, private embed: Embed) {}

  async claim(batch: number, lease: number): Promise<Row[]> {
    const { collection } = this;
    const rows = await rpc<Row[]>("claim_embeddings", { collection, batch, lease: `${lease} s` });
    rows.forEach((row) => this.open.add(row));
    return rows;
  }

  /** Embeds and stores rows: in halves where they are refused together, down to the texts at fault. */
  async work(rows: Row[], again = false): Promise<void> {
    let made: Embeddings;
    try {
      made = await this.embed(rows.map((row) => row.content));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!this.healthy || !error.definite) await this.probe(); // what fails for any text is not the texts' fault
      if (rows.length > 1) return await halved(rows.length, (from, to) => this.work(rows.slice(from, to)));
      if (!error.definite && !again) return await this.work(rows, true);
      this.healthy = false;
      return await this.fail(rows[0], told(error));
    }
    this.healthy = true;
    await this.store(rows, made.vectors, made.tokens);
  }

  /** Gives back what is left: due again after `wait` seconds, and charged nothing. */
  async release(wait: number): Promise<void> {
    const { collection } = this;
    const failures = Array.from(this.open, ({ id, content_hash }) => ({ id, content_hash }));
    if (failures.length === 0) return;
    this.open.clear();
    this.released += await rpc<number>("fail_embeddings", { failures, collection, wait: `${wait} s` });
  }

  private async store(rows: Row[], vectors: number[][], tokens: number): Promise<void> {
    const embeddings = rows.map(({ id, content_hash }, place) => ({ id, content_hash, embedding: vectors[place] }));
    try {
      const { collection, model } = this; // a model that the collection was changed from meanwhile is not taken for its own
      const stored = { embeddings, collection, tokens, ...(model && { model }) };
      this.embedded += await rpc<number>("complete_embeddings", stored);
    } catch (error) {
      // a vector that the database refuses, such as one that is too long for halfvec
      if (!(error instanceof DatabaseError && /^(PV005|22)/.test(error.code))) throw error;
      if (rows.length === 1) return await this.fail(rows[0], told(error));
      return await halved(rows.length, async (from, to) => {
        await this.store(rows.slice(from, to), vectors.slice(from, to), from ? 0 : tokens);
      });
    }
    rows.forEach((row) => this.open.delete(row));
  }

  private async fail(row: Row, reason: string): Promise<void> {
    const failures = [{ id: row.id, content_hash: row.content_hash, reason }];
    this.failed += await rpc<number>("fail_embeddings", { failures, collection: this.collection });
    this.open.delete(row);
  }

  private async probe(): Promise<void> {
    try {
      await this.embed(["probe"]);
      this.healthy = true;
    } catch (error) {
      throw error instanceof Refused ? new Stopped(error.message, error.wait) : error;
    }
  }
}

async function embedDue({ collection, batch, seconds, lease = seconds + 60 }: Options): Promise<Response> {
  const deadline = performance.now() + seconds * 1000;
  const result = { collection, embedded: 0, failed: 0, released: 0, more: true };
  let run: Run | undefined, error: unknown;
  try {
    const [target] = await rpc<Target[]>("embedding_model", { collection });
    run = new Run(collection, target.model, embedder(target, deadline));
    const most = batch ?? (target.model?.startsWith("supabase:") ? 10 : 100);
    for (let claimed = 0, longest = 0; claimed < MOST_ROWS && performance.now() + longest < deadline;) {
      const from = performance.now();
      const rows = await run.claim(Math.min(most, MOST_ROWS - claimed), lease);
      if (rows.length === 0) {
        result.more = false;
        break;
      }
      await run.work(rows);
      claimed += rows.length;
      longest = Math.max(longest, performance.now() - from);
    }
  } catch (caught) {
    error = caught;
    console.error(`${collection}: ${told(error)}`);
    await run?.release(error instanceof Stopped ? error.wait : WAIT).catch((again) => {
      console.error(`${collection}: ${told(again)}: what was claimed is due again once its lease has ended`);
    });
  }
  if (run) [result.embedded, result.failed, result.released] = [run.embedded, run.failed, run.released];
  if (error === undefined) return Response.json(result);
  const status = error instanceof DatabaseError && error.code === "PV001" ? 404 : 503;
  return Response.json({ ...result, error: told(error) }, { status });
}

/** Whether the caller has one of the service keys. Hashes of one length tell nothing by the time it takes. */
async function isAllowed(request: Request): Promise<boolean> {
  const bearer = (request.headers.get("authorization") ?? "").replace(/^Bearer +/i, "");
  const hash = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const given = await hash(bearer);
  let allowed = false;
  for (const key of serviceKeys()) {
    const differences = (await hash(key)).reduce((sum, byte, place) => sum | (byte ^ given[place]), 0);
    allowed = differences === 0 || allowed;
  }
  return allowed;
}

/** The options in the body of a request, or what is wrong with it. */
function optionsOf(text: string): Options | string {
  const body = text.trim() ? parsed(text) : {};
  if (body === null || typeof body !== "object") return "the body is no JSON object";
  const { collection = "documents", batch, seconds = 50, lease, ...others } = body;
  const inRange = (value: unknown, from: number, to: number) =>
    typeof value === "number" && value >= from && value <= to;
  if (Object.keys(others).length > 0) return `unknown: ${told(Object.keys(others).join(", "))}`;
  if (typeof collection !== "string") return "collection is a name";
  if (batch !== undefined && !(Number.isInteger(batch) && inRange(batch, 1, MOST_ROWS))) {
    return `batch is a whole number from 1 to ${MOST_ROWS}`;
  }
  if (!inRange(seconds, 1, 390)) return "seconds is a number from 1 to 390";
  if (lease !== undefined && !inRange(lease, 1, 3600)) return "lease is a number of seconds from 1 to 3600";
  return { collection, batch, seconds, lease };
}

Deno.serve(async (request) => {
  if (!await isAllowed(request)) return Response.json({ error: "only with the service role key" }, { status: 401 });
  if (request.method !== "POST") return Response.json({ error: "POST only" }, { status: 405 });
  const options = optionsOf(await request.text());
  return typeof options === "string" ? Response.json({ error: options }, { status: 400 }) : await embedDue(options);
});
