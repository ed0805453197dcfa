-- pgvec.note_failures -- marks rows that could not be embedded, so that pgvec.claim_documents returns them after all others.
create or replace function pgvec.note_failures(collection text, ids text[], hashes text[], reasons text[])
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(note_failures.collection);
begin
  if cardinality(ids) is distinct from cardinality(hashes) or cardinality(ids) is distinct from cardinality(reasons) then
    raise exception using
      errcode = 'PV004',
      message = format('%s ids, %s hashes and %s reasons do not pair up',
                       coalesce(cardinality(ids), 0), coalesce(cardinality(hashes), 0), coalesce(cardinality(reasons), 0)),
      hint    = 'pass three arrays of one length, with id and content_hash as pgvec.claim_documents gave them';
  end if;

  if array_position(ids, null) is not null or array_position(hashes, null) is not null or array_position(reasons, null) is not null then
    raise exception using
      errcode = 'PV004',
      message = 'an id, a hash or a reason is null',
      hint    = 'pass id and content_hash as pgvec.claim_documents gave them, and a text as the reason';
  end if;

  insert into pgvec.embedding_failures as f (collection, id, content_hash, reason)
  select target.name, e.id, e.hash, max(e.reason)
    from unnest(ids, hashes, reasons) as e (id, hash, reason)
   group by e.id, e.hash
   order by e.id, e.hash
      on conflict on constraint embedding_failures_pkey do update
     set reason = excluded.reason,
         attempts = f.attempts + 1,
         tried_at = clock_timestamp();
end
$$;
comment on function pgvec.note_failures(text, text[], text[], text[]) is
  'Notes in pgvec.embedding_failures that rows could not be embedded, each with the content_hash of the text and the reason. pgvec.claim_documents returns them after '
  'all others. Raises PV001 for an unknown collection, PV004 for arrays of unequal length.';
revoke all on function pgvec.note_failures(text, text[], text[], text[]) from public;
