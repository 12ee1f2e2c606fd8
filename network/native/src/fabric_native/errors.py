"""Errors of the Fabric engine, beside those that any engine raises (`fabric_operator.errors`).

OperatorError
└── NativeError
    ├── BinariesNotFoundError   Fabric's binaries
    ├── AuthorityError          a certificate authority refuses, or cannot be reached
    ├── AdministrationError     a node refuses what an administrator asks of it
    └── InstallationError       a release of Fabric
"""

from __future__ import annotations

from fabric_operator.errors import OperatorError


class NativeError(OperatorError):
    """Root of what only the Fabric engine raises."""


class BinariesNotFoundError(NativeError):
    """One or more of Fabric's binaries are missing, unusable or of another version."""


class AuthorityError(NativeError):
    """A certificate authority refused to issue, or gave no answer."""


class AdministrationError(NativeError):
    """A peer or an ordering node refused what an administrator asked of it, or gave no answer."""


class InstallationError(NativeError):
    """A release was not installed; what was there before is unchanged."""
