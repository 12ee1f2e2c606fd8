"""Errors about networks on a machine; each engine's own have the same root.

OperatorError
├── NetworkError      create, up, down, destroy
├── ProcessError      starting and stopping the processes of a network
└── MaterialError     certificates, keys, packages on disk
"""

from __future__ import annotations


class OperatorError(Exception):
    """Root of what engines raise on purpose.

    Parameters:
        code: stable, UPPER_SNAKE; for programs.
        message: what was got, what was expected, what to do; for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NetworkError(OperatorError):
    """A network directory cannot be created, started, stopped or removed."""


class ProcessError(OperatorError):
    """A process of the network did not start, or ended before it was ready."""


class MaterialError(OperatorError):
    """Key material, the genesis block or a chaincode package cannot be made or read."""
