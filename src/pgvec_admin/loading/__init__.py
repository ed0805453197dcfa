"""Files to rows: reading, chunking, staging."""
