-- pgvec.repair_rows -- has the triggers of a collection's table compute hashes, lexemes and weights again where they do not
-- match the text.
-- Such rows were written while the triggers were off, or by an earlier release. A row without lexemes gets them when it is
-- written; an embedding that was made from another text is stale afterwards.
create or replace function pgvec.repair_rows(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(repair_rows.collection);
  repaired bigint;
begin
  if target.base <> target.relation then
    repaired := pgvec.repair_adopted(target);
  else
    if current_setting('session_replication_role') = 'replica'
       or not exists (select
                        from pg_catalog.pg_trigger as t
                       where t.tgrelid = target.base
                         and t.tgfoid = 'pgvec.maintain_document()'::regprocedure
                         and t.tgenabled in ('O', 'A'))
    then
      raise exception using
        errcode = 'PV004',
        message = format('the triggers of %s are off', target.base),
        hint    = format('select pgvec.attach_triggers(%L)', target.name);
    end if;
    execute format(
      $query$
      update %s as d
         set fts = null, bm25 = null
       where d.content_hash <> md5(d.content)
          or d.fts is null
          or d.fts <> %s
          or d.bm25 is null
      $query$, target.base, case when target.settings ? 'weights' then 'pgvec.weighted_lexemes($3, coalesce(d.language, $1), d.metadata, d.content, $2)'
                             else 'pgvec.text_lexemes(coalesce(d.language, $1)::regconfig, d.content, $2)' end)
      using target.language, target.settings @> '{"fold_accents": true}', target.settings -> 'weights';
    get diagnostics repaired = row_count;
  end if;
  update pgvec.collections as c
     set word_rules = pgvec.word_rules(c.settings)
   where c.name = target.name
     and c.word_rules is distinct from pgvec.word_rules(c.settings);
  return repaired;
end
$$;
comment on function pgvec.repair_rows(text) is
  'Computes content_hash, fts and bm25 again for rows whose text they do not match, and returns how many there were. Reads all rows. Of an '
  'adopted table: pgvec.repair_adopted. Raises PV001, PV004 where the triggers are off.';
revoke all on function pgvec.repair_rows(text) from public;
