-- pgvec.verify_tenants -- tries, as each role and with two made-up tenants, to see and to change what it must not.
-- It works in a collection of its own, which never remains: all of it is rolled back. Each attempt is a query that must return
-- nothing, or one that must be refused, with calls by exact signature; its effects are undone before the next. Of all roles
-- that search, only service_role is not tried: it is meant to see all rows.
create or replace function pgvec.verify_tenants()
  returns table (role_name name, attempt text, passed boolean, detail text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  probe    constant text := 'pgvec_probe_' || substr(md5(clock_timestamp()::text), 1, 8);
  ours     constant uuid := gen_random_uuid();
  theirs   constant uuid := gen_random_uuid();
  attempts constant jsonb := $attempts$[
    ["reads the table", "empty", "select from public.{probe} as d where d.content like '%theirs%'"],
    ["match_documents", "empty", "select from public.match_documents('[1,0]'::extensions.vector, 100, '{}'::jsonb, null::float8, '{probe}'::text, null::uuid, null::text) as d where d.content like '%theirs%'"],
    ["keyword_search", "empty", "select from public.keyword_search('theirs'::text, 10, '{}'::jsonb, 'bm25'::text, '{probe}'::text, null::uuid, false, null::float8, null::text, null::text, null::text, false, false)"],
    ["hybrid_search", "empty", "select from public.hybrid_search('theirs'::text, '[1,0]'::extensions.vector, 10, 1::float8, 1::float8, null::int, null::text, '{}'::jsonb, null::float8, 'bm25'::text, '{probe}'::text, null::uuid, 100, null::text, null::float8, null::text, null::interval, false, null::text, false, false) as d where d.content like '%theirs%'"],
    ["document_facets", "empty", "select from public.document_facets('whose'::text, null::text, '{}'::jsonb, 10, '{probe}'::text, null::uuid) as d where d.value = 'theirs'"],
    ["document_context", "empty", "select from public.document_context('2'::text, 1, 1, '{probe}'::text, null::uuid)"],
    ["suggest_query", "empty", "select from public.suggest_query('theyrs'::text, '{probe}'::text, null::uuid) as s (text) where s.text is not null"],
    ["pgvec.candidates_as_owner", "empty", "select from pgvec.candidates_as_owner('{probe}'::text, null::uuid, null::text, '[1,0]'::extensions.vector, '{}'::jsonb, null::float8, 'cosine'::text, null::text, 10, true, false) as c, unnest(c.hits) as d where d.id = '2'"],
    ["match_documents for_tenant", "refused", "select from public.match_documents('[1,0]'::extensions.vector, 100, '{}'::jsonb, null::float8, '{probe}'::text, '{theirs}'::uuid, null::text)"],
    ["keyword_search for_tenant", "refused", "select from public.keyword_search('theirs'::text, 10, '{}'::jsonb, 'bm25'::text, '{probe}'::text, '{theirs}'::uuid, false, null::float8, null::text, null::text, null::text, false, false)"],
    ["pgvec.keyword_query for_tenant", "refused", "select pgvec.keyword_query('{probe}'::text, 'theirs'::text, '{theirs}'::uuid)"],
    ["reads the statistics", "refused", "select from pgvec.lexemes"],
    ["inserts for another tenant", "refused", "insert into public.{probe} (tenant_id, content) values ('{theirs}', 'planted')"],
    ["gives a row away", "refused", "update public.{probe} as d set tenant_id = '{theirs}' where d.id = '1'"],
    ["changes another's row", "empty", "update public.{probe} as d set content = 'changed' where d.id = '2' returning d.id"],
    ["deletes another's row", "empty", "delete from public.{probe} as d where d.id = '2' returning d.id"]]$attempts$::jsonb;
  tried    record;
  results  jsonb := '[]'::jsonb;
  told     text;
  may_set  constant text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
  role     constant text := current_setting('role');
  settings jsonb := '{}'::jsonb;
  met      bigint;
begin
  if pgvec.tenant_settings(ours) is null then
    return query select h, 'all of them', false, 'not tried: pgvec.tenant_settings() knows no settings for a made-up tenant' from pgvec.held_roles() as h order by h;
    return;
  end if;
  begin
    perform pgvec.create_collection(probe, 2, access => 'tenant');
    perform public.upsert_documents('[{"id": "1", "content": "a fish of ours", "metadata": {"whose": "ours"}, "embedding": [1, 0]}]'::jsonb, probe, ours);
    perform public.upsert_documents('[{"id": "2", "content": "a fish of theirs", "metadata": {"whose": "theirs"}, "embedding": [1, 0]}]'::jsonb, probe, theirs);
    for tried in
      select r.name, a.value ->> 0 as attempt, a.value ->> 1 as expected,
             replace(replace(a.value ->> 2, '{probe}', probe), '{theirs}', theirs::text) as query
        from pgvec.held_roles() as r (name)
       cross join jsonb_array_elements(attempts) with ordinality as a (value, place)
       where pg_has_role(session_user, r.name, may_set)
       order by r.name, a.place
    loop
      begin
        settings := pgvec.act_for(ours, tried.name);
        perform set_config('role', tried.name, true);
        execute tried.query;
        get diagnostics met = row_count;
        told := case when met > 0 then format('%s rows', met) when tried.expected = 'refused' then 'not refused' end;
        raise exception using errcode = 'PV004', message = 'rolled back', hint = 'this is caught below';
      exception
        when sqlstate 'PV006' or insufficient_privilege then
          told := null;  -- a role that may not write at all is refused before its tenant is looked at
        when sqlstate 'PV004' then
          if sqlerrm <> 'rolled back' then
            raise;
          end if;
      end;
      perform set_config('role', role, true);
      perform pgvec.give_settings(settings);
      results := results || jsonb_build_array(jsonb_build_array(tried.name, tried.attempt, told));
    end loop;
    raise exception using errcode = 'PV004', message = 'rolled back', hint = 'this is caught below';
  exception when sqlstate 'PV004' then
    if sqlerrm <> 'rolled back' then
      raise;
    end if;
  end;
  return query
    select r, 'all of them', false, format('not tried: %s may not act as it', session_user)
      from pgvec.held_roles() as r
     where not pg_has_role(session_user, r, may_set)
     order by r;
  return query
    select (r.value ->> 0)::name, r.value ->> 1, r.value ->> 2 is null, r.value ->> 2
      from jsonb_array_elements(results) with ordinality as r (value, place)
     order by r.place;
end
$$;
comment on function pgvec.verify_tenants() is
  'For each role that row level security must constrain: the attempts to see or change what it must not, in a collection with two made-up tenants, and whether each '
  'was stopped. Leaves nothing behind. The caller has to be a member of these roles: a role that it may not act as is reported as not passed.';
revoke all on function pgvec.verify_tenants() from public;
