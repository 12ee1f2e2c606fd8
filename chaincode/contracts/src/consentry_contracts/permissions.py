"""What the table of permissions demands of a caller, checked."""

from __future__ import annotations

from consentry_records.errors import LedgerError
from consentry_records.permissions import PERMISSIONS


def check_roles(function: str, roles: tuple[str, ...]) -> None:
    """Refuse a caller without any of the function's roles; raises LedgerError ROLE_REQUIRED."""
    needed = PERMISSIONS[function].roles
    if needed and not any(role in roles for role in needed):
        raise LedgerError("ROLE_REQUIRED", {"function": function, "roles": ", ".join(needed)})


def check_transient(function: str, names: list[str]) -> None:
    """Refuse other transient fields than the function's: TRANSIENT_NOT_ALLOWED or TRANSIENT_INVALID."""
    expected = PERMISSIONS[function].transient
    if sorted(names) == sorted(expected):
        return
    if not expected:
        raise LedgerError("TRANSIENT_NOT_ALLOWED")
    raise LedgerError("TRANSIENT_INVALID", {"expected": ", ".join(expected)})
