// Calls of the client, with the types of `supabase gen types` and without.
import { createClient } from "@supabase/supabase-js";
import { pgvec, PgvecError, type Filter } from "pgvec-admin";
import type { Database } from "./database.types";

const docs = pgvec(createClient<Database>("", "")).collection<{ lang: string; year?: number }>("documents");
const untyped = pgvec(createClient("", "")).collection();

const hits = await docs.search("how do I reset my password", { limit: 5, filter: { lang: "en" } });
export const lang: string = hits[0].metadata.lang;
export const score: number = hits[0].score;
await docs.search("x", { embedding: [1, 2, 3], filter: { year: { $gte: 2020 } } });
const near = await docs.matchDocuments(new Float32Array(3), {
  matchThreshold: 0.5,
  filter: { $or: [{ lang: "de" }, { tags: { $contains: "sql" } }], author: { name: "Ann" }, $not: { year: { $between: [1, 2] } }, tags: ["a"] },
});
export const similarity: number = near[0].similarity;
const filter: Filter = { $text: "pool -noon", $and: [{ $not: { a: { $in: [1, "2", null] } } }], z: null };
export const headline: string | null = (await untyped.keywordSearch("x", { filter, highlight: true }))[0].headline;
await docs.hybridSearch("x", JSON.stringify([1, 2, 3]), { rrfK: 60, fusion: "rrf", halfLife: "30 days" });
export const ids: string[] = await docs.upsert([
  { id: 1, content: "x", embedding: new Float32Array(3), metadata: { lang: "en" }, chunkIndex: 0 },
  { id: "1", embedding: null },
]);
export const deleted: number = await docs.delete({ ids: ["a"], filter: { lang: { $ne: "en" } } });
try {
  await untyped.search("");
} catch (error) {
  if (error instanceof PgvecError) console.error(error.code?.startsWith("PV"), error.hint, error.status);
}
