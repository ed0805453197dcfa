"""Faults planted one at a time, and the tests that find them.

    PYTHONPATH=tests:tests/support python -m mutations [--only NAME] [--all] [--full] [--times N]

Each fault of `faults.toml` is planted into a copy of the checkout, and pytest runs there until the first test fails. A
fault that no test finds is a test that is missing. The faults are small, and a user would notice each.
"""
