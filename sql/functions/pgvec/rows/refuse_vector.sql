-- pgvec.refuse_vector -- PV005 for the embedding of a row that no distance can be told of.
create or replace function pgvec.refuse_vector(product float8, id text, relation regclass)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if product not in (0, '-infinity') then
    return;
  end if;
  raise exception using
    errcode = 'PV005',
    message = (select format('the embedding of row %s of %I.%I is %s', pgvec.shown(id), n.nspname, r.relname,
                             case product when 0 then 'a zero vector' else 'too long a vector to compare' end)
                 from pg_catalog.pg_class as r
                 join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
                where r.oid = relation),
    hint    = 'a zero vector has no direction, and lengths beyond 1.8e19 overflow; store null until there is an embedding';
end
$$;
comment on function pgvec.refuse_vector(float8, text, regclass) is
  'Raises PV005 for a zero vector, or one beyond single precision, of the row with this id; nothing for others. product: of the vector with itself, by <#>.';
revoke all on function pgvec.refuse_vector(float8, text, regclass) from public;
select pgvec.grant_execute('pgvec.refuse_vector(float8, text, regclass)', 'writer');
