-- pgvec.grant_execute -- lets exactly one audience call a function.
-- Old Supabase projects grant every new function in public to anon by name, so it revokes by name as well.
create or replace function pgvec.grant_execute(routine regprocedure, audience text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  role_name name;
begin
  execute format('revoke all on function %s from public', routine);
  for role_name in select r from pgvec.roles('reader') as r loop
    execute format('revoke all on function %s from %I', routine, role_name);
  end loop;
  for role_name in select r from pgvec.roles(audience) as r loop
    execute format('grant execute on function %s to %I', routine, role_name);
  end loop;
end
$$;
comment on function pgvec.grant_execute(regprocedure, text) is
  'Grants a function to the roles of one audience (''reader'', ''writer'', or ''owner'' for nobody), and revokes it from this project''s other roles and from '
  'PUBLIC.';
revoke all on function pgvec.grant_execute(regprocedure, text) from public;
