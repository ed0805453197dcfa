-- pgvec.caller -- the role that called from outside, also within a definer function, where current_user is its owner.
-- PostgREST and poolers give a request its role by SET ROLE, which the server refuses for a role they are not a member of.
create or replace function pgvec.caller()
  returns name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case current_setting('role') when 'none' then session_user else current_setting('role')::name end
$$;
comment on function pgvec.caller() is 'The role of the session or request: that of SET ROLE, else the login role.';
revoke all on function pgvec.caller() from public;
select pgvec.grant_execute('pgvec.caller()', 'reader');
