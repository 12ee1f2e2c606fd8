"""The system chaincode `qscc`: blocks and transactions (`core/scc/qscc/query.go`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.peer import proposal_response_pb2, transaction_pb2

from fabric_embedded import acl
from fabric_embedded.errors import AccessDenied
from fabric_embedded.system.calls import SystemCall, failed, succeeded, text_of
from fabric_protocol.blocks import parse_block

if TYPE_CHECKING:
    from fabric_embedded.storage.block_reader import BlockReader

NAME = "qscc"
_LAST_BLOCK = 2**64 - 1
_NUMBER = re.compile(r"[0-9]+")
_CHAIN_INFO = "GetChainInfo"


class _NotFound(Exception):
    """What was asked for is not on the ledger; the text is Fabric's."""


class LedgerQueries:
    """`qscc`: the same at every peer of the engine."""

    async def invoke(self, call: SystemCall) -> proposal_response_pb2.Response:
        """Answer one query about the channel that the second argument names."""
        arguments = call.arguments
        if len(arguments) < 2:
            return failed(f"Incorrect number of arguments, {len(arguments)}")
        function, channel_id = call.function, text_of(arguments[1])
        invoked = call.admitted.proposal.chaincode
        if invoked != NAME:
            return failed(
                "Rejecting invoke of QSCC from another chaincode because of potential for deadlocks, "
                f"original invocation for '{invoked}'"
            )
        if function != _CHAIN_INFO and len(arguments) < 3:
            return failed(f"missing 3rd argument for {function}")
        if channel_id != call.config.channel_id:
            return failed(f"Invalid chain ID, {channel_id}")
        try:
            acl.check_access(call.config, f"{NAME}/{function}", call.signed_data)
        except AccessDenied as error:
            return failed(f"access denied for [{function}][{channel_id}]: [{error.message}]")
        try:
            asked = arguments[2] if len(arguments) > 2 else b""
            return succeeded(_FUNCTIONS[function](call.snapshot.blocks, asked))
        except _NotFound as error:
            return failed(str(error))


def _chain_info(blocks: BlockReader, _asked: bytes) -> bytes:
    height = blocks.height()
    info = ledger_pb2.BlockchainInfo(
        height=height,
        currentBlockHash=blocks.header_hash(height - 1) or b"",
        previousBlockHash=blocks.header_hash(height - 2) or b"",
    )
    return _encoded(info)


def _block_by_number(blocks: BlockReader, asked: bytes) -> bytes:
    text = text_of(asked)
    number = int(text) if _NUMBER.fullmatch(text) and len(text) <= 64 else -1
    if not 0 <= number <= _LAST_BLOCK:
        reason = "value out of range" if number > _LAST_BLOCK else "invalid syntax"
        raise _NotFound(
            f"Failed to parse block number with error strconv.ParseUint: parsing {_quoted(text)}: {reason}"
        )
    found = blocks.height() - 1 if number == _LAST_BLOCK else number
    data = blocks.block(found) if found < blocks.height() else None
    if data is None:
        raise _NotFound(f"Failed to get block number {number}, error no such block number [{found}] in index")
    return data


def _quoted(text: str) -> str:
    """A text as Go quotes one, but for what is neither printable nor a byte that is no UTF-8."""
    shown = (
        f"\\x{ord(letter) - 0xDC00:02x}" if "\udc80" <= letter <= "\udcff" else letter for letter in text
    )
    return f'"{"".join(shown)}"'


def _block_by_hash(blocks: BlockReader, asked: bytes) -> bytes:
    number = blocks.number_of(asked)
    data = None if number is None else blocks.block(number)
    if data is None:
        shown = text_of(asked)
        raise _NotFound(
            f"Failed to get block hash {shown}, error no such block hash [{asked.hex()}] in index"
        )
    return data


def _block_by_transaction(blocks: BlockReader, asked: bytes) -> bytes:
    name = text_of(asked)
    found = _find(blocks, name)
    data = blocks.block(found.block) if found else None
    if data is None:
        raise _NotFound(
            f"Failed to get block for txID {name}, error no such transaction ID [{name}] in index"
        )
    return data


def _transaction(blocks: BlockReader, asked: bytes) -> bytes:
    name = text_of(asked)
    found = _find(blocks, name)
    data = blocks.block(found.block) if found else None
    if found is None or data is None:
        raise _NotFound(
            f"Failed to get transaction with id {name}, error no such transaction ID [{name}] in index"
        )
    envelope = common_pb2.Envelope.FromString(parse_block(data).data.data[found.position])
    return _encoded(
        transaction_pb2.ProcessedTransaction(transactionEnvelope=envelope, validationCode=found.code)
    )


def _find(blocks: BlockReader, name: str) -> Any:
    """Where a transaction is; None, as also for what no transaction can be named."""
    return blocks.transaction(name) if name.isascii() else None


def _encoded(message: Any) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return data


_FUNCTIONS: dict[str, Callable[[BlockReader, bytes], bytes]] = {
    _CHAIN_INFO: _chain_info,
    "GetBlockByNumber": _block_by_number,
    "GetBlockByHash": _block_by_hash,
    "GetBlockByTxID": _block_by_transaction,
    "GetTransactionByID": _transaction,
}
