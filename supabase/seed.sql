-- A small collection to try: texts with keyword search at once; for vectors, embed them or load your own.
select pgvec.create_collection('documents', 384, model => 'local:all-MiniLM-L6-v2')
 where not exists (select from pgvec.collections as c where c.name = 'documents');

insert into public.documents (id, source, chunk_index, content, metadata)
values ('pool-1', 'pool.md', 0, 'A connection pool keeps connections open, so that a request does not wait for a new one.', '{"topic": "databases"}'),
       ('pool-2', 'pool.md', 1, 'When all connections of the pool are in use, the next request waits until its timeout.', '{"topic": "databases"}'),
       ('index-1', 'index.md', 0, 'An index is built once over all rows faster than it is kept while they arrive.', '{"topic": "databases"}'),
       ('tea-1', 'tea.md', 0, 'Green tea is steeped for two minutes in water that does not boil.', '{"topic": "kitchen"}')
    on conflict (id) do nothing;
