alter table pgvec.text_totals drop column if exists changes;
