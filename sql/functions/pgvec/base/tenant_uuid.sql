-- pgvec.tenant_uuid -- a uuid for a tenant whose id is another text, such as org_2xyz: for the hook pgvec.current_tenants.
-- A name-based uuid (version 3 of RFC 9562, in its namespace of URLs), which standard libraries make too, where a program has to pass it:
-- uuid.uuid3(uuid.NAMESPACE_URL, 'org_2xyz') in Python, v3('org_2xyz', v3.URL) of the npm package uuid.
create or replace function pgvec.tenant_uuid(name text)
  returns uuid
  language plpgsql immutable strict parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  hash bytea := decode(md5(decode('6ba7b8119dad11d180b400c04fd430c8', 'hex') || convert_to(name, 'UTF8')), 'hex');
begin
  hash := set_byte(hash, 6, get_byte(hash, 6) & 15 | 48);
  hash := set_byte(hash, 8, get_byte(hash, 8) & 63 | 128);
  return encode(hash, 'hex')::uuid;
end
$$;
comment on function pgvec.tenant_uuid(text) is
  'The name-based uuid (version 3, namespace of URLs) of a tenant whose id is no uuid; null for null. The same text always has the same uuid.';
revoke all on function pgvec.tenant_uuid(text) from public;
select pgvec.grant_execute('pgvec.tenant_uuid(text)', 'reader');
