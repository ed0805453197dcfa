-- The release before knows one model a collection: the vectors of a second one go.
do $$
declare
  item record;
begin
  for item in
    select r.oid::regclass as relation
      from pgvec.collections as c
      join pg_catalog.pg_class as r on r.oid = c.text_table
     where c.base = c.relation or c.text_table <> c.base
     order by c.name
  loop
    execute format(
      'alter table %s drop column if exists embedded_by,'
      ' drop column if exists embedding_next, drop column if exists embedded_hash_next, drop column if exists embedded_by_next,'
      ' drop column if exists embedding_old, drop column if exists embedded_hash_old, drop column if exists embedded_by_old', item.relation);
  end loop;
end
$$;

delete from pgvec.embedding_jobs where collection like '%@%';
alter table pgvec.embedding_queues drop column if exists model;
alter table pgvec.collections drop column if exists changing;
drop table if exists pgvec.model_changes cascade;  -- with the functions that take a row of it, as the release before has none
drop table if exists pgvec.models;
