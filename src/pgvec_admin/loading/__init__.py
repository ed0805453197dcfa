"""Files to rows, and texts to vectors: reading, chunking, staging, embedding."""
