"""Every command, as it is run on a database in whose schema public somebody else has created."""

from __future__ import annotations

# every command, ordered so that each has something to work on; {} is a folder, {openai} the address of a server
CALLS = """
migrate
migrate
status
functions list
functions diff
functions diff match_documents
functions history match_documents
collection create documents --dimensions 8 --model openai:small
collection create notes --dimensions 8 --access tenant
collection adopt jobs --dimensions 8 --content title
load {}/texts --batch 40
load {}/rows.jsonl
load {}/rows.jsonl -c notes --tenant 00000000-0000-4000-8000-00000000000a
embed --once --base-url {openai}
embed -c jobs --model openai:small --base-url {openai}
index plan documents
index create documents --method hnsw --storage vector
index create documents
index create documents --where '{"n": 1}'
index list documents
index tune documents --queries 5
scale plan documents --rows 1M
log on documents --sample 1 --texts --embeddings
log show
fit documents
search fish --no-model
search fish --mode keyword
search fish --base-url {openai} --explain
search fish --base-url {openai} --mode hybrid --filter '{"n": {"$gte": 3}}'
search fish -c notes --mode keyword --tenant 00000000-0000-4000-8000-00000000000a
stats
stats documents --since 7d
evaluate documents --from-log --save {}/before.json --base-url {openai}
evaluate documents --compare {}/before.json --base-url {openai}
evaluate documents --queries {}/queries.jsonl --qrels {}/qrels.tsv --base-url {openai}
bench documents --queries 5 --rows 100
bench documents --distances --queries 5
log prune
log off documents
verify --recall 0 --seconds 0.1
verify --tenants --recall 0 --seconds 0.1 --html {}/verify.html
verify --fix --recall 0 --seconds 0.1
functions rollback match_documents --yes
migrate --overwrite-drift
collection list
collection show documents
collection refresh documents
model change documents --to openai:large --dimensions 8 --base-url {openai}
model status documents
model abort documents --yes
model change documents --to openai:large --dimensions 8 --base-url {openai}
embed --base-url {openai}
model finish documents --recall 0
model drop-old documents --yes
tenant list
tenant show 00000000-0000-4000-8000-00000000000a
tenant export 00000000-0000-4000-8000-00000000000a
collection create shelves --dimensions 8 --access tenant --partition 0
load {}/rows.jsonl -c shelves --tenant 00000000-0000-4000-8000-00000000000a
tenant isolate shelves 00000000-0000-4000-8000-00000000000a
tenant purge 00000000-0000-4000-8000-00000000000a --yes
index drop documents documents_embedding_hnsw_cosine_idx
collection release jobs --yes
collection drop notes --yes
rollback --yes
migrate
supabase export --directory {}/supabase/migrations
supabase check --directory {}/supabase/migrations
uninstall --keep-tables --yes
"""
# commands that run until they are stopped have their own test; db starts a server, and demo consists of the others
APART = {
    *("serve", "mcp", "log collect", "demo", "db start", "db stop", "db status", "db url", "db psql"),
    *("db replica start", "db replica stop", "db replica status", "db upgrade"),
}
