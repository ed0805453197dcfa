-- pgvec.present_collections -- the collections whose tables exist; nothing else can be checked of the others.
create or replace function pgvec.present_collections()
  returns setof pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select c.*
      from pgvec.collections as c
     where exists (select from pg_catalog.pg_class as r where r.oid = c.base)
       and exists (select from pg_catalog.pg_class as r where r.oid = c.text_table)
     order by c.name;
end
$$;
comment on function pgvec.present_collections() is 'The rows of the registry whose table, and side table if there is one, still exists.';
revoke all on function pgvec.present_collections() from public;
