-- pgvec.embedding_price -- what a million tokens cost, and who says so: the setting embedding_price, else the list of prices.
create or replace function pgvec.embedding_price(collection text, model text default null, out dollars numeric, out source text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.of_model(embedding_price.collection);
  wanted constant text := coalesce(embedding_price.model, target.model);
begin
  dollars := (target.settings ->> 'embedding_price')::numeric;
  source := 'the setting embedding_price';
  if dollars is null then
    dollars := pgvec.model_price(wanted);
    source := case
                when wanted like 'local:%' then 'a model of your own'
                else (select 'the price of ' || to_char(p.asked, 'FMMonth YYYY') from pgvec.model_prices() as p where p.model = wanted)
              end;
  end if;
end
$$;
comment on function pgvec.embedding_price(text, text) is
  'Dollars for a million tokens of a collection''s model (or of another, provider:name), and where that is from; both null where it is not known. Raises PV001.';
revoke all on function pgvec.embedding_price(text, text) from public;
