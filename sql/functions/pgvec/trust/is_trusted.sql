-- pgvec.is_trusted -- whether a role may work on a table without running code of a weaker role.
-- The owner of a table decides what runs when it is touched: triggers, policies, casts of its columns' types. So a function
-- that runs as its owner touches only tables whose owner (and that of each partition or child) is no weaker; and it writes only
-- those on which no weaker role may create triggers, or has created some.
create or replace function pgvec.is_trusted(relation regclass, to_write boolean default false, acting name default current_user)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive parts (part) as (
         select is_trusted.relation::oid
          union
         select i.inhrelid from pg_catalog.pg_inherits as i join parts as p on p.part = i.inhparent)
  select not exists (
           select
             from parts as p
             join pg_catalog.pg_class as r on r.oid = p.part
            where not pg_has_role(r.relowner, is_trusted.acting, 'member')
               or is_trusted.to_write
                  and (exists (select
                                 from aclexplode(r.relacl) as a
                                where a.privilege_type = 'TRIGGER'
                                  and (a.grantee = 0 or not pg_has_role(a.grantee, is_trusted.acting, 'member')))
                       or exists (select from pgvec.foreign_code(array[r.oid::regclass]))))
$$;
comment on function pgvec.is_trusted(regclass, boolean, name) is
  'Whether the owner of a table and of its partitions is a role (by default the current user), a superuser or another member of that role. to_write: and no weaker '
  'role may create triggers on it, or owns code that its triggers, policies, defaults, constraints, indexes or rules call.';
revoke all on function pgvec.is_trusted(regclass, boolean, name) from public;
select pgvec.grant_execute('pgvec.is_trusted(regclass, boolean, name)', 'reader');
