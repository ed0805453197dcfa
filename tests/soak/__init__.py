"""The soak: searches, loads, writes, index builds, upgrades and faults at once, and what must hold after them.

    PYTHONPATH=tests:tests/support python -m soak [--minutes 10] [--seed N] [--postgres 16|18] [--json]

Every writer records what the server has acknowledged. A commit without an answer may have happened or not, and either
is accepted. At the end the rows, the answers, the statistics, the catalog, the log and the memory of the server are
compared with these records.
"""
