-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection that meet a condition.
drop function if exists pgvec.vector_query(pgvec.collections, text, boolean, boolean);
drop function if exists pgvec.vector_query(pgvec.collections, text, text, text);

create or replace function pgvec.vector_query(collection pgvec.collections, distance text, condition text, kind text, searched text default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format(pgvec.query_template(collection, distance, kind), coalesce(searched, collection.source, collection.relation::text), coalesce(nullif(condition, ''), 'true'));
end
$$;
comment on function pgvec.vector_query(pgvec.collections, text, text, text, text) is
  'The SQL text that returns (id, content, metadata, distance) of the nearest rows: $1 vector, $2 jsonb values of the condition, $3 int limit. '
  'condition: of pgvec.filter_condition. distance, kind: of pgvec.query_template. searched: the FROM item, by default all rows.';
revoke all on function pgvec.vector_query(pgvec.collections, text, text, text, text) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, text, text, text)', 'reader');
