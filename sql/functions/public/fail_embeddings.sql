-- fail_embeddings -- records that rows could not be embedded, each for a reason of its own; or gives rows back uncharged.
-- What fails for all rows of a request, such as a rate limit or a wrong key, is no row's fault: without a reason a row is due
-- again after the wait, and is charged nothing.
create or replace function public.fail_embeddings(failures jsonb, collection text default 'documents', wait interval default '0 s')
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  name    constant text := coalesce(fail_embeddings.collection, 'documents');
  charged bigint;
begin
  perform pgvec.check_jobs(failures, '{id,content_hash,reason}');
  charged := (select pgvec.fail_jobs(name, coalesce(array_agg(e.doc ->> 'id'), '{}'), coalesce(array_agg(e.doc ->> 'content_hash'), '{}'), coalesce(array_agg(e.doc ->> 'reason'), '{}'))
                from jsonb_array_elements(failures) as e (doc)
               where e.doc ->> 'reason' is not null);
  return charged + (select pgvec.postpone_jobs(name, coalesce(array_agg(e.doc ->> 'id'), '{}'), coalesce(array_agg(e.doc ->> 'content_hash'), '{}'), coalesce(wait, '0 s'))
                      from jsonb_array_elements(failures) as e (doc)
                     where e.doc ->> 'reason' is null);
end
$$;
comment on function public.fail_embeddings(jsonb, text, interval) is
  'Gives rows back that were claimed: an array of objects with id, content_hash and reason. A row with a reason has failed: it is due again after half a minute, twice that '
  'and so on, and after five failures (the setting embedding_attempts) never (pgvec.retry_dead). A row without one is due again after the wait, uncharged: for failures of '
  'the provider, such as a rate limit. Returns how many rows. Errors: PV001 unknown collection, PV004 argument, PV006 not for this caller.';
revoke all on function public.fail_embeddings(jsonb, text, interval) from public;
select pgvec.grant_execute('public.fail_embeddings(jsonb, text, interval)', 'writer');
