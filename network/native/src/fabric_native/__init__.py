"""Real Hyperledger Fabric as native processes: peers, ordering nodes, CAs and chaincode services."""

from fabric_native.binaries import Binary, FabricBinaries, find_binaries, find_binary, user_directory
from fabric_native.bundle import Machine
from fabric_native.doctor import Finding, State, examine
from fabric_native.errors import (
    AdministrationError,
    AuthorityError,
    BinariesNotFoundError,
    InstallationError,
    NativeError,
)
from fabric_native.invitation import Invitation
from fabric_native.member_file import MemberFile
from fabric_native.network import NativeNetwork

__all__ = [
    "AdministrationError",
    "AuthorityError",
    "BinariesNotFoundError",
    "Binary",
    "FabricBinaries",
    "Finding",
    "InstallationError",
    "Invitation",
    "Machine",
    "MemberFile",
    "NativeError",
    "NativeNetwork",
    "State",
    "examine",
    "find_binaries",
    "find_binary",
    "user_directory",
]
