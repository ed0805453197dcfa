-- pgvec.protect_second -- comments, column privileges and hidden statistics of the columns of a second model: as the active ones have them.
create or replace function pgvec.protect_second(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(protect_second.collection);
  change pgvec.model_changes;
  item   record;
begin
  select m.* into change from pgvec.model_changes as m where m.collection = target.name;
  for item in
    select a.attname, col_description(a.attrelid, h.attnum) as description
      from (values ('embedding'), ('embedded_hash'), ('embedded_by')) as v (name)
      join pg_catalog.pg_attribute as a on a.attrelid = target.base and a.attname in (v.name || '_next', v.name || '_old')
      join pg_catalog.pg_attribute as h on h.attrelid = target.base and h.attname = v.name
  loop
    execute format('comment on column %s.%I is %L', target.base, item.attname, format('Of %s: %s', change.model, item.description));
  end loop;
  for item in
    select s.attname, x.privilege_type, x.grantee, x.is_grantable
      from (values ('embedding'), ('embedded_hash'), ('embedded_by')) as v (name)
      join pg_catalog.pg_attribute as a on a.attrelid = target.base and a.attname = v.name
      join pg_catalog.pg_attribute as s on s.attrelid = target.base and s.attname = v.name || '_next'
     cross join lateral aclexplode(a.attacl) as x
  loop
    execute format('grant %s (%I) on %s to %s %s', item.privilege_type, item.attname, target.base,
                   case item.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(item.grantee)) end,
                   case when item.is_grantable then 'with grant option' end);
  end loop;
  if target.access <> 'open' then
    perform pgvec.hide_statistics(target.name);
  end if;
end
$$;
comment on function pgvec.protect_second(text) is
  'Gives the columns of the second model of a collection comments, and the privileges on columns and hidden statistics of the active ones. Raises PV001.';
revoke all on function pgvec.protect_second(text) from public;
