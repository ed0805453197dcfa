-- pgvec.model_source -- the FROM item of a collection's table, or of a partition, for the second of two models.
-- The columns of that model have the names that searches read; its own columns of the active model are left out.
create or replace function pgvec.model_source(collection pgvec.collections, relation regclass)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format('(select %s from %s as t)',
                string_agg(format(case when a.attname = s.active || s.suffix then 't.%I as %I' else 't.%I' end, a.attname, s.active), ', ' order by a.attnum),
                model_source.relation)
    from pg_catalog.pg_attribute as a
    left join lateral (
         select v.active, substr((model_source.collection).embedding_column, 10) as suffix
           from unnest('{embedding,embedded_hash,embedded_by}'::name[]) as v (active)
          where a.attname in (v.active, v.active || substr((model_source.collection).embedding_column, 10))) as s on true
   where a.attrelid = model_source.relation
     and a.attnum > 0
     and not a.attisdropped
     and a.attname is distinct from s.active
$$;
comment on function pgvec.model_source(pgvec.collections, regclass) is
  'The FROM item over a table in which embedding, embedded_hash and embedded_by are those of the model whose vectors are in embedding_column (embedding_next, embedding_old).';
revoke all on function pgvec.model_source(pgvec.collections, regclass) from public;
select pgvec.grant_execute('pgvec.model_source(pgvec.collections, regclass)', 'reader');
