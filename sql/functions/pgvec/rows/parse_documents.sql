-- pgvec.parse_documents -- the rows that a caller of upsert_documents sent, checked: an array of objects.
create or replace function pgvec.parse_documents(collection pgvec.collections, documents jsonb)
  returns jsonb
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  known constant text[] := '{id,content,metadata,embedding,source,chunk_index,language}'::text[]
                           || case collection.owner_column when 'owner_id' then '{owner_id}'::text[] end;
  given jsonb := case jsonb_typeof(documents) when 'array' then documents else jsonb_build_array(documents) end;
  wrong record;
begin
  select d.place, d.fault into wrong
    from (select e.place,
                 case
                   when jsonb_typeof(e.doc) is distinct from 'object' then 'is no object'
                   when e.doc - known <> '{}' then
                     format('has an unknown key %s', (select pgvec.shown(k) from jsonb_object_keys(e.doc - known) as k order by k limit 1))
                   when jsonb_typeof(e.doc -> 'content') is distinct from 'string' and (e.doc ? 'content' or not e.doc ? 'id') then 'has no text as content'
                   when jsonb_typeof(e.doc -> 'id') not in ('string', 'number') then 'has an id that is neither text nor a number'
                   when e.doc ->> 'id' = '' then 'has an empty id'
                   when jsonb_typeof(e.doc -> 'source') not in ('string', 'number', 'null') then 'has a source that is no text'
                   when jsonb_typeof(e.doc -> 'owner_id') not in ('string', 'null') or e.doc ->> 'owner_id' !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                     then 'has an owner_id that is no uuid'
                   when jsonb_typeof(e.doc -> 'language') not in ('string', 'null') then 'has a language that is no text'
                   when e.doc ->> 'chunk_index' !~ '^-?\d{1,10}$' then 'has a chunk_index that is no integer'
                   when (e.doc ->> 'chunk_index')::bigint not between -2147483648 and 2147483647 then 'has a chunk_index beyond 2147483647'
                   when jsonb_typeof(e.doc -> 'metadata') not in ('object', 'null') then 'has metadata that is no object'
                   when jsonb_typeof(e.doc -> 'embedding') not in ('array', 'string', 'null') or e.doc -> 'embedding' @? 'strict $[*] ? (@.type() != "number")' then 'has an embedding that is no array of numbers'
                 end as fault
            from jsonb_array_elements(given) with ordinality as e (doc, place)) as d
   where d.fault is not null
   order by d.place
   limit 1;
  if found then
    raise exception using
      errcode = 'PV004',
      message = format('document %s of %s %s', wrong.place, jsonb_array_length(given), wrong.fault),
      hint    = format('an array of objects with the keys %s', array_to_string(known, ', '));
  end if;

  perform pgvec.text_search_configuration(l.language)
     from (select distinct e.doc ->> 'language' as language from jsonb_array_elements(given) as e (doc)) as l
    where l.language is not null;

  select e.place, extensions.vector_dims((e.doc ->> 'embedding')::extensions.vector) as dimensions into wrong
    from jsonb_array_elements(given) with ordinality as e (doc, place)
   where extensions.vector_dims((e.doc ->> 'embedding')::extensions.vector) <> collection.dimensions
   limit 1;
  if found then
    raise exception using
      errcode = 'PV002',
      message = format('the embedding of document %s has %s dimensions, collection %L has %s', wrong.place, wrong.dimensions, collection.name, collection.dimensions),
      hint    = case
                  when collection.model is null then 'one collection holds vectors of one model; make another for this one'
                  else format('the collection''s model is %s', collection.model)
                end;
  end if;
  return given;
end
$$;
comment on function pgvec.parse_documents(pgvec.collections, jsonb) is
  'The documents of upsert_documents as an array of objects. Raises PV004 for anything else, for unknown keys, values of another type and an unknown language, and '
  'PV002 for other dimensions.';
revoke all on function pgvec.parse_documents(pgvec.collections, jsonb) from public;
select pgvec.grant_execute('pgvec.parse_documents(pgvec.collections, jsonb)', 'reader');
