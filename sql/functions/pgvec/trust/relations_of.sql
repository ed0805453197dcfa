-- pgvec.relations_of -- every table with rows or words of a collection: its own, the side table, and all partitions and children.
create or replace function pgvec.relations_of(collection text)
  returns setof regclass
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive parts (relation) as (
         select t.relation::oid
           from pgvec.collections as c
          cross join lateral unnest(array[c.base, c.text_table]) as t (relation)
          where c.name = relations_of.collection
          union
         select i.inhrelid from pg_catalog.pg_inherits as i join parts as p on p.relation = i.inhparent)
  select r.oid::regclass
    from parts as p
    join pg_catalog.pg_class as r on r.oid = p.relation
   order by r.oid
$$;
comment on function pgvec.relations_of(text) is
  'The tables of a collection: its own and its side table, and their partitions and children of any depth. None for an unknown one.';
revoke all on function pgvec.relations_of(text) from public;
