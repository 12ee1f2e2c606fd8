"""Requests of a running chaincode for keys: reads, writes, metadata, batches (fabric-behaviour §5.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fabric_protos.peer import chaincode_shim_pb2 as shim

from fabric_embedded.chaincode.messages import Type
from fabric_embedded.chaincode.puts import Puts, read_puts
from fabric_embedded.errors import ChaincodeError

if TYPE_CHECKING:
    from fabric_embedded.chaincode.execution import Execution

Handler = Callable[["Execution", bytes], bytes]
"""Takes a request's payload, returns the response's; raises ChaincodeError or ProtocolError to refuse."""


def _get_state(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetState.FromString(payload)
    if not request.collection:
        return execution.simulator.get_state(execution.chaincode, request.key) or b""
    execution.access.check_read(execution.chaincode, request.collection)
    return execution.simulator.get_private(execution.chaincode, request.collection, request.key) or b""


def _get_state_multiple(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetStateMultiple.FromString(payload)
    if request.collection:
        execution.access.check_read(execution.chaincode, request.collection)
        values = execution.simulator.get_privates(execution.chaincode, request.collection, list(request.keys))
    else:
        values = execution.simulator.get_states(execution.chaincode, list(request.keys))
    result = shim.GetStateMultipleResult(values=[value or b"" for value in values])
    return bytes(result.SerializeToString())


def _get_private_data_hash(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetState.FromString(payload)
    execution.access.check_use()
    return execution.simulator.get_private_hash(execution.chaincode, request.collection, request.key) or b""


def _get_state_metadata(execution: Execution, payload: bytes) -> bytes:
    request = shim.GetStateMetadata.FromString(payload)
    if request.collection:
        execution.access.check_read(execution.chaincode, request.collection)
        found = execution.simulator.get_private_metadata(execution.chaincode, request.collection, request.key)
    else:
        found = execution.simulator.get_metadata(execution.chaincode, request.key)
    result = shim.StateMetadataResult(
        entries=[shim.StateMetadata(metakey=name, value=found[name]) for name in sorted(found)]
    )
    return bytes(result.SerializeToString())


def _put_state(execution: Execution, payload: bytes) -> bytes:
    request = shim.PutState.FromString(payload)
    _put(execution, request.collection, request.key, request.value)
    return b""


def _delete_state(execution: Execution, payload: bytes) -> bytes:
    request = shim.DelState.FromString(payload)
    _put(execution, request.collection, request.key, b"")
    return b""


def _purge_private_data(execution: Execution, payload: bytes) -> bytes:
    request = shim.DelState.FromString(payload)
    _purge(execution, request.collection, request.key)
    return b""


def _put_state_metadata(execution: Execution, payload: bytes) -> bytes:
    request = shim.PutStateMetadata.FromString(payload)
    _put_metadata(execution, request.collection, request.key, request.metadata)
    return b""


def _write_batch(execution: Execution, payload: bytes) -> bytes:
    puts = execution.known_puts.find(payload)
    if puts is None:
        records = shim.WriteBatchState.FromString(payload).rec
        puts = read_puts(records)
        if puts is None:
            _write_each(execution, records)
            return b""
        execution.known_puts.remember(payload, puts)
    _put_all(execution, puts)
    return b""


def _write_each(execution: Execution, records: Iterable[shim.WriteRecord]) -> None:
    for record in records:
        if record.type == shim.WriteRecord.PUT_STATE:
            _put(execution, record.collection, record.key, record.value)
        elif record.type == shim.WriteRecord.DEL_STATE:
            _put(execution, record.collection, record.key, b"")
        elif record.type == shim.WriteRecord.PURGE_PRIVATE_DATA:
            _purge(execution, record.collection, record.key)
        elif record.type == shim.WriteRecord.PUT_STATE_METADATA:
            _put_metadata(execution, record.collection, record.key, record.metadata)
        else:
            raise ChaincodeError("WRITE_UNKNOWN", "unknown operation type")


def _put(execution: Execution, collection: str, key: str, value: bytes) -> None:
    if not collection:
        execution.simulator.put_state(execution.chaincode, key, value)
        return
    execution.access.check_write(execution.chaincode, collection)
    execution.simulator.put_private(execution.chaincode, collection, key, value)


def _put_all(execution: Execution, puts: Puts) -> None:
    if not puts.collection:
        execution.simulator.put_states(execution.chaincode, puts.values)
        return
    execution.access.check_write(execution.chaincode, puts.collection)
    execution.simulator.put_privates(execution.chaincode, puts.collection, puts.values)


def _purge(execution: Execution, collection: str, key: str) -> None:
    if not collection:
        raise ChaincodeError("COLLECTION_MISSING", "only applicable for private data")
    execution.access.check_write(execution.chaincode, collection)
    execution.simulator.purge_private(execution.chaincode, collection, key)


def _put_metadata(execution: Execution, collection: str, key: str, entry: shim.StateMetadata) -> None:
    metadata = {entry.metakey: entry.value}
    if not collection:
        execution.simulator.set_metadata(execution.chaincode, key, metadata)
        return
    execution.access.check_write(execution.chaincode, collection)
    execution.simulator.set_private_metadata(execution.chaincode, collection, key, metadata)


STATE_HANDLERS: dict[int, Handler] = {
    Type.GET_STATE: _get_state,
    Type.GET_STATE_MULTIPLE: _get_state_multiple,
    Type.GET_PRIVATE_DATA_HASH: _get_private_data_hash,
    Type.GET_STATE_METADATA: _get_state_metadata,
    Type.PUT_STATE: _put_state,
    Type.DEL_STATE: _delete_state,
    Type.PURGE_PRIVATE_DATA: _purge_private_data,
    Type.PUT_STATE_METADATA: _put_state_metadata,
    Type.WRITE_BATCH_STATE: _write_batch,
}
