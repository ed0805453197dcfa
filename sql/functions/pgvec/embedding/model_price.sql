-- pgvec.model_price -- what a model's provider asked for a million tokens, in dollars, in October 2025.
-- The setting embedding_price of a collection says what it costs you.
create or replace function pgvec.model_price(model text)
  returns numeric
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select p.dollars
    from (values ('openai:text-embedding-3-small', 0.02),
                 ('openai:text-embedding-3-large', 0.13),
                 ('openai:text-embedding-ada-002', 0.10),
                 ('openai:voyage-3.5', 0.06),
                 ('openai:voyage-3.5-lite', 0.02),
                 ('openai:gemini-embedding-001', 0.15),
                 ('openai:embed-v4.0', 0.12),
                 ('openai:mistral-embed', 0.10)) as p (model, dollars)
   where p.model = model_price.model
   union all
  select 0 where model_price.model like 'local:%'
$$;
comment on function pgvec.model_price(text) is 'Dollars for a million tokens of a model (provider:name), as its provider asked in October 2025; null where it is not known.';
revoke all on function pgvec.model_price(text) from public;
