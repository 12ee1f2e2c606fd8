"""In what a replayed transaction differs, in words without payloads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from fabric_testing.recording import RecordedTransaction

Message = chaincode_shim_pb2.ChaincodeMessage


def describe_difference(
    transaction: RecordedTransaction, first: Sequence[bytes], second: Sequence[bytes]
) -> str:
    """One sentence: the function, the first message that differs and what of it.

    Args:
        transaction: the recorded run.
        first: what the chaincode sent in it.
        second: what it sent when it ran again.
    """
    where = f"function {_function(transaction)}"
    for position, (one, other) in enumerate(zip_longest(first, second)):
        if one == other:
            continue
        name = "nothing" if one is None else _name(one)
        if other is None:
            return f"{where}: message {position} was {name}, and the second run sent none"
        if one is None or _name(other) != name:
            return f"{where}: message {position} was {name}, then {_name(other)}"
        return f"{where}: message {position}, {name}, differs in {_part(one, other)}"
    return f"{where}: no difference"


def _function(transaction: RecordedTransaction) -> str:
    for entry in transaction.messages:
        if entry.message.type in (Message.TRANSACTION, Message.INIT) and not entry.by_chaincode:
            arguments = chaincode_pb2.ChaincodeInput.FromString(entry.message.payload).args
            return arguments[0].decode(errors="replace") if arguments else "without name"
    return "that was never called"


def _name(message: bytes) -> str:
    return str(Message.Type.Name(Message.FromString(message).type))


def _part(one: bytes, other: bytes) -> str:
    first, second = Message.FromString(one), Message.FromString(other)
    if first.type == Message.COMPLETED:
        return _part_of_answer(first, second)
    if first.type == Message.WRITE_BATCH_STATE:
        return _part_of_batch(first, second)
    return "its payload"


def _part_of_answer(first: Any, second: Any) -> str:
    if first.chaincode_event != second.chaincode_event:
        return "its event"
    one = proposal_response_pb2.Response.FromString(first.payload)
    other = proposal_response_pb2.Response.FromString(second.payload)
    if one.status != other.status:
        return f"the response's status: {one.status}, then {other.status}"
    return "the response's payload" if one.message == other.message else "the response's message"


def _part_of_batch(first: Any, second: Any) -> str:
    one = chaincode_shim_pb2.WriteBatchState.FromString(first.payload).rec
    other = chaincode_shim_pb2.WriteBatchState.FromString(second.payload).rec
    if len(one) != len(other):
        return f"the number of writes: {len(one)}, then {len(other)}"
    for position, (written, again) in enumerate(zip(one, other, strict=True)):
        if written != again:
            part = "its key" if written.key != again.key else "its value"
            return f"write {position} of {len(one)}: {part}"
    return "its encoding"
