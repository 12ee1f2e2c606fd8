"""Who belongs to an organization, and in which role, by its MSP's configuration.

Source: Fabric ``msp/mspimplvalidate.go``, ``msp/mspimplsetup.go``; proto ``msp.FabricMSPConfig``.
"""

from cryptography import x509

from .certificates import (
    is_authority,
    is_issued_by,
    is_revoked,
    read_certificate,
    read_revocations,
)
from .refusal import expect
from .wire import many, one, one_number, one_text, read_fields

# Fields of FabricNodeOUs, each with the role that its organizational unit stands for.
_UNITS = {2: "client", 3: "peer", 4: "admin", 5: "orderer"}
_LONGEST_CHAIN = 8


class Organization:
    """One organization.

    Args:
        data: the serialized ``msp.MSPConfig``.

    Raises:
        ProofRefused: ENCODING, CERTIFICATE.
    """

    def __init__(self, data: bytes) -> None:
        config = read_fields(one(read_fields(data), 2))
        self.msp_id = one_text(config, 1)
        self._roots = [read_certificate(pem) for pem in many(config, 2)]
        self._authorities = [*self._roots, *(read_certificate(pem) for pem in many(config, 3))]
        self._revocations = [read_revocations(pem) for pem in many(config, 5)]
        units = read_fields(one(config, 11))
        self._units: dict[str, str] = {}
        if one_number(units, 1):
            named = {one_text(read_fields(one(units, at)), 2): role for at, role in _UNITS.items()}
            self._units = {name: role for name, role in named.items() if name}

    def roles(self, certificate: x509.Certificate) -> frozenset[str]:
        """The roles that a certificate has in this organization.

        Raises:
            ProofRefused: MEMBERSHIP: it is not one of its members, is revoked, or names no role or several.
        """
        expect(self._is_member(certificate), "MEMBERSHIP", f"a certificate is not one of {self.msp_id}'s")
        attributes = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
        named = [str(attribute.value) for attribute in attributes]
        roles = [self._units[name] for name in named if name in self._units]
        fits = len(roles) == 1 or not self._units
        expect(fits, "MEMBERSHIP", f"a certificate of {self.msp_id} names {len(roles)} roles, not one")
        return frozenset(roles)

    def _is_member(self, certificate: x509.Certificate) -> bool:
        if is_authority(certificate):
            return False
        for _ in range(_LONGEST_CHAIN):
            issuer = next((entry for entry in self._authorities if is_issued_by(certificate, entry)), None)
            if issuer is None or is_revoked(certificate, issuer, self._revocations):
                return False
            if issuer in self._roots:
                return True
            certificate = issuer
        return False
