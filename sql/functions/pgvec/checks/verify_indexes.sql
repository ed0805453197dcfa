-- pgvec.verify_indexes -- the indexes of a collection: broken, missing, unused, tuned for fewer rows, or larger than their rows need.
-- A vector index is required above the row count that pgvec.wide_steps still scans exactly.
create or replace function pgvec.verify_indexes(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_indexes.collection);
  serving record := pgvec.index_kind(target, target.distance);
  wanted  boolean := pgvec.estimate_rows(target) > least(25000, 1e7 / target.dimensions);
  replica boolean := pg_is_in_recovery();  -- which is not told of builds that go on
  indexed jsonb := pgvec.indexed_filters(target, target.distance);
  split   boolean := exists (select from pg_catalog.pg_inherits as i where i.inhparent = target.base);
begin
  return query
    with broken as (
           select i.oid::regclass::text as name,
                  case
                    when i.relkind = 'I' then null
                    when i.relname ~ '_cc(new|old)\d*$' or m.amname in ('hnsw', 'ivfflat') and not i.relispartition then 'drop index concurrently %s;'
                    else 'reindex index concurrently %s;'
                  end as fix
             from pg_catalog.pg_index as x
             join pg_catalog.pg_class as i on i.oid = x.indexrelid
             join pg_catalog.pg_am as m on m.oid = i.relam
            where not exists (select from pg_catalog.pg_stat_progress_create_index as p where p.relid = x.indrelid)  -- being built now
              and x.indrelid in (select target.base union all select target.text_table union all select p from pgvec.partitions(target.base) as p)
              and not (x.indisvalid and x.indisready))
    select (pgvec.verdict(
             target.name, 'invalid index',
             coalesce(array_agg(name || case when replica then ' is being built on the primary, or its build failed' else ' is of a build that failed' end order by name), '{}'),
             'all are valid',
             'rebuild a vector index by pgvec-admin index create, any other by reindex',
             string_agg(format(fix, name), ' ' order by name)
               || format(' select pgvec.note_index(%L);', target.name),
             case when replica then 'warn' else 'fail' end)).*
      from broken;

  return next pgvec.verdict(
    target.name, 'duplicate index',
    array(select format('%s are the same', string_agg(x.indexrelid::regclass::text, ' and ' order by x.indexrelid))
            from pg_catalog.pg_index as x
            join pg_catalog.pg_class as i on i.oid = x.indexrelid
           where x.indrelid in (select target.base union all select target.text_table union all select p from pgvec.partitions(target.base) as p)
           group by x.indrelid, i.relam, x.indkey::text, x.indclass::text, x.indoption::text, pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid)
          having count(*) > 1),
    'none is there twice', 'drop one of them', severity => 'warn');

  return query
    with needed (name, relation, column_name, definition) as (
           values ('metadata', target.base, 'metadata', 'using gin (metadata jsonb_path_ops)'),
                  ('fts', target.text_table, 'fts', 'using gin (fts)'),
                  ('stale', target.base, 'id', 'on-stale')),
         missing as (
           select n.name, n.relation, n.definition
             from needed as n
            where (n.relation = target.base and target.base = target.relation or n.name = 'fts')
              and not exists (select
                                from pg_catalog.pg_index as x
                                join pg_catalog.pg_class as i on i.oid = x.indexrelid
                                join pg_catalog.pg_am as m on m.oid = i.relam
                                join pg_catalog.pg_attribute as a on a.attrelid = n.relation and a.attname = n.column_name
                               where x.indrelid = n.relation
                                 and x.indkey[0] = a.attnum
                                 and case n.name when 'stale' then pg_get_expr(x.indpred, x.indrelid) ~ 'embedded_hash' else m.amname = 'gin' end))
    select (pgvec.verdict(
             target.name, 'missing index',
             coalesce(array_agg(format('none on %s', m.name) order by m.name) filter (where m.name is not null), '{}')
               || array_remove(array[case when wanted and serving.kind is null then 'none on ' || target.embedding_column end], null),
             case when serving.kind is null then 'metadata and full-text indexes exist; too few rows to need a vector index' else 'metadata, full-text and vector indexes exist' end,
             format('pgvec-admin index create %s for vectors; create index for the others', target.name),
             string_agg(format('create index concurrently %I on %s %s;', format('%s_%s_idx', target.name, m.name), m.relation,
                               case m.name when 'stale' then '(id) where embedded_hash is distinct from content_hash' else m.definition end), ' ' order by m.name) filter (where not split))).*
      from missing as m;

  return next pgvec.verdict(
    target.name, 'unused index',
    array(select format('%s serves no search', v.name)
            from pgvec.vector_indexes(target.name) as v
           where v.valid
             and case
                   when v.condition is not null then indexed is null or strpos(v.condition, 'metadata @> ') = 0
                   else not (v.distance = target.distance and v.method = serving.method and v.storage = case serving.kind when 'column' then target.storage else serving.kind end)
                 end),
    'searches use each vector index', 'there is a more exact one, or it is for another distance: pgvec-admin index drop', severity => 'warn');

  return next pgvec.verdict(
    target.name, 'noted index',
    array_remove(array[case when target.search_index is not null and to_regclass(target.search_index) is distinct from target.search_index_oid then format('%s is gone, or another', target.search_index)
                            when target.settings -> 'indexed_filters' is distinct from indexed then 'the filters that have an index are others than those noted'
                            when target.search_index is null and serving.kind is not null then 'each search looks for its index' end], null),
    coalesce(target.search_index || ' is noted', 'no index is cached, and there is none'),
    'pgvec.note_index caches it, which saves each search a tenth of its time', format('select pgvec.note_index(%L);', target.name), severity => 'warn');

  return next pgvec.verdict(
    target.name, 'tuned index',
    array_remove(array[case when serving.kind is not null and pgvec.tuning_is_due(target)
                            then coalesce('tuned for ' || (target.settings #>> '{tuned,rows}') || format(' rows, there are %s', round(pgvec.searched_rows(target))),
                                          format('never tuned, and there are %s rows', round(pgvec.searched_rows(target)))) end], null),
    case when serving.kind is null then 'there is none' else coalesce('tuned for ' || (target.settings #>> '{tuned,rows}') || ' rows', 'the default serves so few rows') end,
    format('the more rows, the more a search misses: pgvec-admin index tune %s', target.name),
    format('select * from pgvec.keep_recall(%L);', target.name), severity => 'warn');
  return query select * from pgvec.verify_bloat(target.name);
end
$$;
comment on function pgvec.verify_indexes(text) is
  'Checks the indexes of a collection: invalid, duplicate, missing, unused (vector indexes that no search of the collection''s distance uses), noted (the cached '
  'index, and the filters that have one), tuned (for fewer than half of its rows) and bloat. Raises PV001.';
revoke all on function pgvec.verify_indexes(text) from public;
