"""Errors of fabric_embedded: one root, a stable code and a sentence on each.

EmbeddedError
├── NetworkError      create, up, down, destroy
├── ProcessError      starting and stopping the processes of a network
├── MaterialError     certificates, keys, packages on disk
└── AccessDenied      a policy of the channel refuses the caller
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """Root of everything that this distribution raises on purpose.

    Parameters:
        code: stable, UPPER_SNAKE; for programs.
        message: what was got, what was expected, what to do; for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NetworkError(EmbeddedError):
    """A network directory cannot be created, started, stopped or removed."""


class ProcessError(EmbeddedError):
    """A process of the network did not start, or ended before it was ready."""


class MaterialError(EmbeddedError):
    """Key material, the genesis block or a chaincode package cannot be made or read."""


class AccessDenied(EmbeddedError):
    """A channel policy refuses the caller (Fabric's ACLs, `core/aclmgmt`)."""
