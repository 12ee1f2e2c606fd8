"""Key-level endorsement policies for contract authors, as the bytes that ``set_key_policy`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from fabric_protocol import policies
from fabric_protocol.policy_language import format_policy as _format
from fabric_protocol.policy_language import parse_policy as _parse


def signed_by_n_of(n: int, msp_ids: Sequence[str], role: str = "peer") -> bytes:
    """Policy that asks for signatures of ``n`` of these organizations.

    Args:
        n: how many must sign.
        msp_ids: MSP ids; they are sorted, so that every endorser builds the same bytes.
        role: ``peer``, ``member``, ``client``, ``admin`` or ``orderer``.

    Returns:
        ``M(SignaturePolicyEnvelope)``.

    Raises:
        fabric_protocol.errors.PolicyError: no such role, or ``n`` is not between 1 and the number of MSPs.
    """
    return _signed_by_n_of(n, tuple(sorted(msp_ids)), role)


def custodian_policy(custodian: str, others: Sequence[str], n_others: int) -> bytes:
    """Policy that asks for the custodian's peer and the peers of ``n_others`` of the others.

    Returns:
        ``M(SignaturePolicyEnvelope)`` of AND(custodian.peer, OutOf(n_others, others.peer…)).
    """
    return _custodian_policy(custodian, tuple(sorted(others)), n_others)


def parse_policy(text: str) -> bytes:
    """Policy that a text says, e.g. ``AND('AMSP.peer', OutOf(1, 'BMSP.peer', 'CMSP.peer'))``.

    Returns:
        ``M(SignaturePolicyEnvelope)``; the same text gives the same bytes at every endorser.

    Raises:
        fabric_protocol.errors.PolicyError: the text is no policy of Fabric's language.
    """
    return bytes(_parse(text).SerializeToString(deterministic=True))


def format_policy(policy: bytes) -> str:
    """What a policy says, as ``parse_policy`` reads it: of ``Stub.get_key_policy``, for instance.

    Raises:
        fabric_protocol.errors.PolicyError: the bytes are no policy, or one that the language cannot say
            (single certificates, organizational units).
    """
    return _format(policies.parse_signature_policy(policy))


# Contracts set the same few policies with every record; building one costs more than writing the record.
@lru_cache(maxsize=256)
def _signed_by_n_of(n: int, msp_ids: tuple[str, ...], role: str) -> bytes:
    return bytes(policies.signed_by_n_of(n, msp_ids, role).SerializeToString(deterministic=True))


@lru_cache(maxsize=256)
def _custodian_policy(custodian: str, others: tuple[str, ...], n_others: int) -> bytes:
    return bytes(policies.custodian_policy(custodian, others, n_others).SerializeToString(deterministic=True))
