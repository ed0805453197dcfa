-- pgvec.drop_collection_api -- drops the search functions that pgvec.create_collection_api made for a collection.
-- They are known by their comments, so that a function of somebody else's stays.
create or replace function pgvec.drop_collection_api(name text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
declare
  item record;
begin
  for item in
    select p.oid::regprocedure as routine
      from (values ('match_', 'match_documents'), ('kw_match_', 'kw_match_documents'), ('hybrid_search_', 'hybrid_search')) as f (prefix, source)
      join pg_catalog.pg_proc as p on p.pronamespace = 'public'::regnamespace and p.proname = f.prefix || drop_collection_api.name
     where obj_description(p.oid, 'pg_proc') = format('%s of collection %s.', f.source, drop_collection_api.name)
  loop
    execute format('drop function %s', item.routine);
  end loop;
end
$$;
comment on function pgvec.drop_collection_api(text) is 'Drops match_NAME, kw_match_NAME and hybrid_search_NAME, where pgvec.create_collection_api made them.';
revoke all on function pgvec.drop_collection_api(text) from public;
