-- pgvec.is_api_of -- whether pgvec.create_collection_api made a function for a collection, by its name, owner and comment.
-- A foreign function with such a name is neither altered nor dropped.
create or replace function pgvec.is_api_of(collection text, routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select exists (
           select
             from pg_catalog.pg_proc as p
            where p.oid = routine
              and p.pronamespace = 'public'::regnamespace
              and pg_has_role(p.proowner, (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'), 'member')
              and (p.proname, obj_description(p.oid, 'pg_proc')) in (
                    ('match_' || collection, format('match_documents of collection %s.', collection)),
                    ('kw_match_' || collection, format('kw_match_documents of collection %s.', collection)),
                    ('hybrid_search_' || collection, format('hybrid_search of collection %s.', collection))))
$$;
comment on function pgvec.is_api_of(text, oid) is
  'Whether a function of schema public is match_NAME, kw_match_NAME or hybrid_search_NAME of a collection.';
revoke all on function pgvec.is_api_of(text, oid) from public;
