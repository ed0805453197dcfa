-- pgvec.verify_settings -- settings of roles and of the database that expose the engine, or give every session a tenant.
-- PostgREST may have its own in a file, which the database does not see.
create or replace function pgvec.verify_settings()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select (pgvec.verdict(
             'privileges', 'exposed schemas',
             coalesce(array_agg(format('the REST API exposes schema pgvec by pgrst.db_schemas of %s', e.told_by) order by e.told_by), '{}'),
             format('pgvec is not among them: %s', (select string_agg(distinct x.schema_name, ', ') from pgvec.exposed_schemas() as x)),
             coalesce(min(format('alter %s set pgrst.db_schemas = ''public''; notify pgrst, ''reload config''', e.told_by)), ''))).*
      from pgvec.exposed_schemas() as e
     where e.schema_name = 'pgvec';

  return query
    select (pgvec.verdict(
             'privileges', 'rest settings',
             coalesce(array_agg(format('%s has %s%s: %s', g.holder, g.setting, case when g.setting ~ 'secret' then '' else ' = ' || g.value end, p.because) order by g.holder, g.setting), '{}'),
             'none gives callers more than their grants',
             coalesce(min(format('alter %s reset %s; notify pgrst, ''reload config''', g.holder, g.setting)), ''))).*
      from pgvec.given_settings() as g
     cross join lateral (
             select case
                      when g.setting = 'pgrst.db_plan_enabled' and g.value ~* '^(t|true|on|yes|1)$' then 'plans tell of rows that policies hide'
                      when g.setting in ('pgrst.jwt_secret', 'pgrst.app.settings.jwt_secret') then 'every role that may run SQL can read it in the catalog, and sign tokens'
                      when g.setting = 'pgrst.db_anon_role'
                           and exists (select
                                         from pg_catalog.pg_roles as r
                                        where r.rolname = g.value
                                          and (r.rolsuper or r.rolbypassrls
                                               or pg_has_role(r.oid, (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'), 'member')))
                        then 'row level security does not apply to it, and nobody need sign in'
                    end) as p (because)
     where p.because is not null;

  return query
    select (pgvec.verdict(
             'privileges', 'session settings',
             coalesce(array_agg(format('%s has %s = %s', g.holder, g.setting, g.value) order by g.holder, g.setting), '{}'),
             'no role of callers starts with a tenant, or with triggers off',
             coalesce(min(format('alter %s reset %s', g.holder, g.setting)), ''))).*
      from pgvec.given_settings() as g
     where g.setting ~ '^(app\.tenant_id|request\.jwt\.)'
             and (g.role_name is null or g.role_name = 'authenticator' or g.role_name in (select r from pgvec.roles('reader') as r))
        or g.setting = 'session_replication_role' and g.value <> 'origin';
end
$$;
comment on function pgvec.verify_settings() is
  'Checks privileges: exposed schemas (pgvec in pgrst.db_schemas), rest settings (of PostgREST, in the database), session settings (a tenant, claims or '
  'session_replication_role that sessions start with). Reads the catalog only.';
revoke all on function pgvec.verify_settings() from public;
