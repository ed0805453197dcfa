-- pgvec.repair_adopted -- pgvec.repair_rows for an adopted table: makes hashes and lexemes again where they do not match the text.
-- The rows are the application's, and are not written where their lexemes are in a side table. An embedding whose text is not
-- known counts as made from the present one.
create or replace function pgvec.repair_adopted(target pgvec.collections)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  adopted  pgvec.adoptions := pgvec.adopted(target.name);
  repaired bigint;
  removed  bigint := 0;
  wrong    constant text := 'd.content_hash is distinct from md5(d.content) or d.fts is distinct from ' || pgvec.adopted_lexemes(target, adopted, 'd', by_number => true);
begin
  if target.source_columns is null then
    raise exception using
      errcode = 'PV004',
      message = format('the rows of %s cannot be repaired', target.base),
      detail  = array_to_string(pgvec.lost_columns(target), '; '),
      hint    = format('select pgvec.release_collection(%L), and adopt the table again', target.name);
  end if;
  if adopted.side is null then
    execute format('update %1$s as b set content_hash = null, fts = null where b.%2$I::text in (select d.id from %3$s as d where %4$s)',
                   target.base, adopted.id_column, target.source, wrong);
    get diagnostics repaired = row_count;
  else
    execute format('delete from %s as s where not exists (select from %s as b where b.%I::%s = s.id)',
                   adopted.side, target.base, adopted.id_column, pgvec.side_type(adopted.side));
    get diagnostics removed = row_count;
    execute format(
      $query$
      insert into %1$s as s (id, fts, content_hash, embedded_hash)
      select d.id::%2$s, %5$s, md5(d.content),
             case when d.embedding is null and d.content !~ '\S' or d.embedding is not null and d.content_hash is null then md5(d.content)
                  when d.embedding is not null then d.embedded_hash end
        from %3$s as d
       where %4$s
      on conflict (id) do update
         set fts = excluded.fts,
             bm25 = null,
             content_hash = excluded.content_hash,
             embedded_hash = excluded.embedded_hash
      $query$, adopted.side, pgvec.side_type(adopted.side), target.source, wrong, pgvec.adopted_lexemes(target, adopted, 'd', 'd.id', by_number => true));
    get diagnostics repaired = row_count;
  end if;
  if repaired + removed > 0 then
    perform pgvec.refresh_statistics(target.name, null);
  end if;
  return repaired + removed;
end
$$;
comment on function pgvec.repair_adopted(pgvec.collections) is
  'Makes content_hash, fts and bm25 of an adopted table again where they do not match the text, removes those of rows that are gone, and returns how many these were. '
  'Raises PV004 for a table without its key or vectors.';
revoke all on function pgvec.repair_adopted(pgvec.collections) from public;
