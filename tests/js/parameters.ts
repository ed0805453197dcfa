// Does not compile where the options or the results of the client are not those of the SQL functions.
import type { Hit, HybridHit, HybridOptions, KeywordHit, KeywordOptions, Match, MatchOptions, SearchOptions, TenantOption, Which } from "pgvec-admin";
import type { Database } from "./database.types";

type Functions = Database["public"]["Functions"];
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : Name;
type Parameter<Option> = Option extends "limit" ? "match_count" : Option extends string ? Snake<Option> : never;
type Same<Ours, Theirs> = [Ours, Theirs] extends [Theirs, Ours] ? true : { extra: Exclude<Ours, Theirs>; missing: Exclude<Theirs, Ours> };
type Takes<Options, Given, Name extends keyof Functions> = Same<Parameter<keyof Options> | Given | "collection", keyof Functions[Name]["Args"]>;
type Returns<Row, Name extends "match_documents" | "keyword_search" | "hybrid_search" | "search"> = Same<keyof Row, keyof Functions[Name]["Returns"][number]>;

function check<Holds extends true>(): Holds | undefined {
  return undefined;
}

check<Takes<MatchOptions, "query_embedding", "match_documents">>();
check<Takes<KeywordOptions, "query_text", "keyword_search">>();
check<Takes<HybridOptions, "query_text" | "query_embedding", "hybrid_search">>();
check<Takes<Omit<SearchOptions, "embedding">, "query_text" | "query_embedding", "search">>();
check<Takes<TenantOption, "documents", "upsert_documents">>();
check<Takes<Which, never, "delete_documents">>();
check<Returns<Match, "match_documents">>();
check<Returns<KeywordHit, "keyword_search">>();
check<Returns<HybridHit, "hybrid_search">>();
check<Returns<Hit, "search">>();
