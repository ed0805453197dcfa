// Typed calls of the search functions over supabase-js: index.d.ts says what each takes and returns.

/** A call that was refused: `code` is the SQLSTATE (PV001 ...) or PostgREST's (PGRST202 ...), `hint` says what to do. */
export class PgvecError extends Error {
  constructor({ message, code, hint, details }, status) {
    super(message);
    this.name = "PgvecError";
    this.code = code || null;
    this.hint = hint || null;
    this.details = details || null;
    this.status = status ?? null;
  }
}

/** The collections of a project, through a client of supabase-js. */
export function pgvec(client) {
  return { collection: (name = "documents") => new Collection(client, name) };
}

export class Collection {
  #client;

  constructor(client, name) {
    this.#client = client;
    this.name = name;
  }

  async search(text, { embedding, ...options } = {}) {
    const vector = embedding == null ? {} : { query_embedding: vectorText(embedding) };
    return this.#call("search", options, { query_text: text, ...vector });
  }

  async matchDocuments(embedding, options) {
    return this.#call("match_documents", options, { query_embedding: vectorText(embedding) });
  }

  async keywordSearch(text, options) {
    return this.#call("keyword_search", options, { query_text: text });
  }

  async hybridSearch(text, embedding, options) {
    return this.#call("hybrid_search", options, { query_text: text, query_embedding: vectorText(embedding) });
  }

  async upsert(documents, options) {
    return this.#call("upsert_documents", options, { documents: [documents].flat().map(written) });
  }

  async delete(which) {
    return this.#call("delete_documents", which);
  }

  async #call(name, options, given) {
    const { data, error, status } = await this.#client.rpc(name, { ...named(options), ...given, collection: this.name });
    if (error) throw new PgvecError(error, status);
    return data;
  }
}

/** Options by the names that the SQL functions give their parameters. */
function named(options = {}) {
  const parameter = (key) => (key === "limit" ? "match_count" : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [parameter(key), value]));
}

/** A document as upsert_documents reads it. */
function written({ chunkIndex, ownerId, embedding, ...rest }) {
  const row = { ...rest };
  if (ownerId !== undefined) row.owner_id = ownerId;
  if (chunkIndex !== undefined) row.chunk_index = chunkIndex;
  if (embedding !== undefined) row.embedding = embedding === null ? null : vectorText(embedding);
  return row;
}

/** A vector as JSON text, which is how PostgREST and the generated types take it; of a Float32Array JSON makes an object. */
function vectorText(embedding) {
  if (typeof embedding === "string") return embedding;
  if (typeof embedding?.[Symbol.iterator] !== "function") {
    throw new TypeError(`an embedding is an array of numbers, not ${embedding === null ? "null" : typeof embedding}`);
  }
  // NaN and Infinity stay what they are, so that the server refuses them by name; JSON.stringify would send null
  return `[${Array.from(embedding, String).join(",")}]`;
}
