"""What a network's directory remembers of how its programs are found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fabric_native.binaries import Binary, find_binary
from fabric_native.errors import BinariesNotFoundError
from fabric_operator.errors import NetworkError
from fabric_protocol.topology import Organization, Topology


@dataclass(frozen=True)
class EngineSettings:
    """How the network's programs are found.

    Parameters:
        binaries: directory that was named for Fabric's binaries; None leaves it to PATH and the user's own.
        authority_command: program and arguments that serve a CA from the home directory which is appended;
            None is Fabric CA's server.
        chaincode_generation: which of its chaincode services are in use; each upgrade starts the next.
        organization: name of the one whose nodes run here, in its bundle; None where all do.
        retiring: whether the generation before that one serves still, in a bundle, until enough organizations
            have approved the newer.
    """

    binaries: str | None = None
    authority_command: tuple[str, ...] | None = None
    chaincode_generation: int = 1
    organization: str | None = None
    retiring: bool = False

    def operated(self, topology: Topology) -> tuple[Organization, ...]:
        """The organizations whose nodes run here.

        Raises:
            TopologyError: ORGANIZATION_UNKNOWN.
        """
        if self.organization is None:
            return topology.organizations
        return (topology.organization(self.organization),)

    def program(self, name: str) -> str:
        """Path of one of Fabric's programs.

        Raises:
            BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
        """
        return str(find_binary(name, self._directory()).path)

    def command(self, name: str, *arguments: str) -> tuple[str, ...]:
        """Command of one of Fabric's programs, which writes files that their owner alone can read.

        A peer copies packages, with the client key in them, with the mode that its umask leaves.

        Raises:
            BinariesNotFoundError: BINARIES_MISSING, VERSION_UNFIT.
        """
        return ("/bin/sh", "-c", 'umask 077; exec "$@"', name, self.program(name), *arguments)

    def authority(self, home: Path) -> tuple[str, ...]:
        """Command that serves a CA from its home directory."""
        if self.authority_command is not None:
            return (*self.authority_command, str(home))
        return self.command("fabric-ca-server", "start", "--home", str(home))

    def _directory(self) -> Path | None:
        return None if self.binaries is None else Path(self.binaries)

    def to_json(self) -> bytes:
        """As it is written to `engine.json`."""
        return json.dumps(asdict(self), indent=1).encode("utf-8") + b"\n"

    @classmethod
    def read(cls, path: Path) -> EngineSettings:
        """Read what `to_json` wrote.

        Raises:
            NetworkError: SETTINGS_UNREADABLE.
        """
        try:
            fields = json.loads(path.read_bytes())
            command = fields["authority_command"]
            command = None if command is None else tuple(map(str, command))
            generation, organization = int(fields["chaincode_generation"]), fields.get("organization")
            retiring = bool(fields.get("retiring", False))
            return cls(fields["binaries"], command, generation, organization and str(organization), retiring)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NetworkError(
                "SETTINGS_UNREADABLE", f"cannot read the engine's settings in {path}"
            ) from error


def choose_settings(binaries: Path | None, authority_fallback: Sequence[str]) -> tuple[EngineSettings, str]:
    """Find Fabric's programs for a new network.

    Parameters:
        binaries: directory that the user named.
        authority_fallback: command that serves CAs where Fabric CA's server is not found.

    Returns:
        The settings, and a sentence on who issues certificates.

    Raises:
        BinariesNotFoundError: no peer or orderer; or no Fabric CA and no fallback.
    """
    directory = None if binaries is None else str(binaries.absolute())
    found: list[Binary] = [find_binary(name, binaries) for name in ("peer", "orderer")]
    version = found[0].version
    try:
        ca = find_binary("fabric-ca-server", binaries)
    except BinariesNotFoundError as error:
        if not authority_fallback:
            raise
        said = f"Fabric {version}; fabric-ca-server was not found, so our CA service issues ({error.code})"
        return EngineSettings(directory, tuple(authority_fallback)), said
    return EngineSettings(directory), f"Fabric {version} and Fabric CA {ca.version} in {found[0].path.parent}"
