"""The engine's process: `python -m fabric_embedded serve DIR`.

One gRPC endpoint for each organization and one for ordering, one CA endpoint for each organization, and
health checks, all in one event loop; TERM or INT ends it cleanly.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from fabric_protos.common import common_pb2
from starlette.applications import Starlette

from fabric_embedded.ca.http import ca_application
from fabric_embedded.ca.service import CaService
from fabric_embedded.ca.store import IdentityStore
from fabric_embedded.connection_profile import ca_name, holds_network
from fabric_embedded.discovery.gossip_messages import AdvertisedPeer
from fabric_embedded.discovery.service import DiscoveryService
from fabric_embedded.engine import Engine
from fabric_embedded.gateway.service import GatewayService
from fabric_embedded.health import ENGINE_COMPONENT, chaincode_component
from fabric_embedded.http2.budget import Budget
from fabric_embedded.http2.server import GrpcServer, server_context
from fabric_embedded.material import read_signer
from fabric_embedded.metrics import block_observer
from fabric_embedded.operations import operations_application
from fabric_embedded.paths import NetworkPaths
from fabric_embedded.ports import OPERATIONS, ORDERER, ca_port, peer_port
from fabric_embedded.services.broadcast import BroadcastService
from fabric_embedded.services.deliver import PeerDeliverService, orderer_deliver
from fabric_embedded.services.endorser import EndorserService
from fabric_embedded.services.handlers import ConcurrencyLimit, Service, both_streams
from fabric_embedded.services.serving import ServingService
from fabric_embedded.services.unknown_methods import UnknownMethods
from fabric_embedded.web_server import WebServer
from fabric_operator.errors import NetworkError
from fabric_operator.material import read_authority
from fabric_operator.ports import read_ports
from fabric_operator.private_files import KeyPair
from fabric_protocol.topology import Organization, Topology

_LOG = logging.getLogger(__name__)
_GRACE_SECONDS = 0.5
_WATCH_SECONDS = 1.0
_ORDERING_SERVICE = "orderer.AtomicBroadcast"
_ORDERING_CONCURRENCY = 2500


class NetworkServer:
    """All endpoints of one network directory."""

    def __init__(self, paths: NetworkPaths, topology: Topology, ports: Mapping[str, int]) -> None:
        self._paths = paths
        self._topology = topology
        self._ports = ports
        self._engine: Engine | None = None
        self._ready = False
        self._started = time.time_ns()
        self._budget = Budget()
        self._stops: list[Callable[[], Awaitable[None]]] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then finish what is at hand."""
        async with AsyncExitStack() as engine_side, AsyncExitStack() as endpoints:
            endpoints.push_async_callback(self._stop_listening)
            await self._listen_web(operations_application(self.failed_checks), OPERATIONS, None)
            engine = await Engine.open(self._paths.directory)
            engine_side.push_async_callback(engine.close)
            self._engine = engine
            for organization in self._topology.organizations:
                await self._listen_organization(engine_side, engine, organization)
            await self._listen_ordering(engine)
            await engine.start()
            engine.ledger.observe(block_observer(engine.channel_id, engine.ledger.height))
            self._ready = True
            _spare_garbage_collection()
            _LOG.info("ready", extra={"height": engine.ledger.height})
            await stop.wait()
            _LOG.info("stopping")

    def failed_checks(self) -> dict[str, str]:
        """What is missing before every organization can endorse."""
        if self._engine is None or not self._ready:
            return {ENGINE_COMPONENT: "starting"}
        chaincode = self._topology.chaincode.name
        failed = {}
        for organization in self._topology.organizations:
            peer = self._engine.peers[organization.msp_id]
            if not peer.serves(chaincode):
                failed[chaincode_component(organization.name)] = "the chaincode's definition is not committed"
            elif not peer.is_network_service_connected:
                failed[chaincode_component(organization.name)] = "the chaincode service is not connected"
        return failed

    async def _listen_organization(
        self, engine_side: AsyncExitStack, engine: Engine, organization: Organization
    ) -> None:
        files = self._paths.organization(organization.name)
        addresses = {
            other.msp_id: self._address(peer_port(other.name)) for other in self._topology.organizations
        }
        gateway = GatewayService(engine, organization.msp_id, addresses, self._address(ORDERER))
        endorser = EndorserService(engine.peers[organization.msp_id])
        discovery = DiscoveryService(engine, organization.msp_id, self._advertised(engine, addresses))
        deliver = PeerDeliverService(engine, organization.msp_id)
        services = [gateway.handler(), endorser.handler(), deliver.handler(), discovery.handler()]
        await self._listen_grpc(services, peer_port(organization.name), files.peer_tls)
        store = IdentityStore(files.ca_database)
        engine_side.callback(store.close)
        ca = CaService(ca_name(organization.name), read_authority(files.ca), store, lambda: datetime.now(UTC))
        await self._listen_web(ca_application(ca), ca_port(organization.name), files.ca_tls)

    def _advertised(self, engine: Engine, addresses: Mapping[str, str]) -> dict[str, AdvertisedPeer]:
        found = {}
        for other in self._topology.organizations:
            identity = engine.peers[other.msp_id].identity
            signer = read_signer(self._paths.organization(other.name).peer)
            found[other.msp_id] = AdvertisedPeer(identity, signer, addresses[other.msp_id], self._started)
        return found

    async def _listen_ordering(self, engine: Engine) -> None:
        limit = ConcurrencyLimit(_ORDERING_SERVICE, _ORDERING_CONCURRENCY)
        broadcast, deliver = BroadcastService(engine), orderer_deliver(engine)
        methods = {
            "Broadcast": both_streams(limit, common_pb2.Envelope, broadcast.broadcast, "Broadcast"),
            "Deliver": both_streams(limit, common_pb2.Envelope, deliver.responses, "Deliver"),
        }
        first = self._paths.organization(self._topology.organizations[0].name)
        services = [Service(_ORDERING_SERVICE, methods), ServingService().handler()]
        await self._listen_grpc(services, ORDERER, first.orderer_tls)

    async def _listen_grpc(self, services: list[Service], port: str, tls: KeyPair) -> None:
        handlers = {path: handler for found in services for path, handler in found.handlers.items()}
        unknown = UnknownMethods(found.name for found in services)
        server = GrpcServer(handlers, unknown.refuse, self._budget)
        context = server_context(str(tls.certificate), str(tls.key))
        try:
            await server.start(self._topology.host, self._ports[port], context)
        except OSError as error:
            address = self._address(port)
            raise NetworkError("CANNOT_LISTEN", f"cannot listen on {address} ({port}): {error}") from error
        self._stops.append(lambda: server.stop(_GRACE_SECONDS))

    async def _listen_web(self, application: Starlette, port: str, tls: KeyPair | None) -> None:
        server = WebServer(application, self._topology.host, self._ports[port], tls)
        await server.start()
        self._stops.append(server.stop)

    async def _stop_listening(self) -> None:
        """All endpoints at once: each waits for its own last calls."""
        await asyncio.gather(*(stop() for stop in self._stops))

    def _address(self, port: str) -> str:
        return f"{self._topology.host}:{self._ports[port]}"


def serve(directory: Path) -> None:
    """Serve a network directory until TERM or INT.

    Raises:
        OperatorError: the network cannot be served, with the reason.
    """
    if not holds_network(directory):
        raise NetworkError(
            "NETWORK_NOT_FOUND", f"{directory} holds no embedded network: create one there first"
        )
    paths = NetworkPaths(directory.absolute())
    topology = Topology.from_json(paths.topology.read_bytes())
    server = NetworkServer(paths, topology, read_ports(paths.ports))
    with _only_engine(paths) as is_ours:
        uvloop.run(_until_signal(server, is_ours))


async def _until_signal(server: NetworkServer, is_ours: Callable[[], bool]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_surprise)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_stop_when_removed(stop, is_ours))
    try:
        await server.run(stop)
    finally:
        watch.cancel()


async def _stop_when_removed(stop: asyncio.Event, is_ours: Callable[[], bool]) -> None:
    """An engine whose directory somebody deleted serves nobody: its ports would be all that stays."""
    while is_ours():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
            return
    _LOG.error("the network's directory was removed")
    stop.set()


def _spare_garbage_collection() -> None:
    """Leave out what lives as long as the engine; messages die by themselves, before they are looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _log_surprise(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task failed that nobody waits for; asyncio's own words would quote its exception, maybe a payload."""
    error = type(context.get("exception")).__name__
    _LOG.error("task failed", extra={"error": error, "reason": str(context.get("message", ""))[:80]})


@contextlib.contextmanager
def _only_engine(paths: NetworkPaths) -> Iterator[Callable[[], bool]]:
    """Hold the network's lock; the system lets it go with the process, however that ends.

    Yields whether the lock is still the one in the directory.
    """
    paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = paths.run / "engine.lock"
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NetworkError(
                "ENGINE_RUNNING", f"another engine serves {paths.directory}: stop it first"
            ) from error
        yield lambda: path.exists() and path.stat().st_ino == os.fstat(lock.fileno()).st_ino
