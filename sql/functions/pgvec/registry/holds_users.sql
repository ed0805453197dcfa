-- pgvec.holds_users -- whether a table has the users that tokens name: Supabase's, or one whose key is that of a user.
create or replace function pgvec.holds_users(relation regclass)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select exists (
           select
             from pg_catalog.pg_class as u
             join pg_catalog.pg_namespace as n on n.oid = u.relnamespace
            where n.nspname = 'auth'
              and u.relname = 'users'
              and (u.oid = holds_users.relation
                   or exists (select
                                from pg_catalog.pg_constraint as f
                                join pg_catalog.pg_constraint as p on p.conrelid = f.conrelid and p.contype = 'p' and p.conkey = f.conkey
                               where f.conrelid = holds_users.relation
                                 and f.contype = 'f'
                                 and f.confrelid = u.oid)))
$$;
comment on function pgvec.holds_users(regclass) is
  'Whether a table is auth.users, or has a primary key that refers to it, such as a table of profiles: then sub of a token is a key of it.';
revoke all on function pgvec.holds_users(regclass) from public;
