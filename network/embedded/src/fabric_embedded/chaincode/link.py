"""A lasting link to one chaincode service: dialled until it answers, and again whenever it is gone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fabric_embedded.chaincode.connection import ChaincodeConnection
from fabric_embedded.errors import ChaincodeError

if TYPE_CHECKING:
    from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

    from fabric_embedded.chaincode.execution import Execution
    from fabric_embedded.chaincode.stream import MessageStream, OpenStream

_log = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_REGISTRATION_SECONDS = 10.0


class ChaincodeLink:
    """Keeps a service of one package connected while it is open.

    Parameters:
        package_id: `label:hash` that the service must register.
        open_stream: dials it.
        launch_seconds: how long a run waits for a service that is not connected.
    """

    def __init__(self, package_id: str, open_stream: OpenStream, *, launch_seconds: float = 5.0) -> None:
        self.package_id = package_id
        self._open_stream = open_stream
        self._launch_seconds = launch_seconds
        self._connection: ChaincodeConnection | None = None
        self._connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the service is connected and ready."""
        return self._connection is not None

    @property
    def is_open(self) -> bool:
        """Whether the service is dialled, connected or not."""
        return self._task is not None

    def open(self) -> None:
        """Begin to dial; one that is dialled already stays as it is."""
        if self._task is None:
            self._task = asyncio.create_task(self._stay_connected(), name=f"chaincode {self.package_id}")

    async def close(self) -> None:
        """Hang up; runs under way fail."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def execute(self, execution: Execution, timeout_seconds: float) -> ChaincodeMessage:
        """Run the chaincode once, waiting a little for a service that is not connected.

        Raises:
            ChaincodeError: LAUNCH_FAILED, and what `ChaincodeConnection.execute` raises.
        """
        connection = self._connection or await self._launch(execution)
        return await connection.execute(execution, timeout_seconds)

    async def _launch(self, execution: Execution) -> ChaincodeConnection:
        deadline = asyncio.get_running_loop().time() + self._launch_seconds
        while self._connection is None:
            remaining = deadline - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(max(remaining, 0)):
                    await self._connected.wait()
            except TimeoutError:
                raise ChaincodeError(
                    "LAUNCH_FAILED",
                    f"could not launch chaincode {execution.chaincode}: timeout expired while starting "
                    f"chaincode {self.package_id} for transaction",
                ) from None
        return self._connection

    async def _stay_connected(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                stream = await self._open_stream()
                try:
                    await self._converse(stream)
                    pause = _FIRST_PAUSE_SECONDS
                finally:
                    await stream.close()
            except (ChaincodeError, ConnectionError, TimeoutError) as error:
                _log.debug("chaincode %s is not connected: %s", self.package_id, error)
            if _is_cancelled():
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)

    async def _converse(self, stream: MessageStream) -> None:
        connection = ChaincodeConnection(stream, self.package_id)
        # Not wait_for: until Python 3.12 it can swallow the cancellation that closes this link.
        async with asyncio.timeout(_REGISTRATION_SECONDS):
            await connection.register()
        _log.info("chaincode %s is connected", self.package_id)
        self._connection = connection
        self._connected.set()
        try:
            await connection.serve()
        finally:
            self._connection = None
            self._connected.clear()
            _log.info("chaincode %s is disconnected", self.package_id)


def _is_cancelled() -> bool:
    """Whether this task is to end: grpc.aio may answer a cancellation with a failed call's status instead."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
