/** What JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined };

type Value = string | number | boolean | null;

/** The operators of a filter; a value of a key is compared with each of them. */
export interface Operators {
  /** equal, or a list with this in it */
  $eq?: Value;
  /** neither equal nor a list with this in it, or not there */
  $ne?: Value;
  $gt?: number | string;
  $gte?: number | string;
  $lt?: number | string;
  $lte?: number | string;
  /** one of these, or a list with one of them in it */
  $in?: readonly Value[];
  /** none of these and no list with one of them in it, or not there */
  $nin?: readonly Value[];
  /** one of the two, or between them; the lower first */
  $between?: readonly [number, number] | readonly [string, string];
  /** there, or with `false` not there */
  $exists?: boolean;
  /** a string of this pattern with % and _ */
  $like?: string;
  /** as $like, in upper or lower case */
  $ilike?: string;
  /** a list with this in it */
  $contains?: Value;
  /** a list with any of these in it */
  $containsAny?: readonly Value[];
  /** a list with all of these in it */
  $containsAll?: readonly Value[];
}

/**
 * Which rows: the metadata has to contain what is plain, nested objects included, and operators compare. The server refuses
 * operators that do not exist, with the list of those that do.
 */
export interface Filter extends Readonly<Partial<Record<keyof Operators, never>>> {
  readonly $and?: readonly Filter[];
  readonly $or?: readonly Filter[];
  readonly $not?: Filter;
  /** words, "phrases" and -words of the content; at the top only */
  readonly $text?: string;
  readonly [key: string]: Value | readonly Json[] | Operators | Filter | readonly Filter[] | undefined;
}

/** A vector: numbers, or their JSON text. */
export type Embedding = readonly number[] | Float32Array | Float64Array | string;

/** A row that was found. `Metadata` is what the rows of the collection have there. */
export interface Found<Metadata = Json> {
  id: string;
  content: string;
  metadata: Metadata;
}

export interface Match<Metadata = Json> extends Found<Metadata> {
  /** for cosine 1 - distance, for inner_product the product, for l2 and l1 1 / (1 + distance) */
  similarity: number;
}

export interface KeywordHit<Metadata = Json> extends Found<Metadata> {
  score: number;
  /** with `highlight`, the text around the words, these between the marks: HTML, the text is escaped */
  headline: string | null;
}

export interface HybridHit<Metadata = Json> extends Found<Metadata> {
  score: number;
  similarity: number | null;
  keyword_score: number | null;
  semantic_rank: number | null;
  keyword_rank: number | null;
}

export interface Hit<Metadata = Json> extends Found<Metadata> {
  score: number;
  similarity: number | null;
  keyword_score: number | null;
  /** with `highlight`, the text around the words, these between <mark> and </mark>: HTML, the text is escaped */
  headline: string | null;
}

export interface TenantOption {
  /** whose rows, where rows belong to tenants and the caller has several */
  forTenant?: string;
}

export interface FilterOptions extends TenantOption {
  /** how many rows at most: 1 to 1000 */
  limit?: number;
  filter?: Filter;
}

export interface MatchOptions extends FilterOptions {
  /** the least similarity */
  matchThreshold?: number;
  /** another distance than the collection's own, by an exact scan */
  distance?: "cosine" | "l2" | "inner_product" | "l1";
}

export interface WordOptions extends FilterOptions {
  /** web: "phrases" and -words; plain: quotes and minus signs mean nothing */
  syntax?: "web" | "plain";
  /** bm25, or another of pgvec.rankings */
  ranking?: "bm25" | "ts_rank" | "ts_rank_cd" | (string & {});
  /** words that no row has count as the nearest that some have */
  fuzzy?: boolean;
  /** the last word may be the beginning of one */
  prefix?: boolean;
}

export interface KeywordOptions extends WordOptions {
  /** add a headline */
  highlight?: boolean;
  /** what stands before a word in it; <mark>, and not escaped */
  markStart?: string;
  /** what stands behind it */
  markStop?: string;
  /** the least score */
  matchThreshold?: number;
}

export interface HybridOptions extends WordOptions {
  fullTextWeight?: number;
  semanticWeight?: number;
  /** how the two are combined; rrf where `rrfK` is given, else dbsf */
  fusion?: "dbsf" | "rrf" | "minmax" | "weighted";
  rrfK?: number;
  /** the least similarity of what the vector side brings */
  matchThreshold?: number;
  /** how many rows either side brings */
  candidates?: number;
  /** only the best row of each source ("source") or value of a metadata key */
  groupBy?: string;
  /** 0 to 1: how much a row like one before it is held back */
  diversity?: number;
  /** a date in the metadata, with `halfLife` */
  recencyField?: string;
  /** an interval such as "30 days": the age at which half of the score is left */
  halfLife?: string;
  /** end before the largest drop of the score */
  autocut?: boolean;
}

export interface SearchOptions extends FilterOptions {
  /** the text's vector, by the model of the collection's rows; without it, what `pgvec-admin fit` has learned, or words alone */
  embedding?: Embedding | null;
  /** add a headline */
  highlight?: boolean;
  /** only the best row of each source ("source") or value of a metadata key */
  groupBy?: string;
  /** the least similarity of what the vector brings */
  matchThreshold?: number;
}

/** A row to write. A key that is left out keeps the row's value; without an id it is a new row. */
export interface Document<Metadata = Json> {
  id?: string | number;
  content?: string;
  metadata?: Metadata;
  /** null removes the vector */
  embedding?: Embedding | null;
  source?: string | null;
  chunkIndex?: number | null;
  /** a text search configuration, such as english */
  language?: string | null;
  /** whose row it is, where rows belong to accounts */
  ownerId?: string | null;
}

/** Which rows to delete; what is given applies together. */
export interface Which extends TenantOption {
  ids?: readonly string[];
  source?: string;
  filter?: Filter;
}

/** A call that was refused. */
export declare class PgvecError extends Error {
  name: "PgvecError";
  /** the SQLSTATE (PV001 ...) or PostgREST's code (PGRST202 ...) */
  code: string | null;
  /** what to do about it */
  hint: string | null;
  details: string | null;
  /** the status of the HTTP answer */
  status: number | null;
}

/** Each method calls one SQL function, and rejects with a PgvecError where that refuses. */
export declare class Collection<Metadata = Json> {
  constructor(client: Client, name: string);
  readonly name: string;
  /** search: the best rows for a text, by its words and by its vector. */
  search(text: string, options?: SearchOptions): Promise<Hit<Metadata>[]>;
  /** match_documents: the rows nearest to a vector. */
  matchDocuments(embedding: Embedding, options?: MatchOptions): Promise<Match<Metadata>[]>;
  /** keyword_search: the rows that share words with a text, best first. */
  keywordSearch(text: string, options?: KeywordOptions): Promise<KeywordHit<Metadata>[]>;
  /** hybrid_search: the rows that are best by words and vector together. */
  hybridSearch(text: string, embedding: Embedding, options?: HybridOptions): Promise<HybridHit<Metadata>[]>;
  /** upsert_documents: writes rows, and returns their ids in the order of the documents. */
  upsert(documents: Document<Metadata> | readonly Document<Metadata>[], options?: TenantOption): Promise<string[]>;
  /** delete_documents: deletes rows, and returns how many. */
  delete(which: Which): Promise<number>;
}

/** What is needed of a client of supabase-js, with generated types or without. */
export interface Client {
  rpc(name: any, parameters?: any): PromiseLike<{ data: any; error: any; status?: number }>;
}

/** The collections of a project, through a client of supabase-js. */
export declare function pgvec(client: Client): {
  collection<Metadata = Json>(name?: string): Collection<Metadata>;
};
