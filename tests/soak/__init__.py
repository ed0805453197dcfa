"""The soak: searches, loads, writes, index builds, upgrades and faults at once, and what must hold after them.

    PYTHONPATH=tests:tests/support python -m soak [--minutes 10] [--seed N] [--postgres 16|18] [--json]

Every writer keeps account of what the server has acknowledged. A commit that was not answered may have happened or
not, and is held to be one of both. At the end the rows, the answers, the statistics, the catalog, the log and the
memory of the server are held against that.
"""
