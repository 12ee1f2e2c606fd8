"""Policies: signature policies, evaluated greedily as Fabric does, and the principals in them.

Source: Fabric ``common/cauthdsl/cauthdsl.go``; protos ``common.SignaturePolicyEnvelope``,
``common.MSPPrincipal``.
"""

from dataclasses import dataclass

from .certificates import certificate_bytes, read_certificate
from .refusal import expect
from .wire import Fields, many, one, one_number, one_text, read_fields

_ROLE, _IDENTITY = 0, 2
_ROLES = {1: "admin", 2: "client", 3: "peer", 4: "orderer"}
_MEMBER = 0
_DEEPEST = 32


@dataclass(frozen=True)
class Signer:
    """Somebody whose signature holds and who belongs to an organization of the channel.

    Attributes:
        msp_id: of the organization.
        certificate: in DER.
        roles: those that the certificate has.
    """

    msp_id: str
    certificate: bytes
    roles: frozenset[str]


def satisfies(envelope: bytes, signers: list[Signer]) -> bool:
    """Whether signers satisfy a serialized ``SignaturePolicyEnvelope``; nobody counts twice.

    Raises:
        ProofRefused: ENCODING, CONFIGURATION.
    """
    fields = read_fields(envelope)
    distinct = list(dict.fromkeys(signers))
    return _evaluate(
        read_fields(one(fields, 2)), many(fields, 3), distinct, [False] * len(distinct), _DEEPEST
    )


def _evaluate(
    rule: Fields, principals: list[bytes], signers: list[Signer], used: list[bool], depth: int
) -> bool:
    expect(depth, "CONFIGURATION", "a policy is nested too deeply")
    if 1 in rule:
        index = one_number(rule, 1)
        expect(index < len(principals), "CONFIGURATION", "a policy names a principal that it does not have")
        return _use(read_fields(principals[index]), signers, used)
    counted = read_fields(one(rule, 2))
    held = 0
    for part in many(counted, 2):
        attempt = list(used)
        if _evaluate(read_fields(part), principals, signers, attempt, depth - 1):
            held += 1
            used[:] = attempt
    return held >= one_number(counted, 1)


def _use(principal: Fields, signers: list[Signer], used: list[bool]) -> bool:
    for index, signer in enumerate(signers):
        if not used[index] and _is(signer, principal):
            used[index] = True
            return True
    return False


def _is(signer: Signer, principal: Fields) -> bool:
    kind, content = one_number(principal, 1), read_fields(one(principal, 2))
    if one_text(content, 1) != signer.msp_id:
        return False
    if kind == _ROLE:
        role = one_number(content, 2)
        return role == _MEMBER or _ROLES.get(role) in signer.roles
    return kind == _IDENTITY and certificate_bytes(read_certificate(one(content, 2))) == signer.certificate
