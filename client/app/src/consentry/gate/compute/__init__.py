"""Compute to data: a registered and approved function runs beside the rows; only its declared outputs leave.

`Sandbox` runs one function on rows; `Isolation` proves first that nothing gets out of it. ADR 0027.
"""
