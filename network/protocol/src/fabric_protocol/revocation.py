"""Certificate revocation lists as an MSP applies them: by issuer and serial number, dates ignored.

Source: fabric-behaviour §1.3 (`msp/mspimplvalidate.go · validateCertAgainstChain`); RFC 5280 §5.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from fabric_protocol.certificate_chains import Chain, subject_key_identifier
from fabric_protocol.errors import ConfigError


@dataclass(frozen=True)
class RevocationList:
    """One list: who issued it, and the list itself."""

    authority_key_identifier: bytes
    revocations: x509.CertificateRevocationList


def parse_revocation_list(data: bytes) -> RevocationList:
    """Read a list in PEM or DER.

    Raises:
        ConfigError: REVOCATION_LIST_INVALID, not such a list, or without authority key identifier.
    """
    try:
        is_pem = data.lstrip().startswith(b"-----BEGIN")
        revocations = x509.load_pem_x509_crl(data) if is_pem else x509.load_der_x509_crl(data)
        identifier = revocations.extensions.get_extension_for_class(
            x509.AuthorityKeyIdentifier
        ).value.key_identifier
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise ConfigError(
            "REVOCATION_LIST_INVALID",
            "expected a certificate revocation list with an authority key identifier, in PEM or DER",
        ) from error
    return RevocationList(identifier or b"", revocations)


def is_revoked(chain: Chain, lists: Iterable[RevocationList]) -> bool:
    """Whether the first certificate of a chain is on a list that its direct issuer signed.

    Parameters:
        chain: at least two certificates.
        lists: those of the MSP.
    """
    certificate, issuer = chain[0], chain[1]
    identifier = subject_key_identifier(issuer)
    for candidate in lists:
        if candidate.authority_key_identifier != identifier:
            continue
        revocations = candidate.revocations
        if revocations.get_revoked_certificate_by_serial_number(
            certificate.serial_number
        ) and revocations.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            return True
    return False
