-- pgvec.reading -- how the text of a search is to be read, for its request; null where there is nothing special about it.
create or replace function pgvec.reading(fuzzy boolean, prefix boolean)
  returns jsonb
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select nullif(jsonb_strip_nulls(jsonb_build_object('fuzzy', nullif(reading.fuzzy, false), 'prefix', nullif(reading.prefix, false))), '{}')
$$;
comment on function pgvec.reading(boolean, boolean) is
  'The arguments fuzzy and prefix of a search as a JSON object with those that are true; null without any.';
revoke all on function pgvec.reading(boolean, boolean) from public;
select pgvec.grant_execute('pgvec.reading(boolean, boolean)', 'reader');
