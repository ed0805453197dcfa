-- pgvec.caller -- the role that called from outside, also within a definer function, where current_user is its owner.
-- SET ROLE is what PostgREST and poolers give a request its role with; it is not theirs to set to one they are no member of.
create or replace function pgvec.caller()
  returns name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case current_setting('role') when 'none' then session_user else current_setting('role')::name end
$$;
comment on function pgvec.caller() is 'The role of the session or request: that of SET ROLE, else the one that logged in.';
revoke all on function pgvec.caller() from public;
select pgvec.grant_execute('pgvec.caller()', 'reader');
