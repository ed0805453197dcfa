-- pgvec.estimate_rows -- how many rows a collection has, as the planner sees it: rows a page when they were last counted,
-- times the pages there are now.
create or replace function pgvec.estimate_rows(collection pgvec.collections)
  returns float8
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
begin
  return (select r.reltuples / r.relpages * (pg_relation_size(r.oid) / current_setting('block_size')::int)
            from pg_catalog.pg_class as r
           where r.oid = collection.base
             and r.relpages > 0);
end
$$;
comment on function pgvec.estimate_rows(pgvec.collections) is 'The estimated rows of a collection; null for a table that was never vacuumed or analyzed.';
revoke all on function pgvec.estimate_rows(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.estimate_rows(pgvec.collections)', 'reader');
