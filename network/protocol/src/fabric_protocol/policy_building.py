"""Signature policies that networks are built from, in the same bytes at every organization.

Source: fabric-behaviour §2.3 (`common/policydsl/policydsl_builder.go`: MSP ids sorted); DESIGN §9.
"""

from collections.abc import Sequence
from typing import Any

from fabric_protos.common import policies_pb2
from fabric_protos.peer import policy_pb2

from fabric_protocol.errors import PolicyError
from fabric_protocol.policy_language import parse_policy
from fabric_protocol.principals import identity_principal, role_principal


def signed_by_n_of(n: int, msp_ids: Sequence[str], role: str = "peer") -> Any:
    """At least n of these organizations sign, each with one identity of a role (SignaturePolicyEnvelope).

    Parameters:
        n: 1 to the number of organizations.
        msp_ids: distinct; sorted here.
        role: member, admin, client, peer or orderer.

    Raises:
        PolicyError: POLICY_INVALID, n or the ids do not fit; ROLE_UNKNOWN.
    """
    _require_distinct(msp_ids)
    if not 1 <= n <= len(msp_ids):
        raise PolicyError("POLICY_INVALID", f"expected 1 to {len(msp_ids)} signatures, got {n}")
    principals = [role_principal(msp_id, role) for msp_id in sorted(msp_ids)]
    return _envelope(n_out_of(n, [signed_by(index) for index in range(len(principals))]), principals)


def custodian_policy(custodian: str, others: Sequence[str], n_others: int) -> Any:
    """The custodian's peer and n peers of the others sign (SignaturePolicyEnvelope).

    Neither the others without the custodian nor the custodian alone can then change a record (DESIGN §9).

    Parameters:
        custodian: MSP id.
        others: MSP ids without the custodian's; sorted here.
        n_others: 0 to the number of others; 0 asks for the custodian alone.

    Raises:
        PolicyError: POLICY_INVALID.
    """
    _require_distinct([custodian, *others])
    if not 0 <= n_others <= len(others):
        raise PolicyError("POLICY_INVALID", f"expected 0 to {len(others)} other signatures, got {n_others}")
    if n_others == 0:
        return signed_by_n_of(1, [custodian])
    principals = [role_principal(msp_id, "peer") for msp_id in (custodian, *sorted(others))]
    of_others = n_out_of(n_others, [signed_by(index) for index in range(1, len(principals))])
    return _envelope(n_out_of(2, [signed_by(0), of_others]), principals)


def signed_by_identities(n: int, serialized_identities: Sequence[bytes]) -> Any:
    """At least n of exactly these identities sign (SignaturePolicyEnvelope), as for BFT consenters.

    The order is kept: Fabric wants it to be that of the consenters.

    Raises:
        PolicyError: POLICY_INVALID, n does not fit.
    """
    if not 1 <= n <= len(serialized_identities):
        raise PolicyError("POLICY_INVALID", f"expected 1 to {len(serialized_identities)} signatures, got {n}")
    principals = [identity_principal(serialized) for serialized in serialized_identities]
    return _envelope(n_out_of(n, [signed_by(index) for index in range(len(principals))]), principals)


def application_policy(policy: Any) -> bytes:
    """M(ApplicationPolicy): what chaincode definitions and collections hold.

    Parameters:
        policy: a policy's text, the path of a channel policy (starting with "/"), or a
            SignaturePolicyEnvelope.

    Raises:
        PolicyError: POLICY_SYNTAX.
    """
    if isinstance(policy, str) and policy.startswith("/"):
        message = policy_pb2.ApplicationPolicy(channel_config_policy_reference=policy)
    else:
        envelope = parse_policy(policy) if isinstance(policy, str) else policy
        message = policy_pb2.ApplicationPolicy(signature_policy=envelope)
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized


def signed_by(index: int) -> Any:
    """The rule "an identity that satisfies principal number index signs" (SignaturePolicy)."""
    return policies_pb2.SignaturePolicy(signed_by=index)


def n_out_of(n: int, rules: Sequence[Any]) -> Any:
    """The rule "at least n of these rules hold" (SignaturePolicy)."""
    return policies_pb2.SignaturePolicy(n_out_of=policies_pb2.SignaturePolicy.NOutOf(n=n, rules=rules))


def _envelope(rule: Any, principals: Sequence[Any]) -> Any:
    return policies_pb2.SignaturePolicyEnvelope(version=0, rule=rule, identities=principals)


def _require_distinct(msp_ids: Sequence[str]) -> None:
    if not all(msp_ids) or len(set(msp_ids)) != len(msp_ids):
        raise PolicyError("POLICY_INVALID", "expected distinct MSP ids, none of them empty")
