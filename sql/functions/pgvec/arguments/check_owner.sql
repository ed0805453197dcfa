-- pgvec.check_owner -- the table of accounts that a name stands for, and its key; PV004 where rows cannot belong to it.
-- The name is read here, since none but the pinned schemas are in the search_path: without a schema it is one of public.
create or replace function pgvec.check_owner(owner text, out relation regclass, out key name)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts text[];
  kind  record;
begin
  begin
    parts := parse_ident(owner);
    if cardinality(parts) = 1 then
      parts := array['public'] || parts;
    end if;
    relation := to_regclass(format('%I.%I', parts[1], parts[2]));
  exception
    when invalid_parameter_value or invalid_name or null_value_not_allowed then
      relation := null;
    when insufficient_privilege then
      raise exception using
        errcode = 'PV004',
        message = format('%s may not refer to %s', current_user, pgvec.shown(owner)),
        hint    = format('let an administrator grant it: grant usage on schema %I to %I', parts[1], current_user);
  end;
  if relation is null or cardinality(parts) <> 2 then
    raise exception using
      errcode = 'PV004',
      message = format('there is no table %s', pgvec.shown(owner)),
      hint    = 'name the table of the accounts with its schema: on Supabase auth.users';
  end if;
  select r.relkind, r.relpersistence, n.nspname, n.oid as schema into kind
    from pg_catalog.pg_class as r
    join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
   where r.oid = relation;
  if kind.relkind not in ('r', 'p') or kind.relpersistence <> 'p' or kind.nspname in ('pgvec', 'pg_catalog', 'information_schema') then
    raise exception using
      errcode = 'PV004',
      message = format('rows cannot belong to %s', relation),
      detail  = case when kind.relkind not in ('r', 'p') then 'it is no table' when kind.relpersistence <> 'p' then 'it is temporary or unlogged' else 'it is no table of accounts' end,
      hint    = 'name a table of your own, or of the platform, whose primary key is a uuid: on Supabase auth.users';
  end if;
  select a.attname into key
    from pg_catalog.pg_index as x
    join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
   where x.indrelid = relation
     and x.indisprimary
     and x.indnkeyatts = 1
     and a.atttypid = 'uuid'::regtype;
  if key is null then
    raise exception using
      errcode = 'PV004',
      message = format('rows cannot belong to %s: its primary key is no uuid', relation),
      detail  = coalesce('the primary key: ' || (select pg_get_constraintdef(c.oid) || ' of type ' || format_type(a.atttypid, a.atttypmod)
                                                   from pg_catalog.pg_constraint as c
                                                   join pg_catalog.pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
                                                  where c.conrelid = relation and c.contype = 'p'), 'it has no primary key'),
      hint    = 'the column that identifies an account has to be of type uuid, and the primary key';
  end if;
  if not (has_table_privilege(relation, 'references') and has_table_privilege(relation, 'trigger') and has_schema_privilege(kind.schema, 'usage')) then
    raise exception using
      errcode = 'PV004',
      message = format('%s may not refer to %s', current_user, relation),
      hint    = format('let its owner grant it: grant usage on schema %I to %I; grant references, trigger on table %s to %I', kind.nspname, current_user, relation, current_user);
  end if;
end
$$;
comment on function pgvec.check_owner(text) is
  'The table of accounts of that name (in schema public, where it names none), and its primary key, a uuid. Raises PV004 for anything else, and for a table that the '
  'current user may not refer to, or not create a trigger on.';
revoke all on function pgvec.check_owner(text) from public;
