"""Real Hyperledger Fabric as native processes.

This release finds the official binaries and tells their versions. It does not start a network of them yet.
"""

from fabric_native.binaries import Binary, FabricBinaries, find_binaries, find_binary, user_directory
from fabric_native.doctor import Finding, State, examine
from fabric_native.errors import BinariesNotFoundError, InstallationError, NativeError

__all__ = [
    "BinariesNotFoundError",
    "Binary",
    "FabricBinaries",
    "Finding",
    "InstallationError",
    "NativeError",
    "State",
    "examine",
    "find_binaries",
    "find_binary",
    "user_directory",
]
