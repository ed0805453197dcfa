"""`python -m pgvec_admin` is the command `pgvec-admin`."""

from pgvec_admin.cli import main

main()
