"""Real Hyperledger Fabric as native processes.

This release finds the official binaries and tells their versions. It does not start a network of them yet.
"""

from fabric_native.binaries import Binary, FabricBinaries, find_binaries, find_binary, user_directory
from fabric_native.errors import BinariesNotFoundError, NativeError

__all__ = [
    "BinariesNotFoundError",
    "Binary",
    "FabricBinaries",
    "NativeError",
    "find_binaries",
    "find_binary",
    "user_directory",
]
