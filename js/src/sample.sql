-- What `pgvec-admin dev` begins with: a collection to try. Its vectors have three dimensions, made up by hand: how much a
-- text is about databases, about waiting, and about tea.
select pgvec.create_collection('sample', 3);

insert into public.sample (id, source, chunk_index, content, metadata, embedding)
values ('pool-1', 'pool.md', 0, 'A connection pool keeps connections open, so that a request does not wait for a new one.', '{"lang": "en"}', '[0.9, 0.5, 0]'),
       ('pool-2', 'pool.md', 1, 'When all connections of the pool are in use, the next request waits until its timeout.', '{"lang": "en"}', '[0.7, 0.9, 0]'),
       ('index-1', 'index.md', 0, 'An index is built once over all rows faster than it is kept while they arrive.', '{"lang": "en"}', '[1, 0.1, 0]'),
       ('tee-1', 'tee.md', 0, 'Grüner Tee zieht zwei Minuten in Wasser, das nicht kocht.', '{"lang": "de"}', '[0, 0.4, 1]');
