-- pgvec.partitions -- the tables that hold a table's rows: its partitions, or itself.
create or replace function pgvec.partitions(relation regclass)
  returns setof regclass
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select i.inhrelid::regclass
      from pg_catalog.pg_inherits as i
     where i.inhparent = partitions.relation
     order by i.inhrelid;
  if not found then
    return next relation;
  end if;
end
$$;
comment on function pgvec.partitions(regclass) is 'The partitions of a table or of an index, in order of creation; without partitions, the table or index itself.';
revoke all on function pgvec.partitions(regclass) from public;
select pgvec.grant_execute('pgvec.partitions(regclass)', 'reader');
