"""The passages that a tenant's assistant answers from: supabase-py, a user's token, and row level security.

    pip install supabase 'pgvec-admin[local]'
    python rag_supabase.py "When are refunds paid?"

SUPABASE_URL and SUPABASE_KEY are the project's, ACCESS_TOKEN is the signed-in user's. The collection is one of
`pgvec-admin collection create handbook --dimensions 384 --access tenant --model local:all-MiniLM-L6-v2`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import supabase
from pgvec_admin import providers


def retrieve(question: str, match_count: int = 3) -> list[dict[str, Any]]:
    """The passages of the user's own tenants that are best by words and by meaning."""
    client = supabase.create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_KEY"])
    client.postgrest.auth(os.environ["ACCESS_TOKEN"])
    vector = providers.provider("local:all-MiniLM-L6-v2").embed_query(question)
    arguments = {
        "query_text": question,
        "query_embedding": vector.tolist(),
        "match_count": match_count,
        "collection": "handbook",
    }
    found: Any = client.rpc("hybrid_search", arguments).execute().data
    return list(found)


def prompt(question: str, passages: list[dict[str, Any]]) -> str:
    """The prompt for the model, with each passage under its id."""
    context = "\n".join(f"[{passage['id']}] {passage['content']}" for passage in passages)
    return f"Answer from these passages alone, and name them.\n\n{context}\n\nQuestion: {question}"


if __name__ == "__main__":
    print(prompt(sys.argv[1], retrieve(sys.argv[1])))  # noqa: T201
