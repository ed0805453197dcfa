-- pgvec.upgrade_adoption -- brings what an earlier release made for an adopted table to what this one makes.
-- Earlier ones had a view over its columns and a foreign key to its key, which kept the application from changing them.
-- What is as it should be is not locked.
create or replace function pgvec.upgrade_adoption(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
begin
  select c.* into target from pgvec.collections as c where c.name = upgrade_adoption.collection;
  adopted := pgvec.adopted(target.name);
  if position('pgvec.adopted_documents(' in coalesce(pg_get_viewdef(target.relation), '')) = 0 then
    update pgvec.collections as c set relation = pgvec.make_view(target.name) where c.name = target.name returning c.* into target;
    if adopted.side is not null then
      -- texts without a word have nothing to embed
      execute format('update %s as s set embedded_hash = s.content_hash where s.content_hash = md5('''') and s.embedded_hash is null', adopted.side);
      execute format('drop policy if exists follow_the_table on %s', adopted.side);
    end if;
  end if;
  if adopted.side is not null then
    perform pgvec.fit_side(adopted);
    if not exists (select from pg_catalog.pg_trigger as t where t.tgrelid = target.base and t.tgfoid = 'pgvec.forget_adopted()'::regprocedure) then
      perform pgvec.attach_triggers(target.name);
    end if;
  end if;
  perform pgvec.renew_adoption(target);
end
$$;
comment on function pgvec.upgrade_adoption(text) is
  'Makes the view of an adopted table anew where it names its columns, drops the foreign key of its side table, attaches the triggers that stand for it, and '
  'registers what searches read.';
revoke all on function pgvec.upgrade_adoption(text) from public;
