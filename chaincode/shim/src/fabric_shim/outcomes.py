"""What a transaction answers: results and errors as Fabric's ``Response``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from fabric_shim.canonical import encode
from fabric_shim.contract import Contract
from fabric_shim.errors import ContractError, PeerError

_log = logging.getLogger("fabric_shim")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction answers: Fabric's ``Response``.

    Attributes:
        status: 200, or 400 and above for an error.
        message: ``""``, or the error's canonical JSON.
        payload: the encoded result.
    """

    status: int
    message: str
    payload: bytes


def encode_result(result: Any) -> bytes:
    """Bytes of a function's result: ``None`` is empty, text and bytes are raw, all else is canonical JSON.

    Raises:
        TypeError: the result has no canonical form (``fabric_shim.canonical``).
        ValueError: likewise.
    """
    if result is None:
        return b""
    if isinstance(result, bytes):
        return result
    if isinstance(result, str):
        return result.encode()
    return encode(result)


def failure(error: BaseException, contract: Contract | None, transaction_id: str) -> Outcome:
    """Error response for whatever a contract raised; words of unexpected exceptions go nowhere.

    Args:
        error: what was raised.
        contract: whose function it was, asked to translate; ``None`` if it was none's.
        transaction_id: for the log.
    """
    named = {"transaction_id": transaction_id}
    try:
        refusal = _refusal(error, contract)
        if refusal.status >= 500:
            place = describe_error(error)
            _log.error("transaction %s failed: %s (%s)", transaction_id, refusal.code, place, extra=named)
        return Outcome(refusal.status, refusal.to_wire(), b"")
    except Exception as second:
        # translate_error or to_wire of a contract's own error raised: still an answer, never a hang.
        place = describe_error(second)
        _log.error("transaction %s failed: INTERNAL_ERROR (%s)", transaction_id, place, extra=named)
        return Outcome(500, _internal_error().to_wire(), b"")


def _refusal(error: BaseException, contract: Contract | None) -> ContractError:
    if isinstance(error, ContractError):
        return error
    translated = None
    if contract is not None and isinstance(error, Exception):
        translated = contract.translate_error(error)
    if translated is not None:
        return translated
    if isinstance(error, PeerError):
        return _peer_error(error)
    return _internal_error()


def peer_failure(error: PeerError) -> Outcome:
    """Error response for a peer's refusal that no contract handled."""
    return Outcome(500, _peer_error(error).to_wire(), b"")


def _peer_error(error: PeerError) -> ContractError:
    fields = {"operation": error.operation, "collection": error.collection}
    return ContractError(error.code, error.message, fields, status=500)


def _internal_error() -> ContractError:
    return ContractError(
        "INTERNAL_ERROR", "the function failed; the endorser's log names the place", status=500
    )


def describe_error(error: BaseException) -> str:
    """Type of an exception and the place where it was raised: no message, for that may quote a payload."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""
    return type(error).__name__ + place
