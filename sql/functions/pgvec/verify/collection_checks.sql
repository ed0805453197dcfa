-- pgvec.collection_checks -- the functions that check a collection, in order; where its table is gone, only the one that
-- reports that.
-- Those that read rows are left out where reading could run code of a weaker role: pgvec.reads_safely.
create or replace function pgvec.collection_checks(collection text)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when exists (select from pgvec.present_collections() as p where p.name = c.name and not pgvec.reads_safely(p))
             then array['pgvec.verify_table', 'pgvec.verify_protection', 'pgvec.verify_writers', 'pgvec.verify_views', 'pgvec.verify_leaks', 'pgvec.verify_ownership',
                        'pgvec.verify_owner']
           when exists (select from pgvec.present_collections() as p where p.name = c.name)
             then array['pgvec.verify_table', 'pgvec.verify_protection', 'pgvec.verify_writers', 'pgvec.verify_views', 'pgvec.verify_leaks', 'pgvec.verify_ownership',
                        'pgvec.verify_owner', 'pgvec.verify_rows', 'pgvec.verify_queue', 'pgvec.verify_indexes', 'pgvec.verify_statistics', 'pgvec.verify_fit',
                        'pgvec.verify_access', 'pgvec.verify_search']
           else array['pgvec.verify_table']
         end
    from pgvec.collections as c
   where c.name = collection_checks.collection
$$;
comment on function pgvec.collection_checks(text) is
  'The names of the functions that check a collection; each takes its name. pgvec.verify_search, the last where it is among them, takes more arguments. Null for an '
  'unknown one.';
revoke all on function pgvec.collection_checks(text) from public;
