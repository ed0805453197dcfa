"""Whether it works, and how well: verification, reports, benchmarks, evaluation, statistics."""
