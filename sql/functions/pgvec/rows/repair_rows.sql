-- pgvec.repair_rows -- has the triggers of a collection's table compute hashes, lexemes and weights again where they do not
-- match the text.
-- Such rows were written while the triggers were off. Each is written twice, since the triggers act on a changed text; an
-- embedding that was made from another text is stale afterwards.
create or replace function pgvec.repair_rows(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  mark     constant text := e'\x01\x02\x01';  -- which no text ends with
  target   pgvec.collections := pgvec.collection(repair_rows.collection);
  repaired bigint;
begin
  if target.base <> target.relation then
    return pgvec.repair_adopted(target);
  end if;
  execute format(
    $query$
    update %s as d
       set content = d.content || $2
     where d.content_hash <> md5(d.content)
        or d.fts is null
        or d.fts <> %s to_tsvector(coalesce(d.language, $1)::regconfig, d.content)
        or d.bm25 is null
    $query$, target.base, case when target.settings ? 'weights' then 'pgvec.field_lexemes($3, coalesce(d.language, $1), d.metadata) ||' end)
    using target.language, mark, target.settings -> 'weights';
  get diagnostics repaired = row_count;
  execute format('update %s as d set content = left(d.content, - length($1)) where d.content like ''%%'' || $1', target.base)
    using mark;
  return repaired;
end
$$;
comment on function pgvec.repair_rows(text) is
  'Computes content_hash, fts and bm25 again for rows whose text they do not match, and returns how many there were. Reads all rows. Of an '
  'adopted table: pgvec.repair_adopted. Raises PV001.';
revoke all on function pgvec.repair_rows(text) from public;
