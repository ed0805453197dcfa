-- pgvec.mark_others -- marks rows as stale whose vector was made by another model than the one that their collection is bound to.
-- The two are not comparable; the queue then has them embedded anew. A page at a time, and none that another transaction has locked.
-- Rows whose model was not recorded count as the collection's.
create or replace function pgvec.mark_others(collection text, batch int default 10000)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections := pgvec.collection(mark_others.collection);
  condition constant text := 'd.embedded_by <> $1 and d.embedded_hash is not null';
  bound     int;
  marked    bigint := 0;
  left_over boolean := true;
begin
  if pgvec.models_checked(target.name)
     or target.base <> target.relation and target.text_table = target.base  -- it has no such column
     or not has_table_privilege(target.text_table, 'update') then
    return 0;
  end if;
  bound := pgvec.model_id(target.model);
  execute format(
    $query$
    with o as materialized (
           select d.ctid as place, d.tableoid as part from %1$s as d where %2$s limit $2 for no key update skip locked)
    update %1$s as r
       set embedded_hash = null
      from o
     where r.ctid = o.place
       and r.tableoid = o.part
    $query$, target.text_table, condition)
    using bound, batch;
  get diagnostics marked = row_count;
  if marked = 0 then
    execute format('select exists (select from %s as d where %s)', target.text_table, condition) into left_over using bound;
    if not left_over then
      perform pgvec.models_checked(target.name, found_none => true);
    end if;
  end if;
  return marked;
end
$$;
comment on function pgvec.mark_others(text, int) is
  'Marks at most batch rows of a collection as stale that have a vector of another model than the collection''s, if they have not been looked for since it was '
  'bound, and returns '
  'how many. Raises PV001, PV006.';
revoke all on function pgvec.mark_others(text, int) from public;
select pgvec.grant_execute('pgvec.mark_others(text, int)', 'writer');
