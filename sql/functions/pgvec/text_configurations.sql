-- pgvec.text_configurations -- the text search configurations that a query has to be read by: the collection's, and those
-- that rows have of their own.
-- Definer, since the statistics are nobody's to read; which languages there are is all it tells.
create or replace function pgvec.text_configurations(collection text)
  returns text[]
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
as $$
  select array(select c.language from pgvec.collections as c where c.name = text_configurations.collection
                union
               select u
                 from pgvec.text_totals as t, unnest(t.languages) as u
                where t.collection = text_configurations.collection
                order by 1)
$$;
comment on function pgvec.text_configurations(text) is
  'The text search configurations in use in a collection: its own, and those of rows with a language. Empty for an unknown collection.';
revoke all on function pgvec.text_configurations(text) from public;
select pgvec.grant_execute('pgvec.text_configurations(text)', 'reader');
