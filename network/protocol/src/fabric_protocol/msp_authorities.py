"""An MSP's certificate authorities: set up once, with every check that Fabric makes then.

Source: fabric-behaviour §1.1–1.3 (`msp/mspimplsetup.go · setupCAs`, `finalizeSetupCAs`,
`getCertifiersIdentifier`).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID

from fabric_protocol.certificate_chains import (
    CertificateTree,
    Chain,
    is_authority,
    subject_key_identifier,
)
from fabric_protocol.certificate_signatures import with_low_s
from fabric_protocol.errors import ConfigError, IdentityError, ProtocolError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.revocation import RevocationList, is_revoked, parse_revocation_list

_ECDSA_SIGNATURES: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA224,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)


class MspAuthorities:
    """Roots, intermediates and revocation lists of one MSP.

    Parameters:
        content: the MSP's FabricMSPConfig.

    Raises:
        ConfigError: MSP_CONFIG_INVALID, an authority that is none, is revoked or leads to no root;
            REVOCATION_LIST_INVALID.
    """

    def __init__(self, content: Any) -> None:
        self._msp_id = content.name
        self.revocations = tuple(parse_revocation_list(data) for data in content.revocation_list)
        roots = [self._read(pem) for pem in content.root_certs]
        intermediates = [self._read(pem) for pem in content.intermediate_certs]
        self._tree = CertificateTree(roots, intermediates)
        self._tree = CertificateTree(*(self._sanitized(group) for group in (roots, intermediates)))
        for authority in (*self._tree.roots, *self._tree.intermediates):
            self._require_authority(authority, self._tree, self.revocations)
        self._parents = frozenset(
            parent for authority in self._tree.intermediates for parent in self._tree.chain(authority)[1:]
        )
        self._check_tls(content)

    def low_s(self, certificate: x509.Certificate) -> x509.Certificate:
        """The certificate with its signature in low-S.

        Raises:
            IdentityError: as `CertificateTree.chain`, for the issuer must be known to tell.
            SignatureError: INVALID_SIGNATURE.
        """
        if certificate.signature_algorithm_oid not in _ECDSA_SIGNATURES:
            return certificate
        chain = self._tree.chain(certificate)
        issuer = chain[1] if len(chain) > 1 else certificate
        try:
            return with_low_s(certificate, issuer.public_key())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError("CERTIFICATE_INVALID", "the issuer's key cannot be read") from error

    def identity_chain(self, certificate: x509.Certificate) -> Chain:
        """The chain of a certificate that is to be an identity.

        It must be no authority, not revoked, and issued by a leaf of the tree of authorities.

        Raises:
            IdentityError: CERTIFICATE_IS_AUTHORITY, CERTIFICATE_REVOKED, ISSUER_NOT_LEAF, or as
                `CertificateTree.chain`.
        """
        if is_authority(certificate):
            raise IdentityError(
                "CERTIFICATE_IS_AUTHORITY", "an authority's certificate cannot be an identity"
            )
        chain = self._tree.chain(certificate)
        if len(chain) < 2:
            raise IdentityError("CERTIFICATE_NOT_TRUSTED", "a root certificate cannot be an identity")
        if chain[1] in self._parents:
            raise IdentityError(
                "ISSUER_NOT_LEAF",
                "the issuer has intermediate authorities below it and may not issue identities",
            )
        if is_revoked(chain, self.revocations):
            raise IdentityError("CERTIFICATE_REVOKED", "the certificate has been revoked")
        return chain

    def certifier_identifier(self, authority_pem: bytes) -> bytes:
        """What pins an organizational unit to one issuing path: SHA-256 over the path's certificates.

        Raises:
            ConfigError: MSP_CONFIG_INVALID, not one of the MSP's authorities.
        """
        authority = self._read(authority_pem)
        for known in (*self._tree.roots, *self._tree.intermediates):
            if known.tbs_certificate_bytes == authority.tbs_certificate_bytes:
                return path_identifier(self._tree.chain(known))
        raise self._invalid(
            "an organizational unit names a certificate that is none of the MSP's authorities"
        )

    def _sanitized(self, authorities: Sequence[x509.Certificate]) -> list[x509.Certificate]:
        try:
            return [self.low_s(authority) for authority in authorities]
        except ProtocolError as error:
            raise self._invalid(str(error)) from error

    def _require_authority(
        self, certificate: x509.Certificate, tree: CertificateTree, lists: Sequence[RevocationList]
    ) -> None:
        try:
            if not is_authority(certificate):
                raise self._invalid("a certificate listed as authority is none")
            if subject_key_identifier(certificate) is None:
                raise self._invalid("an authority's certificate has no subject key identifier")
            chain = tree.chain(certificate)
            if len(chain) > 1 and is_revoked(chain, lists):
                raise self._invalid("an intermediate authority has been revoked")
        except (IdentityError, ValueError) as error:
            raise self._invalid(str(error)) from error

    def _check_tls(self, content: Any) -> None:
        tree = CertificateTree(
            [self._read(pem) for pem in content.tls_root_certs],
            [self._read(pem) for pem in content.tls_intermediate_certs],
        )
        for authority in (*tree.roots, *tree.intermediates):
            self._require_authority(authority, tree, self.revocations)

    def _read(self, pem: bytes) -> x509.Certificate:
        try:
            return parse_certificate(pem)
        except IdentityError as error:
            raise self._invalid(str(error)) from error

    def _invalid(self, what: str) -> ConfigError:
        return ConfigError("MSP_CONFIG_INVALID", f"MSP {self._msp_id}: {what}")


def path_identifier(path: Sequence[x509.Certificate]) -> bytes:
    """SHA-256 over the concatenated DER of an issuing path (a chain without its first certificate)."""
    digest = hashlib.sha256()
    for certificate in path:
        digest.update(certificate.public_bytes(Encoding.DER))
    return digest.digest()
