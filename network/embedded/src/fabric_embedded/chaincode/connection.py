"""The conversation with one connected chaincode service: handshake, runs, and the requests of runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError

from fabric_embedded.chaincode import messages
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.chaincode.query_requests import QUERY_HANDLERS
from fabric_embedded.chaincode.state_requests import STATE_HANDLERS
from fabric_embedded.errors import ChaincodeError
from fabric_protocol.errors import ProtocolError

if TYPE_CHECKING:
    from fabric_embedded.chaincode.execution import Execution
    from fabric_embedded.chaincode.stream import MessageStream

_log = logging.getLogger(__name__)
_HANDLERS = {**STATE_HANDLERS, **QUERY_HANDLERS}
_ENDINGS = (Type.COMPLETED, Type.ERROR)


class ChaincodeConnection:
    """One stream to a service, from REGISTER to its end. Event loop only.

    Parameters:
        stream: freshly opened.
        package_id: `label:hash`, the name under which the service must register.
    """

    def __init__(self, stream: MessageStream, package_id: str) -> None:
        self._stream = stream
        self._package_id = package_id
        self._executions: dict[tuple[str, str], Execution] = {}
        self._outbox: list[ChaincodeMessage] = []
        self._something_to_send = asyncio.Event()
        self._invocations: set[asyncio.Task[None]] = set()
        self._has_ended = False

    async def register(self) -> None:
        """Await REGISTER and answer it, so that runs can begin.

        Raises:
            ChaincodeError: REGISTRATION_FAILED: the stream ended, or the service is another one.
        """
        message = await self._stream.receive()
        name = b""
        if message is not None and message.type == Type.REGISTER:
            try:
                name = chaincode_pb2.ChaincodeID.FromString(message.payload).name.encode()
            except DecodeError:
                name = b""
        if name != self._package_id.encode():
            raise ChaincodeError(
                "REGISTRATION_FAILED",
                f"the chaincode service did not register as {self._package_id}: check CORE_CHAINCODE_ID",
            )
        await self._stream.send([messages.registered(), messages.ready()])

    async def serve(self) -> None:
        """Answer requests until the stream ends; then every run on it has failed."""
        sender = asyncio.create_task(self._send_all())
        try:
            while (message := await self._stream.receive()) is not None:
                if not self._take(message):
                    break
        finally:
            self._has_ended = True
            for task in (sender, *self._invocations):
                task.cancel()
            await asyncio.gather(sender, *self._invocations, return_exceptions=True)
            self._fail_all()

    async def execute(self, execution: Execution, timeout_seconds: float) -> ChaincodeMessage:
        """Run the chaincode once.

        Returns:
            COMPLETED with a Response, or ERROR with a text.

        Raises:
            ChaincodeError: TRANSACTION_ACTIVE for a second run of one transaction, EXECUTION_TIMEOUT,
                STREAM_TERMINATED.
        """
        channel_id, transaction_id = execution.key
        if execution.key in self._executions:
            raise ChaincodeError("TRANSACTION_ACTIVE", f"txid: {transaction_id}({channel_id}) exists")
        if self._has_ended:
            raise _terminated()
        self._executions[execution.key] = execution
        try:
            self._post(execution.invocation)
            return await execution.answer(timeout_seconds)
        finally:
            del self._executions[execution.key]

    async def _send_all(self) -> None:
        try:
            while True:
                await self._something_to_send.wait()
                self._something_to_send.clear()
                # Whatever came together goes together.
                burst, self._outbox = self._outbox, []
                await self._stream.send(burst)
        except ConnectionError:
            await self._stream.close()

    def _post(self, message: ChaincodeMessage) -> None:
        self._outbox.append(message)
        self._something_to_send.set()

    def _take(self, message: ChaincodeMessage) -> bool:
        kind = message.type
        if kind == Type.KEEPALIVE:
            return True
        execution = self._executions.get((message.channel_id, message.txid))
        if kind in _ENDINGS:
            if execution is not None:
                execution.finish(message)
            return True
        if kind not in _HANDLERS and kind != Type.INVOKE_CHAINCODE:
            _log.warning("chaincode %s sent a message of type %d out of turn", self._package_id, kind)
            return False
        if execution is None:
            self._post(messages.refusal(message, "no ledger context"))
        elif execution.is_waiting:
            # As in Fabric: while a request of a transaction is open, another gets no answer.
            _log.warning("chaincode %s sent a second request for one transaction", self._package_id)
        elif kind == Type.INVOKE_CHAINCODE:
            self._invoke(execution, message)
        else:
            self._post(self._handle(execution, message))
        return True

    def _handle(self, execution: Execution, message: ChaincodeMessage) -> ChaincodeMessage:
        try:
            return messages.response(message, _HANDLERS[message.type](execution, message.payload))
        except (ChaincodeError, ProtocolError) as error:
            return messages.refusal(message, error.message)
        except DecodeError:
            return messages.refusal(message, "unmarshal failed: the payload is not the message it should be")
        except Exception as error:
            # One transaction's trouble must not end the others on this stream; no payload goes into the log.
            _log.exception("request of type %d failed: %s", message.type, type(error).__name__)
            return messages.refusal(message, "the peer failed to handle the request")

    def _invoke(self, execution: Execution, message: ChaincodeMessage) -> None:
        execution.is_waiting = True
        task = asyncio.create_task(self._answer_invocation(execution, message))
        self._invocations.add(task)
        task.add_done_callback(self._invocations.discard)

    async def _answer_invocation(self, execution: Execution, message: ChaincodeMessage) -> None:
        try:
            specification = chaincode_pb2.ChaincodeSpec.FromString(message.payload)
            answer = await execution.invoke(execution, specification)
            reply = messages.response(message, answer.SerializeToString())
        except (ChaincodeError, ProtocolError) as error:
            reply = messages.refusal(message, error.message)
        except DecodeError:
            reply = messages.refusal(message, "unmarshal failed: the payload is not a ChaincodeSpec")
        finally:
            execution.is_waiting = False
        self._post(reply)

    def _fail_all(self) -> None:
        for execution in self._executions.values():
            error = _terminated()
            execution.fail(error.code, error.message)


def _terminated() -> ChaincodeError:
    return ChaincodeError("STREAM_TERMINATED", "chaincode stream terminated")
