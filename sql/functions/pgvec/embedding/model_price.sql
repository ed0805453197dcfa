-- pgvec.model_price -- what a model's provider asked for a million tokens, in dollars; a local model costs nothing.
-- The setting embedding_price of a collection says what it costs you.
create or replace function pgvec.model_price(model text)
  returns numeric
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select p.dollars from pgvec.model_prices() as p where p.model = model_price.model
   union all
  select 0 where model_price.model like 'local:%'
$$;
comment on function pgvec.model_price(text) is 'Dollars for a million tokens of a model (provider:name), by pgvec.model_prices; null where it is not known.';
revoke all on function pgvec.model_price(text) from public;
