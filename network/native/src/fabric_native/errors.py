"""Errors of the Fabric engine.

NativeError
└── BinariesNotFoundError
"""

from __future__ import annotations


class NativeError(Exception):
    """Something about real Fabric processes is not as needed.

    Args:
        code: Stable code in upper case, for programs.
        message: What was got, what was expected, what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BinariesNotFoundError(NativeError):
    """One or more of Fabric's binaries are missing, unusable or of another version."""
