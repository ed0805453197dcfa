-- pgvec.server_memory -- the memory that the server has to work with.
-- A hosted server does not tell; effective_cache_size is then what its operator set for it.
create or replace function pgvec.server_memory(out bytes bigint, out source text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  confined bigint;
begin
  if pg_has_role('pg_read_server_files', 'usage') then
    bytes := 1024 * substring(pg_read_file('/proc/meminfo', 0, 4096, true) from 'MemAvailable:\s+(\d+)')::bigint;
    source := 'memory available';
    confined := substring(pg_read_file('/sys/fs/cgroup/memory.max', 0, 64, true) from '^\d+')::bigint;
    if confined < bytes then
      bytes := confined;
      source := 'memory of the container';
    end if;
  end if;
  if bytes is null then
    bytes := pg_size_bytes(current_setting('effective_cache_size'));
    source := 'effective_cache_size';
  end if;
end
$$;
comment on function pgvec.server_memory() is
  'Memory of the server in bytes, and the source of the figure: memory available (Linux, for roles that may read server files), memory of the container, or the '
  'setting effective_cache_size.';
revoke all on function pgvec.server_memory() from public;
