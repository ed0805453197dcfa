-- pgvec.model_prices -- what providers asked for a million tokens, in dollars, and when they asked that.
-- The setting embedding_price of a collection says what it costs you.
create or replace function pgvec.model_prices()
  returns table (model text, dollars numeric, asked date)
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select p.model, p.dollars, date '2025-10-01'
    from (values ('openai:text-embedding-3-small', 0.02),
                 ('openai:text-embedding-3-large', 0.13),
                 ('openai:text-embedding-ada-002', 0.10),
                 ('openai:voyage-3-large', 0.18),
                 ('openai:voyage-3.5', 0.06),
                 ('openai:voyage-3.5-lite', 0.02),
                 ('openai:voyage-code-3', 0.18),
                 ('openai:gemini-embedding-001', 0.15),
                 ('openai:embed-v4.0', 0.12),
                 ('openai:mistral-embed', 0.10),
                 ('openai:codestral-embed', 0.15)) as p (model, dollars)
$$;
comment on function pgvec.model_prices() is 'Dollars for a million tokens, by model (provider:name), as its provider asked on that day.';
revoke all on function pgvec.model_prices() from public;
