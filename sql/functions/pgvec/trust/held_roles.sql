-- pgvec.held_roles -- the roles of callers that row level security must constrain: all that search, except service_role.
-- service_role is Supabase's role for backends, and is meant to see all rows.
create or replace function pgvec.held_roles()
  returns setof name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r from pgvec.roles('reader') as r where r <> 'service_role' order by r
$$;
comment on function pgvec.held_roles() is 'The existing roles of readers that row level security must constrain: all except service_role.';
revoke all on function pgvec.held_roles() from public;
