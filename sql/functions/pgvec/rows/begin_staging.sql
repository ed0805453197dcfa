-- pgvec.begin_staging -- a temporary table to COPY rows into, on their way into a collection.
-- Rows are numbered in the order in which they arrive.
drop function if exists pgvec.begin_staging();
drop function if exists pgvec.begin_staging(text);

create or replace function pgvec.begin_staging(collection text, for_tenant uuid default null)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.writable(begin_staging.collection, for_tenant);
  if to_regclass('pg_temp.staged_documents') is null then
    create temporary table staged_documents (
      position    bigint generated always as identity,
      id          text not null,
      source      text,
      chunk_index int,
      content     text not null,
      metadata    jsonb not null,
      embedding   extensions.vector
    ) on commit delete rows;
  end if;
end
$$;
comment on function pgvec.begin_staging(text, uuid) is
  'Creates the temporary table staged_documents (position, id, source, chunk_index, content, metadata, embedding) for this session, unless it exists. In one '
  'transaction: COPY into it, then call pgvec.merge_staged. Raises PV001, PV004 for an adopted table.';
revoke all on function pgvec.begin_staging(text, uuid) from public;
select pgvec.grant_execute('pgvec.begin_staging(text, uuid)', 'writer');
