-- pgvec.verify_timeouts -- how long a search may take, for each role.
-- A role open to strangers, without a timeout, can keep all connections busy. The timeout for all roles is that of this
-- session, unless the session's role has its own.
create or replace function pgvec.verify_timeouts()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  told  text[];
  loose text[];
begin
  select array_agg(format('%s %s', r.name, t.value) order by r.name) filter (where t.value is not null),
         array_agg(format('%s has no statement_timeout', r.name) order by r.name) filter (where coalesce(t.value, '0') ~ '^0')
    into told, loose
    from pgvec.roles('reader') as r (name)
    left join lateral (
           select split_part(c.value, '=', 2) as value
             from pg_catalog.pg_db_role_setting as s
            cross join lateral unnest(s.setconfig) as c (value)
            where s.setrole in (0, to_regrole(quote_ident(r.name)))
              and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
              and c.value like 'statement\_timeout=%'
            order by s.setrole <> 0 desc, s.setdatabase <> 0 desc
            limit 1) as t on true
   where r.name in ('anon', 'authenticated')
     and ((select s.reset_val from pg_catalog.pg_settings as s where s.name = 'statement_timeout') = '0'
          or exists (select
                       from pg_catalog.pg_db_role_setting as s
                      cross join lateral unnest(s.setconfig) as c (value)
                      where s.setrole = to_regrole(quote_ident(session_user)) and c.value like 'statement\_timeout=%'));
  return next pgvec.verdict(
    'server', 'statement_timeout', coalesce(loose, '{}'),
    coalesce(array_to_string(told, ', '), 'the roles that strangers have need none of their own'),
    'alter role anon set statement_timeout = ''3s''', severity => 'warn');
end
$$;
comment on function pgvec.verify_timeouts() is 'Checks that a statement_timeout applies to the roles of the REST API that strangers have (anon, authenticated).';
revoke all on function pgvec.verify_timeouts() from public;
