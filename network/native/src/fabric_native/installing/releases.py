"""The official release archives that fit, and the digests that are known of them.

The digests of Fabric 3.1.5 are those of one public source (a Homebrew formula). Of Fabric CA 1.5.21 no
trustworthy digest is known, so its archive is only taken from a file whose digest the user states.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from types import MappingProxyType

from fabric_native.binaries import CA_VERSION, FABRIC_VERSION
from fabric_native.errors import InstallationError

FABRIC = "fabric"
FABRIC_CA = "fabric-ca"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SYSTEMS = MappingProxyType({"Linux": "linux", "Darwin": "darwin"})
_MACHINES = MappingProxyType({"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"})
_PINNED = MappingProxyType(
    {
        (FABRIC, "linux-amd64"): "b9c31fd490991e76f8acb1835dee09fc19fee5428cb13e190ee6e0bdd2c37858",
        (FABRIC, "linux-arm64"): "4a42cad740a7e0373eda6bf1e27c86e9b06132f9bb751daf7f0f7dc1d1bbfed9",
        (FABRIC, "darwin-arm64"): "d67a5c3366746a984f8ee9ae0ebf5c8b357c9d33dd589fa0b7668d739472cef0",
        (FABRIC, "darwin-amd64"): "866b64b036ba9eff51ba2131bbe34b4b9057192f5766859ede22ea1cdd564158",
    }
)
_VERSIONS = MappingProxyType({FABRIC: FABRIC_VERSION, FABRIC_CA: CA_VERSION})
_BINARIES = MappingProxyType({FABRIC: ("peer", "orderer"), FABRIC_CA: ("fabric-ca-server",)})


@dataclass(frozen=True)
class Release:
    """One release archive.

    Args:
        product: `fabric` or `fabric-ca`.
        version: Such as `3.1.5`.
        platform: Such as `linux-amd64`.
        sha256: Its digest in lower-case hex, None where no trustworthy one is known.
    """

    product: str
    version: str
    platform: str
    sha256: str | None

    @property
    def file_name(self) -> str:
        """The archive's name."""
        return f"hyperledger-{self.product}-{self.platform}-{self.version}.tar.gz"

    @property
    def address(self) -> str:
        """Directory of the release in which the archive is published."""
        return f"https://github.com/hyperledger/{self.product}/releases/download/v{self.version}"

    @property
    def binaries(self) -> tuple[str, ...]:
        """Names of the executables in it that a network needs."""
        return _BINARIES[self.product]

    def expected_digest(self, stated: str | None) -> str:
        """The digest that its archive must have: the pinned one or, where there is none, the user's.

        Args:
            stated: What the user says it is, in hex.

        Raises:
            InstallationError: DIGEST_MALFORMED; DIGEST_UNKNOWN when neither knows it; DIGEST_DISAGREES when
                both know it and differ.
        """
        if stated is not None:
            stated = stated.strip().lower().removeprefix("sha256:")
            if not _SHA256.fullmatch(stated):
                raise InstallationError(
                    "DIGEST_MALFORMED",
                    f"got {len(stated)} characters as SHA-256, expected 64 hexadecimal digits",
                )
        if self.sha256 is not None and stated not in (None, self.sha256):
            raise InstallationError(
                "DIGEST_DISAGREES",
                f"the SHA-256 pinned for {self.file_name} is {self.sha256}, got {stated}; nothing was done",
            )
        known = self.sha256 or stated
        if known is None:
            raise InstallationError(
                "DIGEST_UNKNOWN",
                f"no trustworthy SHA-256 of {self.file_name} is known here; get the archive and its digest "
                f"from {self.address} and pass both with --archive and --sha256",
            )
        return known


def release_for(product: str, *, system: str | None = None, machine: str | None = None) -> Release:
    """The release of a product for this platform.

    Args:
        product: :data:`FABRIC` or :data:`FABRIC_CA`.
        system: Name of the operating system as `platform.system()` gives it; this one's by default.
        machine: Name of the processor as `platform.machine()` gives it; this one's by default.

    Raises:
        InstallationError: PLATFORM_UNSUPPORTED, there is no release for it.
    """
    system, machine = system or platform.system(), machine or platform.machine()
    if system not in _SYSTEMS or machine.lower() not in _MACHINES:
        raise InstallationError(
            "PLATFORM_UNSUPPORTED",
            f"got {system} on {machine}, expected Linux or macOS (Darwin) on x86_64 or arm64; Fabric is "
            "released for these only",
        )
    name = f"{_SYSTEMS[system]}-{_MACHINES[machine.lower()]}"
    return Release(product, _VERSIONS[product], name, _PINNED.get((product, name)))
