"""First pass of validation: the form of each transaction, its creator's signature, and who must endorse it.

Endorsements themselves are checked by `endorsement_rules`.

Source: Fabric ``core/common/validation/msgvalidation.go``,
``core/committer/txvalidator/v20/{validator.go,plugindispatcher/dispatcher.go}``. The order of the checks is
theirs, for a transaction with several faults gets the code of the first.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabric_protocol.errors import EncodingError, IdentityError, SignatureError
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.transaction_stages import (
    ENDORSER_TRANSACTION,
    ChaincodeResult,
    EndorsedAction,
    SignedHeader,
    check_transaction_id,
    read_action,
    read_event,
    read_extension,
    read_header,
    read_result,
)
from fabric_protocol.transactions import CONFIG_UPDATE, Transaction, assemble
from fabric_protocol.validation_codes import ValidationCode

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig


@dataclass(frozen=True, slots=True)
class Candidate:
    """An endorser transaction that is well formed and signed by its creator.

    ``chaincode`` is the one that was called. ``transaction`` is None where its arguments or time cannot be
    read, which a peer does not try.
    """

    transaction_id: str
    chaincode: str
    action: EndorsedAction
    rwset: ReadWriteSet
    transaction: Transaction | None


@dataclass(frozen=True, slots=True)
class SignedConfig:
    """A configuration that a member of the channel signed; whether it may follow is not judged yet.

    ``content`` is M(ConfigEnvelope).
    """

    content: bytes


Entry = Candidate | SignedConfig | ValidationCode
"""What the first checks leave of a transaction: its code, if they refuse it."""


def open_envelope(data: bytes) -> SignedHeader | ValidationCode:
    """Open M(Envelope), as it stands in a block, up to its headers; the code that it gets if that fails."""
    try:
        return read_header(data)
    except EncodingError as error:
        return ValidationCode[error.code]


def claimed_id(header: SignedHeader | ValidationCode) -> str:
    """The id that a transaction claims; empty where none can be read."""
    return "" if isinstance(header, ValidationCode) else header.transaction_id


def decode_results(_transaction_id: str, data: bytes) -> ReadWriteSet:
    """Read a transaction's results, M(TxReadWriteSet); raises as `rwset_encoding.decode_rwset`."""
    return decode_rwset(data)


def read_candidate(
    header: SignedHeader | ValidationCode,
    *,
    config: "ChannelConfig",
    known: Container[str],
    decode: Callable[[str, bytes], ReadWriteSet] = decode_results,
) -> Entry:
    """Take a transaction through the checks that need no state.

    Parameters:
        header: from `open_envelope`.
        config: configuration in force before the block.
        known: of the ids that the block's transactions claim, those that earlier blocks have.
        decode: reads a transaction's results, given its id.

    Returns:
        The transaction or configuration, or the code that it gets.
    """
    if isinstance(header, ValidationCode):
        return header
    try:
        return _read(header, config, known, decode)
    except EncodingError as error:
        return ValidationCode[error.code]


def _read(
    header: SignedHeader,
    config: "ChannelConfig",
    known: Container[str],
    decode: Callable[[str, bytes], ReadWriteSet],
) -> Entry:
    if not header.nonce or not header.creator:
        return ValidationCode.BAD_COMMON_HEADER
    if not _is_signed_by_creator(header, config):
        return ValidationCode.BAD_CREATOR_SIGNATURE
    if header.type == CONFIG_UPDATE:
        return ValidationCode.UNSUPPORTED_TX_PAYLOAD
    if header.type != ENDORSER_TRANSACTION:
        return SignedConfig(header.data) if header.data else ValidationCode.INVALID_CONFIG_TRANSACTION
    check_transaction_id(header)
    action = read_action(header)
    if header.transaction_id in known:
        return ValidationCode.DUPLICATE_TXID
    chaincode = read_extension(header)
    result = read_result(action)
    rwset = decode(header.transaction_id, result.results)
    _check_chaincode(chaincode, result)
    names = [namespace.namespace for namespace in rwset.namespaces]
    if len(set(names)) != len(names):
        return ValidationCode.ILLEGAL_WRITESET
    return Candidate(
        header.transaction_id, chaincode or "", action, rwset, _assembled(header, action, result)
    )


def _is_signed_by_creator(header: SignedHeader, config: "ChannelConfig") -> bool:
    # A peer looks the creator up on the channel that the header names; on another one it finds nobody.
    if header.channel_id != config.channel_id or not header.signature:
        return False
    try:
        creator = config.msps.deserialize(header.creator)
        config.msps.validate(creator)
        config.msps.signatures.verify(creator, header.signature, header.payload)
    except (IdentityError, SignatureError):
        return False
    return True


def _check_chaincode(chaincode: str | None, result: ChaincodeResult) -> None:
    if chaincode is None or result.chaincode is None:
        raise EncodingError("INVALID_OTHER_REASON", "Header or result has no chaincode id.")
    if not chaincode or chaincode != result.chaincode or not result.version:
        raise EncodingError("INVALID_CHAINCODE", "Header and result do not name one chaincode and a version.")
    event = read_event(result.event)
    if event is not None and event.chaincode != chaincode:
        raise EncodingError("INVALID_OTHER_REASON", "The event names another chaincode.")


def _assembled(header: SignedHeader, action: EndorsedAction, result: ChaincodeResult) -> Transaction | None:
    try:
        return assemble(header, action, result)
    except EncodingError:
        return None
