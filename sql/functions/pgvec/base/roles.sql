-- pgvec.roles -- the roles that this project grants to, of those that exist here.
-- Supabase has anon, authenticated and service_role; a plain server has pgvec_reader and pgvec_writer.
create or replace function pgvec.roles(audience text)
  returns setof name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolname
    from pg_catalog.pg_roles as r
   where r.rolname = any (case audience
                            when 'reader' then '{anon,authenticated,service_role,pgvec_reader,pgvec_writer}'::name[]
                            when 'writer' then '{service_role,pgvec_writer}'::name[]
                            when 'member' then '{authenticated,service_role,pgvec_writer}'::name[]
                            when 'owner' then '{}'::name[]
                          end)
   order by r.rolname
$$;
comment on function pgvec.roles(text) is
  'The existing roles of an audience: ''reader'' (may search), ''writer'' (may search and write), '
  '''member'' (may write rows of their tenants), or ''owner'' (none: what only the owner may call).';
revoke all on function pgvec.roles(text) from public;
