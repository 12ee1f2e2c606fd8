"""Migrations of the index's tables, run by Alembic when an older index is opened.

A change of ``schema.py`` comes with a module in ``versions`` that makes it in an older index, and with its
number in ``schema.REVISION``; a test compares what the migrations make with ``schema.py``.
"""
