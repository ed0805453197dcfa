-- Forgets the resume points: loads that were cut off begin anew, and find what they had stored.
drop table if exists pgvec.loads;
