-- pgvec.set_weights -- how much a word counts in each field of a row: BM25F, for titles in metadata, and for columns of adopted tables.
-- Occurrences are weighed and added up before they saturate, so a word of the title counts as so many in the content, once. Lengths stay
-- those of all words. Other fields than before are other lexemes, so rows are written anew; other weights are other values of bm25.
-- Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted fields (2004).
create or replace function pgvec.set_weights(collection text, weights jsonb)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_fields constant int := 3;  -- besides content
  target  constant pgvec.collections := pgvec.collection(set_weights.collection);
  before  constant text[] := array(select k from jsonb_object_keys(coalesce(target.settings -> 'weights', '{}')) as k where k <> 'content' order by k);
  fields  text[];
  unknown text;
  written bigint;
begin
  if (case
        when jsonb_typeof(weights) is distinct from 'object' or jsonb_path_exists(weights, '$.* ? (@.type() != "number")') then true
        else exists (select from jsonb_each_text(weights) as w where not w.value::numeric between 0.01 and 100)
             or (select count(*) from jsonb_object_keys(weights) as k where k <> 'content') > most_fields
      end)
  then
    raise exception using
      errcode = 'PV004',
      message = format('weights cannot be %s', coalesce(pgvec.shown(weights::text), 'null')),
      hint    = format('for example {"title": 3, "content": 1}: content and up to %s keys of metadata, each with a number from 0.01 to 100; {} removes all', most_fields);
  end if;
  fields := array(select k from jsonb_object_keys(weights) as k where k <> 'content' order by k);
  if target.base <> target.relation and (pgvec.adopted(target.name)).metadata_column is null then
    select string_agg(f, ', ') into unknown
      from unnest(fields) as f
     where not exists (select from pg_catalog.pg_attribute as a where a.attrelid = target.base and a.attname = f and a.attnum > 0 and not a.attisdropped);
    if unknown is not null then
      raise exception using
        errcode = 'PV004',
        message = format('%s has no column %s', target.base, pgvec.shown(unknown)),
        hint    = 'weights of an adopted table are of its columns, or of keys of its metadata column';
    end if;
  end if;
  update pgvec.collections as c
     set settings = case when weights = '{}' then c.settings - 'weights' else c.settings || jsonb_build_object('weights', set_weights.weights) end
   where c.name = target.name;
  if fields <> before then
    written := pgvec.refresh_lexemes(target.name);
  end if;
  return greatest(written, (select r.renewed from pgvec.refresh_statistics(target.name, null) as r));
end
$$;
comment on function pgvec.set_weights(text, jsonb) is
  'Sets how much a word counts in content (1 otherwise) and in up to three keys of metadata, or columns of an adopted table, which are searched by words from then on: '
  '{"title": 3, "content": 1}. Writes the rows for which this changes something, and returns how many. {} removes all. Raises PV001, and PV004 for other weights.';
revoke all on function pgvec.set_weights(text, jsonb) from public;
