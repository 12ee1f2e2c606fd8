"""`_lifecycle` functions about packages: installing, and what is installed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.arguments import parse_arguments
from fabric_embedded.lifecycle.package_reading import read_package
from fabric_protocol.definitions import Definition

if TYPE_CHECKING:
    from fabric_embedded.endorsement.chaincodes import InstalledChaincodes
    from fabric_embedded.system.calls import SystemCall

_INSTALL: Final = "InstallChaincode"
_QUERY: Final = "QueryInstalledChaincode"
_QUERY_ALL: Final = "QueryInstalledChaincodes"
_GET: Final = "GetInstalledChaincodePackage"
_Used = Mapping[str, list[Definition]]


class PackageFunctions:
    """What one organization's peer does with packages; none of it needs a channel.

    Parameters:
        installed: the peer's chaincodes.
    """

    names: Final = frozenset({_INSTALL, _QUERY, _QUERY_ALL, _GET})

    def __init__(self, installed: InstalledChaincodes) -> None:
        self._installed = installed

    async def run(self, call: SystemCall) -> Any:
        """Run one of `names` that the caller may run; its result message.

        Raises:
            ChaincodeError: with Fabric's text.
        """
        function = call.function
        message = getattr(lifecycle_pb2, f"{function}Args")
        arguments = parse_arguments(message, function, call.arguments[1])
        if function == _INSTALL:
            return await self._install(arguments.chaincode_install_package, call)
        if function == _GET:
            return await self._get(arguments.package_id)
        used = self._installed.used(call.snapshot)
        if function == _QUERY:
            return self._query(arguments.package_id, used, call.config.channel_id)
        result = lifecycle_pb2.QueryInstalledChaincodesResult()
        for package_id in self._installed.package_ids():
            entry = result.installed_chaincodes.add(package_id=package_id, label=_label(package_id))
            _refer(entry, used.get(package_id, []), call.config.channel_id)
        return result

    async def _install(self, data: bytes, call: SystemCall) -> Any:
        package = await asyncio.to_thread(read_package, data)
        if package.package_id in self._installed.package_ids():
            raise ChaincodeError(
                "PACKAGE_INSTALLED",
                f"chaincode already successfully installed (package ID '{package.package_id}')",
            )
        await asyncio.to_thread(self._installed.store.save, package.package_id, data)
        self._installed.add(package)
        self._installed.connect(call.snapshot)
        return lifecycle_pb2.InstallChaincodeResult(package_id=package.package_id, label=package.label)

    async def _get(self, package_id: str) -> Any:
        data = await asyncio.to_thread(self._installed.package, package_id)
        if data is None:
            raise ChaincodeError(
                "PACKAGE_NOT_FOUND",
                f"could not load cc install package: chaincode install package '{package_id}' not found",
            )
        return lifecycle_pb2.GetInstalledChaincodePackageResult(chaincode_install_package=data)

    def _query(self, package_id: str, used: _Used, channel_id: str) -> Any:
        if package_id not in self._installed.package_ids():
            raise ChaincodeError(
                "PACKAGE_UNKNOWN", f"could not find chaincode with package id '{package_id}'"
            )
        result = lifecycle_pb2.QueryInstalledChaincodeResult(package_id=package_id, label=_label(package_id))
        _refer(result, used.get(package_id, []), channel_id)
        return result


def _refer(message: Any, definitions: list[Definition], channel_id: str) -> None:
    for definition in definitions:
        message.references[channel_id].chaincodes.add(name=definition.name, version=definition.version)


def _label(package_id: str) -> str:
    return package_id.rpartition(":")[0]
