-- pgvec.note_load -- records how far a load has come, in the transaction of its batch; or that it has ended.
-- Definer, since resume points reveal file names: a caller records, and sees, those of its own tenant.
create or replace function pgvec.note_load(
    collection text, source text, fingerprint text default null, "position" bigint default null, last_id text default null)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  request  pgvec.search_request := pgvec.writable(note_load.collection, null);
  target   pgvec.collections := request.collection;
  owner_of constant uuid := coalesce(request.tenants[1], pgvec.no_tenant());
begin
  if note_load."position" is null then
    delete from pgvec.loads as l where l.collection = target.name and l.tenant = owner_of and l.source = note_load.source;
    return;
  end if;
  insert into pgvec.loads as l (collection, tenant, source, fingerprint, position, last_id)
  values (target.name, owner_of, note_load.source, note_load.fingerprint, note_load."position", note_load.last_id)
      on conflict on constraint loads_pkey do update
     set fingerprint = excluded.fingerprint,
         position = excluded.position,
         last_id = excluded.last_id,
         updated_at = now();
end
$$;
comment on function pgvec.note_load(text, text, text, bigint, text) is
  'Records the resume point of a load into a collection, for the caller''s tenant where rows belong to tenants: the file, a hash of the file and of the load''s '
  'options, how many of its documents are stored and the last id; a null position removes it. Raises PV001, PV004 for an adopted table, PV006.';
revoke all on function pgvec.note_load(text, text, text, bigint, text) from public;
select pgvec.grant_execute('pgvec.note_load(text, text, text, bigint, text)', 'writer');
