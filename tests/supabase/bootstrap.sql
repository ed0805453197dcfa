-- A new Supabase project before any use: its roles, schemas, default privileges, and the functions that identify the
-- caller. Run by a superuser in the database that becomes the project.
do $$
begin
  if to_regrole('anon') is null then
    create role anon nologin noinherit;
    create role authenticated nologin noinherit;
    create role service_role nologin noinherit bypassrls;
    create role authenticator login noinherit;
    -- the role that migrates: it owns what it creates, sees all rows, and is no superuser
    create role postgres login createdb createrole bypassrls;
    grant anon, authenticated, service_role to authenticator;
    grant anon, authenticated, service_role, authenticator to postgres with admin option;
    -- the role of the service that keeps the accounts; postgres is no member of it
    create role supabase_auth_admin login noinherit createrole;
    alter role supabase_auth_admin set search_path = auth;
    alter role anon set statement_timeout = '3s';
    alter role authenticated set statement_timeout = '8s';
  end if;
end
$$;

create schema extensions authorization postgres;
create extension vector schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;
grant create on schema public to postgres;
grant usage on schema public to anon, authenticated, service_role;

-- as in projects created before the end of 2026
alter default privileges for role postgres in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public grant all on functions to anon, authenticated, service_role;

create schema auth;
grant usage on schema auth to anon, authenticated, service_role, postgres;
grant all on schema auth to supabase_auth_admin;
alter default privileges for role supabase_auth_admin in schema auth grant all on tables to postgres;

set role supabase_auth_admin;
create table auth.users (
  instance_id uuid,
  id          uuid not null primary key,
  aud         varchar(255),
  role        varchar(255),
  email       varchar(255),
  created_at  timestamptz
);
alter table auth.users enable row level security;
reset role;

create function auth.jwt() returns jsonb language sql stable as $$
  select nullif(current_setting('request.jwt.claims', true), '')::jsonb
$$;
create function auth.uid() returns uuid language sql stable as $$
  select (auth.jwt() ->> 'sub')::uuid
$$;
create function auth.role() returns text language sql stable as $$
  select auth.jwt() ->> 'role'
$$;

-- PostgREST reloads the schema after every change
create function extensions.pgrst_ddl_watch() returns event_trigger language plpgsql as $$
begin
  notify pgrst, 'reload schema';
end
$$;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_ddl_watch();
