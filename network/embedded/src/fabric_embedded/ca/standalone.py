"""Our CA service as a process of its own, for a network of real Fabric on a machine without Fabric CA.

It serves from the home directory of a Fabric CA server and reads the same configuration, of which it takes
the address, the TLS pair, the CA's name and pair, and the registrar.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fabric_embedded.ca.http import ca_application
from fabric_embedded.ca.service import CaService, bootstrap_registrar
from fabric_embedded.ca.store import IdentityStore
from fabric_embedded.web_server import WebServer
from fabric_operator.errors import MaterialError
from fabric_operator.material import read_authority
from fabric_operator.private_files import KeyPair

_CONFIGURATION = "fabric-ca-server-config.yaml"
_DATABASE = "identities.sqlite"


@dataclass(frozen=True)
class _Configuration:
    host: str
    port: int
    tls: KeyPair
    name: str
    issuer: KeyPair
    registrar: tuple[str, str]

    @classmethod
    def read(cls, path: Path) -> _Configuration:
        try:
            document = json.loads(path.read_bytes())
            (registrar,) = document["registry"]["identities"]
            return cls(
                document["address"],
                document["port"],
                KeyPair(Path(document["tls"]["certfile"]), Path(document["tls"]["keyfile"])),
                document["ca"]["name"],
                KeyPair(Path(document["ca"]["certfile"]), Path(document["ca"]["keyfile"])),
                (registrar["name"], registrar["pass"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MaterialError(
                "MATERIAL_UNREADABLE", f"cannot read the CA's configuration in {path}"
            ) from error


def serve_authority(home: Path) -> None:
    """Serve a CA until TERM or INT.

    Raises:
        MaterialError: MATERIAL_UNREADABLE.
        NetworkError: CANNOT_LISTEN.
    """
    configuration = _Configuration.read(home / _CONFIGURATION)
    with closing(IdentityStore(home / _DATABASE)) as store:
        if store.get(configuration.registrar[0]) is None:
            bootstrap_registrar(store, *configuration.registrar)
        service = CaService(
            configuration.name, read_authority(configuration.issuer), store, lambda: datetime.now(UTC)
        )
        asyncio.run(_serve(service, configuration))


async def _serve(service: CaService, configuration: _Configuration) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = WebServer(ca_application(service), configuration.host, configuration.port, configuration.tls)
    await server.start()
    await stop.wait()
    await server.stop()
