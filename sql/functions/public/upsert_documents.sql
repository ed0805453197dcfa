-- upsert_documents -- writes rows of a collection by their ids, new ones and existing ones.
-- Keys that a document leaves out keep their values in the row. A document without an id is a new row. Rows are written in the
-- order of their ids, so that two callers with the same rows wait for each other instead of deadlocking, and their ids are
-- returned in the order of the documents.
-- The values that a row keeps are taken when it is locked, not as they were when the statement began: otherwise an embedding
-- that was stored meanwhile would be replaced by an older one, which would count as made from the new text.
-- Runs as the caller: the table itself refuses a caller that may not write it, or rows of that tenant.
create or replace function public.upsert_documents(documents jsonb, collection text default 'documents', for_tenant uuid default null)
  returns setof text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  request pgvec.search_request := pgvec.writable(coalesce(upsert_documents.collection, 'documents'), for_tenant);
  target pgvec.collections := request.collection;
  given  jsonb := pgvec.parse_documents(target, documents);
  owned  constant boolean := target.owner_column = 'owner_id' and given @? '$[*].owner_id';
  keys   jsonb;  -- the keys given for each id; content and metadata that are null do not count
begin
  select jsonb_object_agg(e.doc ->> 'id', k.names order by e.place) into keys
    from jsonb_array_elements(given) with ordinality as e (doc, place)
   cross join lateral (
          select coalesce(jsonb_agg(f.key), '[]') as names
            from jsonb_each(e.doc) as f
           where f.key not in ('content', 'metadata') or f.value <> 'null') as k
   where e.doc ->> 'id' is not null;
  return query execute format(
    $query$
    with given as materialized (
           select distinct on (x.id) x.id, x.doc, x.place
             from (select coalesce(e.doc ->> 'id', gen_random_uuid()::text) as id, e.doc, e.place
                     from jsonb_array_elements($1) with ordinality as e (doc, place)) as x
            order by x.id, x.place desc),
         written as (
           insert into %1$s as d (%2$s %6$s id, source, chunk_index, content, metadata, language, embedding)
           select %3$s %7$s g.id,
                  case when g.doc ? 'source' then g.doc ->> 'source' else d.source end,
                  case when g.doc ? 'chunk_index' then (g.doc ->> 'chunk_index')::int else d.chunk_index end,
                  coalesce(g.doc ->> 'content', d.content),
                  coalesce(nullif(g.doc -> 'metadata', 'null'), d.metadata, '{}'),
                  case when g.doc ? 'language' then g.doc ->> 'language' else d.language end,
                  case when g.doc ? 'embedding' then (g.doc ->> 'embedding')::extensions.%4$I else d.embedding end
             from given as g
             left join lateral (select r.* from %1$s as r where r.id = g.id %5$s offset 0) as d on true
            order by g.id
               on conflict (%2$s id) do update
              set source = case when $2 -> excluded.id ? 'source' then excluded.source else d.source end,
                  chunk_index = case when $2 -> excluded.id ? 'chunk_index' then excluded.chunk_index else d.chunk_index end,
                  content = case when $2 -> excluded.id ? 'content' then excluded.content else d.content end,
                  metadata = case when $2 -> excluded.id ? 'metadata' then excluded.metadata else d.metadata end,
                  language = case when $2 -> excluded.id ? 'language' then excluded.language else d.language end,
                  embedding = case when $2 -> excluded.id ? 'embedding' then excluded.embedding else d.embedding end,
                  embedded_hash = case when $2 -> excluded.id ? 'embedding' and excluded.embedding is null then null else d.embedded_hash end %8$s)
    select g.id from given as g order by g.place
    $query$,
    target.relation,
    case when request.tenants is not null then 'tenant_id,' end,
    quote_literal(request.tenants[1]) || ',',
    target.storage,
    pgvec.of_tenant(request, 'r'),
    case when owned then 'owner_id,' end,
    case when owned then format(
      'case when g.doc ? ''owner_id'' then (g.doc ->> ''owner_id'')::uuid when d.id is not null then d.owner_id else %s end,',
      (select pg_get_expr(x.adbin, x.adrelid)
         from pg_catalog.pg_attrdef as x
         join pg_catalog.pg_attribute as a on a.attrelid = x.adrelid and a.attnum = x.adnum
        where x.adrelid = target.base and a.attname = 'owner_id')) end,
    case when owned then ', owner_id = case when $2 -> excluded.id ? ''owner_id'' then excluded.owner_id else d.owner_id end' end)
    using given, keys;
end
$$;
comment on function public.upsert_documents(jsonb, text, uuid) is
  'Inserts or updates rows, and returns their ids in the order of the documents. documents: an object or an array of objects with content, and optionally id, '
  'metadata, embedding (numbers, or their text), source, chunk_index, language, owner_id (where rows belong to accounts: pgvec.set_owner). '
  'A key that is left out keeps an existing row''s value; of two documents with one id the later counts; a document without an id is a new row. '
  'for_tenant: whose rows, where rows belong to tenants. Errors: PV001 unknown collection, PV002 dimensions, PV004 documents or an adopted table, '
  'PV005 zero vector, PV006 tenant, 42501 not allowed to write.';
revoke all on function public.upsert_documents(jsonb, text, uuid) from public;
select pgvec.grant_execute('public.upsert_documents(jsonb, text, uuid)', 'reader');
