-- pgvec.note_usage -- adds to what embedding a collection has taken.
-- Definer, since nobody else may write the totals. A call of its own: workers that add to one hour wait for each other.
drop function if exists pgvec.note_usage(text, bigint, bigint);

create or replace function pgvec.note_usage(collection text, documents bigint, tokens bigint, seconds float8 default 0)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.of_model(note_usage.collection);
begin
  perform pgvec.queue_scope(target);
  insert into pgvec.embedding_usage as u (collection, model, hour, documents, tokens, seconds)
  values (target.name, coalesce(target.model, ''), date_trunc('hour', now(), 'UTC'), coalesce(greatest(note_usage.documents, 0), 0), coalesce(greatest(note_usage.tokens, 0), 0),
          case when note_usage.seconds between 0 and 1e9 then note_usage.seconds else 0 end)
      on conflict on constraint embedding_usage_pkey do update
     set documents = u.documents + excluded.documents,
         tokens = u.tokens + excluded.tokens,
         seconds = u.seconds + excluded.seconds;
end
$$;
comment on function pgvec.note_usage(text, bigint, bigint, float8) is
  'Adds rows embedded, the tokens that the provider counted, and the seconds that it took to pgvec.embedding_usage, for the model of the collection. Raises PV001, PV006.';
revoke all on function pgvec.note_usage(text, bigint, bigint, float8) from public;
select pgvec.grant_execute('pgvec.note_usage(text, bigint, bigint, float8)', 'writer');
