"""Migrations and functions: applying, comparing, taking back, and exporting them as one file."""
