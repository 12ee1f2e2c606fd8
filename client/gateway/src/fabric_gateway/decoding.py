"""Blocks as readable values: who proposed what when, what it read and wrote, and whether it is valid.

Nothing is verified; texts are as they stand in the block.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any

from fabric_protos.common import common_pb2

from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.errors import BlockError, EncodingError, IdentityError
from fabric_protocol.identities import parse_identity, split_identity
from fabric_protocol.rwset import NamespaceSet
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.transactions import ChaincodeEvent, Transaction
from fabric_protocol.validation_codes import code_name

NOT_VALIDATED = "NOT_VALIDATED"
UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class DecodedIdentity:
    """An MSP id and the common name of the certificate, empty where it cannot be read; neither is proved."""

    msp_id: str
    common_name: str


@dataclass(frozen=True, slots=True)
class DecodedTransaction:
    """A transaction of a block; what only chaincode transactions have is empty in others.

    `type` is Fabric's name (ENDORSER_TRANSACTION, CONFIG, …), or UNREADABLE with the reason in `fault`.
    `proposal_time` is the clock of whoever created it. `validation_code` is Fabric's name, or NOT_VALIDATED
    in a block that no peer has validated. `namespaces` are what it read and wrote, by chaincode.
    """

    transaction_id: str
    type: str
    validation_code: str
    channel: str = ""
    proposal_time: datetime | None = None
    creator: DecodedIdentity | None = None
    chaincode: str = ""
    function: str = ""
    arguments: tuple[bytes, ...] = ()
    response_status: int = 0
    response_message: str = ""
    result: bytes = b""
    event: ChaincodeEvent | None = None
    namespaces: tuple[NamespaceSet, ...] = ()
    endorsers: tuple[DecodedIdentity, ...] = ()
    fault: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the peer that delivered the block found it valid."""
        return self.validation_code == "VALID"


@dataclass(frozen=True, slots=True)
class DecodedBlock:
    """A block: number, hashes of its predecessor's header and of its data, and its transactions in order."""

    number: int
    previous_hash: bytes
    data_hash: bytes
    transactions: tuple[DecodedTransaction, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON: times in ISO 8601, bytes as text where they are printable UTF-8, hashes in hex,
        other bytes as "base64:…".
        """
        document: dict[str, Any] = _plain(self)
        return document | {"previous_hash": self.previous_hash.hex(), "data_hash": self.data_hash.hex()}


def decode_block(data: bytes) -> DecodedBlock:
    """Read a block as a peer or orderer gave it (common.Block).

    A transaction in it that cannot be read is listed as UNREADABLE: peers keep such ones, as invalid.

    Raises:
        ValueError: the bytes are no block.
    """
    try:
        block = parse_block(data)
    except BlockError as error:
        raise ValueError(f"expected a block: {error}") from error
    flags = transaction_flags(block)
    transactions = tuple(
        _decoded(envelope, code_name(flags[index]) if index < len(flags) else NOT_VALIDATED)
        for index, envelope in enumerate(block.data.data)
    )
    header = block.header
    return DecodedBlock(header.number, header.previous_hash, header.data_hash, transactions)


def _decoded(envelope: bytes, validation_code: str) -> DecodedTransaction:
    try:
        found = Transaction.from_envelope(envelope)
        namespaces = decode_rwset(found.results).namespaces if found.results else ()
    except EncodingError as error:
        return DecodedTransaction("", UNREADABLE, validation_code, fault=str(error))
    function, *arguments = found.arguments or (b"",)
    return DecodedTransaction(
        transaction_id=found.transaction_id,
        type=str(common_pb2.HeaderType.Name(found.type)),
        validation_code=validation_code,
        channel=found.channel_id,
        proposal_time=found.timestamp,
        creator=_identity(found.creator),
        chaincode=found.chaincode or "",
        function=function.decode(errors="replace"),
        arguments=tuple(arguments),
        response_status=found.response.status if found.response is not None else 0,
        response_message=found.response.message if found.response is not None else "",
        result=found.response.payload if found.response is not None else b"",
        event=found.event,
        namespaces=namespaces,
        endorsers=tuple(_identity(endorsement.endorser) for endorsement in found.endorsements),
    )


def _identity(serialized: bytes) -> DecodedIdentity:
    try:
        identity = parse_identity(serialized)
        return DecodedIdentity(identity.msp_id, identity.common_name)
    except IdentityError:
        pass
    try:
        return DecodedIdentity(split_identity(serialized)[0], "")
    except IdentityError:
        return DecodedIdentity("", "")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in (field.name for field in fields(value))}
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _text(value) if isinstance(value, bytes) else value


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if text.isprintable() else "base64:" + base64.b64encode(value).decode()
