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
  item    record;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  for item in
    select e.name, e.event, e.called
      from (values ('maintain', 'before insert or update on %s for each row', format('pgvec.maintain_document(%L, %L, %L)', target.language, target.name, target.access),
                    adopted.collection is null),
                   ('maintain', 'before insert or update on %s for each row', format('pgvec.maintain_adopted(%L)', target.name),
                    adopted.collection is not null and adopted.side is null),
                   ('maintain', 'after insert or update on %s for each row', format('pgvec.maintain_adopted(%L)', target.name), adopted.side is not null),
                   ('forget', 'after delete on %s for each row', format('pgvec.forget_adopted(%L)', target.name), adopted.side is not null),
                   ('empty', 'after truncate on %s for each statement', format('pgvec.forget_adopted(%L)', target.name), adopted.side is not null))
           as e (name, event, called, is_wanted)
     where e.is_wanted
  loop
    execute format('create or replace trigger %I ' || item.event || ' execute function %s', target.name || '_' || item.name, target.base, item.called);
    execute format('alter table %s enable trigger %I', target.base, target.name || '_' || item.name);
  end loop;
  perform pgvec.keep_lexemes(target.name);
end
$$;
comment on function pgvec.attach_triggers(text) is
  'Attaches and enables the triggers on a collection''s table that maintain what searches need beside each row, and the BM25 statistics. For rows written without '
  'them: pgvec.repair_rows and pgvec.refresh_statistics. Raises PV001.';
revoke all on function pgvec.attach_triggers(text) from public;
