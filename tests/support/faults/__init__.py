"""Faults on real nodes, seeded and repeatable, while clients write and a checker counts."""
