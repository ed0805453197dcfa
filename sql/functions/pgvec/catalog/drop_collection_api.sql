-- pgvec.drop_collection_api -- drops the search functions that pgvec.create_collection_api made for a collection.
create or replace function pgvec.drop_collection_api(name text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
begin
  for item in
    select p.oid::regprocedure as routine
      from pg_catalog.pg_proc as p
     where p.pronamespace = 'public'::regnamespace
       and pgvec.is_api_of(drop_collection_api.name, p.oid)
  loop
    execute format('drop function %s', item.routine);
  end loop;
end
$$;
comment on function pgvec.drop_collection_api(text) is 'Drops match_NAME, kw_match_NAME and hybrid_search_NAME, where pgvec.create_collection_api made them.';
revoke all on function pgvec.drop_collection_api(text) from public;
