"""Migrations and functions: applying, comparing, rolling back, and exporting them as one file."""
