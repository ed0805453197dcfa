-- pgvec.attach_triggers -- the triggers that maintain lexemes, hashes, weights and statistics of a collection; existing ones
-- are replaced.
create or replace function pgvec.attach_triggers(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(attach_triggers.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format(
    'create or replace trigger %I %s insert or update on %s for each row execute function %s',
    target.name || '_maintain',
    case when adopted.side is null then 'before' else 'after' end,
    target.base,
    case
      when adopted.collection is null then format('pgvec.maintain_document(%L, %L, %L)', target.language, target.name, target.access)
      else format('pgvec.maintain_adopted(%L)', target.name)
    end);
  execute format('alter table %s enable trigger %I', target.base, target.name || '_maintain');
  perform pgvec.keep_lexemes(target.name);
end
$$;
comment on function pgvec.attach_triggers(text) is
  'Attaches and enables the triggers on a collection''s table that maintain what searches need beside each row, and the BM25 statistics. For rows written without '
  'them: pgvec.repair_rows and pgvec.refresh_statistics. Raises PV001.';
revoke all on function pgvec.attach_triggers(text) from public;
