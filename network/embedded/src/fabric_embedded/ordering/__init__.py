"""Ordering and commit: which envelopes are taken, how blocks are cut, signed, validated and written."""
