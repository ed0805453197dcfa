// The client against a running project: node client.mjs URL KEY ANON_KEY
// Prints one JSON object, with what each call returned.
import { createClient } from "@supabase/supabase-js";
import { pgvec, PgvecError } from "pgvec-admin";

const [url, key, anon] = process.argv.slice(2);
const docs = pgvec(createClient(url, key)).collection();
const notes = pgvec(createClient(url, key)).collection("notes");
const told = {};

async function refused(call) {
  try {
    await call();
  } catch (error) {
    const { name, code, message, hint, details, status } = error;
    return { ours: error instanceof PgvecError, name, code, message, hint, details, status };
  }
  throw new Error(`${call} was not refused`);
}

told.upserted = await docs.upsert([
  { id: "pool-0", source: "pool.md", chunkIndex: 0, content: "A connection pool keeps connections open.", metadata: { lang: "en", year: 2024 }, embedding: [1, 0.1, 0] },
  { id: "pool-1", source: "pool.md", chunkIndex: 1, content: "A full pool makes requests wait until a timeout.", metadata: { lang: "en", year: 2025 }, embedding: new Float32Array([0.9, 0.3, 0]) },
  { id: 7, content: "Tee zieht zwei Minuten.", metadata: { lang: "de" }, embedding: "[0,0.2,1]" },
  { id: "plain", content: "A row without a vector." },
]);
told.generated = (await docs.upsert({ content: "a new row" })).length;
told.kept = await docs.upsert({ id: "plain", metadata: { lang: "en" } });
told.chunk = (await createClient(url, key).from("documents").select("source, chunk_index").eq("id", "pool-1").single()).data;

told.match = await docs.matchDocuments([1, 0, 0], { limit: 2, filter: { lang: "en" }, matchThreshold: 0.5 });
told.typed_array = (await docs.matchDocuments(new Float64Array([1, 0, 0]), { limit: 1 })).map((hit) => hit.id);
told.text = (await docs.matchDocuments("[1,0,0]", { limit: 1, distance: "l2" })).map((hit) => hit.id);
told.undefined = (await docs.matchDocuments([1, 0, 0], { limit: undefined, filter: undefined })).length;
told.keyword = await docs.keywordSearch("pool timeouts", { limit: 1, highlight: true });
told.hybrid = await docs.hybridSearch("pool timeouts", [1, 0, 0], { limit: 2, fusion: "rrf", rrfK: 60, fullTextWeight: 2, halfLife: "30 days", recencyField: "day" });
told.grouped = (await docs.hybridSearch("pool", [1, 0, 0], { groupBy: "source", candidates: 10, filter: { year: { $gte: 2024 } } })).map((hit) => hit.id);
told.search = (await docs.search("pool timeouts", { limit: 1, filter: { lang: "en" } })).map((hit) => [hit.id, typeof hit.score]);
told.search_both = (await docs.search("timeouts", { embedding: [0, 0.2, 1], limit: 2 })).map((hit) => hit.id).sort();
told.tenant = await notes.upsert({ id: "n", content: "our note", embedding: [1, 0] }, { forTenant: "00000000-0000-4000-8000-00000000000a" });
told.of_tenant = (await notes.search("note", { forTenant: "00000000-0000-4000-8000-00000000000a" })).map((hit) => hit.id);
told.of_other = await notes.search("note", { forTenant: "00000000-0000-4000-8000-00000000000b" });

told.dimensions = await refused(() => docs.matchDocuments([1, 0]));
told.operator = await refused(() => docs.search("pool", { filter: { year: { $near: 2024 } } }));
told.unknown = await refused(() => pgvec(createClient(url, key)).collection("nowhere").search("pool"));
told.parameter = await refused(() => docs.matchDocuments([1, 0, 0], { topK: 5 }));
told.not_a_number = await refused(() => docs.matchDocuments([1, NaN, 0]));
told.no_vector = await refused(() => docs.matchDocuments(undefined));
told.not_allowed = await refused(() => pgvec(createClient(url, anon)).collection().upsert({ content: "anybody" }));
told.no_network = await refused(() => pgvec(createClient("http://127.0.0.1:9", key)).collection().upsert({ content: "x" }));

told.without_vector = (await docs.upsert({ id: "pool-0", embedding: null })) && (await docs.matchDocuments([1, 0, 0], { limit: 1 })).map((hit) => hit.id);
told.deleted = [await docs.delete({ ids: ["pool-0"] }), await docs.delete({ source: "pool.md", filter: { year: 2025 } })];
told.nothing_given = await refused(() => docs.delete({}));
console.log(JSON.stringify(told));
