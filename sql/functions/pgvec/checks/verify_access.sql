-- pgvec.verify_access -- whether those who may search a collection find its rows, and strangers find none.
-- Each attempt is a query as a role, with the settings of a sampled row's tenant, or of a made-up one (pgvec.act_for). Calls are by exact
-- signature, so that no other function of the name is called. Nothing is written; pgvec.verify_tenants tries to write as well,
-- in a collection of its own. A role without a grant on the table, or without one any more, is reported: whether it should have
-- one is for the owner to say.
create or replace function pgvec.verify_access(collection text)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(verify_access.collection);
  attempts constant text[] := pgvec.access_attempts();
  row_id   text;  -- of a sampled row
  embedding extensions.vector;
  words    text;
  facet    text;
  tenant   uuid;
  trial    record;
  met      bigint;
  tried    int := 0;
  shut_out text[] := array[]::text[];
  seen     text[] := array[]::text[];
  ungranted text[];
  stranger constant uuid := gen_random_uuid();
  may_set  constant text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
  acting   name[] := array(select r from pgvec.roles('reader') as r where pg_has_role(session_user, r, may_set) order by r);
  role     constant text := current_setting('role');
  settings jsonb := '{}'::jsonb;
  logging  constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  if target.access = 'policy' or target.base <> target.relation then
    return next pgvec.verdict(target.name, 'readers', '{}', 'its own policies decide who reads');
    return;
  elsif not pgvec.is_trusted(target.base) or exists (select from pgvec.foreign_code(array(select t from pgvec.relations_of(target.name) as t)) as f) then
    return next pgvec.verdict(
      target.name, 'readers', array[format('not tried: code of a weaker role would run with the rights of %s', session_user)], null,
      'see the checks table owner, code of others, triggers of others', severity => 'warn');
    return;
  end if;
  execute format('select d.id, d.embedding::extensions.vector, left(d.content, 60), (select k.key from jsonb_object_keys(d.metadata) as k (key) limit 1), %s'
                 ' from %s as d where d.embedding is not null limit 1',
                 case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, target.relation)
    into row_id, embedding, words, facet, tenant;
  if row_id is null or acting = '{}' then
    return next pgvec.verdict(
      target.name, 'readers', '{}',
      case when row_id is null then 'there is nothing to find' else format('%s may act as no other role to try', current_user) end);
    return;
  end if;

  ungranted := array(select a from unnest(acting) as a where not has_table_privilege(a, target.relation, 'select'));
  perform set_config('pgvec.search_log', 'off', true);  -- not users' searches: do not log them
  -- as the row's tenant, by the plain queries; as a stranger, who is no administrator, by all of them
  for trial in
    select r.rolname as reader, a.query, s.is_stranger
      from unnest(acting) as x (name)
      join pg_catalog.pg_roles as r on r.rolname = x.name
     cross join unnest(attempts) with ordinality as a (query, place)
     cross join (values (false), (true)) as s (is_stranger)
     where case when s.is_stranger then target.access = 'tenant' and r.rolname <> 'service_role'
                else a.place <= 2 and r.rolname <> all (ungranted) and not (target.access = 'tenant' and r.rolbypassrls) end
     order by r.rolname, a.place
  loop
    begin
      settings := pgvec.act_for(case when trial.is_stranger then stranger else tenant end, trial.reader);
      perform set_config('role', trial.reader, true);
      execute format(trial.query, target.relation, embedding, target.name, row_id, words, tenant, target.distance, facet);
      get diagnostics met = row_count;
    exception when sqlstate 'PV006' or sqlstate 'PV004' or insufficient_privilege then
      met := 0;  -- PV004: an id, or a key, that does not exist for the caller
    end;
    perform set_config('role', role, true);
    perform pgvec.give_settings(settings);
    tried := tried + trial.is_stranger::int;
    if trial.is_stranger and met > 0 then
      seen := seen || format('a stranger who is %s sees rows (%s) by: %s', trial.reader, met, left(replace(trial.query, '%1$s', target.relation::text), 60));
    elsif not trial.is_stranger and met = 0 then
      shut_out := shut_out || format('%s finds nothing by: %s', trial.reader, left(replace(trial.query, '%1$s', target.relation::text), 60));
    end if;
  end loop;
  perform set_config('pgvec.search_log', logging, true);

  return next pgvec.verdict(
    target.name, 'readers',
    shut_out || array(select format('%s may not read %s', u, target.relation) from unnest(ungranted) as u),
    format('%s find its rows', array_to_string(acting, ', ')),
    format('look for grants that were revoked (\dp in psql): grant select on %s to ... where it should be; pgvec-admin migrate grants functions', target.relation),
    severity => case when shut_out = '{}' and cardinality(ungranted) < cardinality(acting) then 'warn' else 'fail' end);
  if target.access = 'tenant' then
    return next pgvec.verdict(
      target.name, 'strangers', seen, format('a made-up tenant sees nothing of another by %s paths', tried),
      'look for policies, grants and functions that were changed: the checks policies, grants, definer; pgvec-admin verify --tenants');
  end if;
end
$$;
comment on function pgvec.verify_access(text) is
  'Checks of a collection whose policies are ours: readers (each role that may search, with the token of a tenant that has rows, finds some; a warning where it is '
  'not granted the table) and, with tenants, strangers (a made-up tenant sees nothing, by any query). Tries the roles that the caller may act as; writes nothing. '
  'Raises PV001.';
revoke all on function pgvec.verify_access(text) from public;
