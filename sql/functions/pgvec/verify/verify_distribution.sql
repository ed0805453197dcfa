-- pgvec.verify_distribution -- tables of collections that Citus has distributed over several servers, where searches would go wrong in silence.
-- Policies are checked on the workers, which do not know whose session it is: members find nothing. Each shard counts its own words, and statistics stay
-- behind when a shard is moved: scores are wrong. EXPLAIN on the coordinator tells of no rows: no index of vectors is chosen.
create or replace function pgvec.verify_distribution()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  citus       constant regclass := to_regclass('pg_catalog.pg_dist_partition');
  distributed oid[];
begin
  if citus is null then
    return;  -- there is no Citus
  end if;
  execute format('select array_agg(p.logicalrelid::oid) from %s as p', citus) into distributed;
  return next pgvec.verdict(
    'server', 'distribution',
    array(select format('%s of collection %L is distributed', p.part, c.name)
            from pgvec.present_collections() as c
           cross join lateral (select p from pgvec.partitions(c.base) as p union select c.base) as p (part)
           where p.part::oid = any (distributed)
           order by c.name, p.part::text),
    'no table of a collection is distributed by Citus',
    'select undistribute_table(...); tenants are spread over servers by a database for each group of them: docs/scaling.md');
end
$$;
comment on function pgvec.verify_distribution() is
  'Checks server: distribution (no table of a collection is distributed by Citus, where there is Citus). Nothing where there is none.';
revoke all on function pgvec.verify_distribution() from public;
