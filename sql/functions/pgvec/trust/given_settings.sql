-- pgvec.given_settings -- the settings stored for roles and for this database, by ALTER ROLE and ALTER DATABASE.
create or replace function pgvec.given_settings()
  returns table (role_name name, holder text, setting text, value text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolname,
         case when r.rolname is not null then format('role %I', r.rolname)
              when s.setdatabase <> 0 then format('database %I', current_database())
              else 'role all' end,
         split_part(c.item, '=', 1),
         substr(c.item, strpos(c.item, '=') + 1)
    from pg_catalog.pg_db_role_setting as s
   cross join lateral unnest(s.setconfig) as c (item)
    left join pg_catalog.pg_roles as r on r.oid = s.setrole
   where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
   order by 2, 3
$$;
comment on function pgvec.given_settings() is
  'Settings by role and database: the role (null for all), what ALTER names (role NAME, database NAME, role all), setting and value.';
revoke all on function pgvec.given_settings() from public;
