-- pgvec.refresh_lexemes -- makes the lexemes of a collection anew where they are those of an earlier release, or of other settings.
-- pgvec-admin collection refresh calls it. Writing rows runs the triggers of their table, so a weaker role's table is left to that role.
create or replace function pgvec.refresh_lexemes(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(refresh_lexemes.collection);
begin
  if target.word_rules = pgvec.word_rules(target.settings) then
    return 0;
  end if;
  if not pgvec.is_trusted(target.text_table, to_write => true) then
    raise notice using
      message = format('the lexemes in %s stay as they are', target.text_table),
      hint    = format('its triggers would run as %s; its owner makes them anew: update %s set fts = null, bm25 = null', current_user, target.text_table);
    return 0;
  end if;
  return pgvec.repair_rows(target.name);
end
$$;
comment on function pgvec.refresh_lexemes(text) is
  'Makes fts and bm25 of the rows anew whose lexemes are those of an earlier release, or of before the setting fold_accents was changed, and returns how many they '
  'were. Reads all rows where there may be any, and none otherwise. Raises PV001, PV004 where the triggers of the table are off.';
revoke all on function pgvec.refresh_lexemes(text) from public;
