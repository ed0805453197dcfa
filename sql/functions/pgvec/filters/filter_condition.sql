-- pgvec.filter_condition -- the filter of a search as an SQL condition over a collection's rows.
-- The text is one of a few, whatever the filter says: all that came from the caller is in bound, which the search
-- passes as its parameter $2. Keys that are columns compare with these (pgvec.column_condition), by their catalog names.
drop function if exists pgvec.is_containment(jsonb);
drop function if exists pgvec.filter_condition(pgvec.collections, jsonb);

create or replace function pgvec.filter_condition(collection pgvec.collections, filter jsonb, tenants uuid[] default null, out condition text, out bound jsonb)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb;
  given  text;
  words  tsquery;
begin
  -- most filters are plain objects within the limits of pgvec.parse_filter, and need no compiling
  if collection.base = collection.relation
     and filter <> '{}'
     and jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0
     and length(filter::text) <= 65536
     and not filter @? 'strict $.**{13}'
     and not exists (select from pg_catalog.pg_attribute as a where a.attrelid = collection.base and a.attnum > 0 and filter ? a.attname::text)
  then
    condition := 'd.metadata @> ($2 -> 0)';
    bound := jsonb_build_array(filter);
    return;
  end if;

  wanted := pgvec.parse_filter(filter);
  perform pgvec.check_patterns(wanted);
  if wanted ? '$text' then
    words := pgvec.filter_text(collection, wanted -> '$text', tenants);
    wanted := wanted - '$text';
  end if;

  given := wanted::text;
  if collection.base <> collection.relation
     or exists (select
                  from pg_catalog.pg_attribute as a
                 where a.attrelid = collection.base and a.attnum > 0 and strpos(given, to_json(a.attname::text) || ': ') > 0)
  then
    select c.condition, c.bound into condition, bound
      from pgvec.column_condition(collection, wanted, '[]') as c;
  else
    select m.condition, m.bound into condition, bound
      from pgvec.metadata_condition('d.metadata', wanted, '[]') as m;
  end if;

  if words is not null then
    condition := concat_ws(' and ', nullif(condition, ''), format('d.fts @@ ($2 ->> %s)::tsquery', jsonb_array_length(bound)));
    bound := bound || jsonb_build_array(words::text);
  end if;
end
$$;
comment on function pgvec.filter_condition(pgvec.collections, jsonb, uuid[]) is
  'The condition that rows d of a collection have to meet for a filter, empty for none, and the values that it reads as $2. '
  '{"$text": ...}, beside other keys, is for words, "quoted phrases" and -excluded words that the text must and must not have, '
  'in the languages of the one tenant that the search is for. Raises PV003.';
revoke all on function pgvec.filter_condition(pgvec.collections, jsonb, uuid[]) from public;
select pgvec.grant_execute('pgvec.filter_condition(pgvec.collections, jsonb, uuid[])', 'reader');
