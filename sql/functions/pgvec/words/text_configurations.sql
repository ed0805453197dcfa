-- pgvec.text_configurations -- the text search configurations to parse a query by: the collection's, and those of rows with a
-- language.
-- Definer, since nobody else may read the statistics; it returns only which languages there are.
drop function if exists pgvec.text_configurations(text);

create or replace function pgvec.text_configurations(collection text, for_tenant uuid)
  returns text[]
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  select pgvec.languages(s) from pgvec.scoped(text_configurations.collection, for_tenant) as s
$$;
comment on function pgvec.text_configurations(text, uuid) is
  'The text search configurations in use in a collection: its own, and those of rows with a language, of one tenant or all of the caller. Raises PV001 and PV006.';
revoke all on function pgvec.text_configurations(text, uuid) from public;
select pgvec.grant_execute('pgvec.text_configurations(text, uuid)', 'reader');
