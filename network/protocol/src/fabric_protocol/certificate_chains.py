"""From a certificate to a root: the chains that an MSP accepts.

An MSP judges a chain at the certificate's own start plus one second, so that nothing expires by itself, and
wants exactly one. Source: fabric-behaviour §1.3 (`msp/mspimplvalidate.go`, `msp/mspimpl.go`) and what Go's
`crypto/x509` checks for it: RFC 5280 §6.1.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from fabric_protocol.errors import IdentityError

_JUDGED_AFTER_START: Final = timedelta(seconds=1)
_WEAK_HASHES: Final = frozenset({"md5", "sha1"})
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)

Chain = tuple[x509.Certificate, ...]
"""A certificate, its issuer, and so on up to a root."""


class CertificateTree:
    """The roots and intermediates that an organization trusts.

    Parameters:
        roots: self-signed authorities.
        intermediates: authorities below them.
        usages: extended key usages of which a certificate that lists any must have one; Go's verifier, asked
            without usages as Fabric's MSPs ask it, wants serverAuth.
    """

    def __init__(
        self,
        roots: Sequence[x509.Certificate],
        intermediates: Sequence[x509.Certificate],
        *,
        usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.SERVER_AUTH,),
    ) -> None:
        self._usages = frozenset((*usages, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
        self.roots = tuple(dict.fromkeys(roots))
        self.intermediates = tuple(dict.fromkeys(intermediates))

    def chain(self, certificate: x509.Certificate) -> Chain:
        """The one chain from a certificate to a root; a root's own is itself alone.

        Raises:
            IdentityError: CERTIFICATE_NOT_TRUSTED, there is none; CHAIN_AMBIGUOUS, there are several;
                CERTIFICATE_INVALID, the certificate cannot be judged.
        """
        try:
            chains = tuple(self._chains(certificate))
        # OverflowError: a start at the very end of the calendar has no second after it.
        except (ValueError, OverflowError, UnsupportedAlgorithm) as error:
            raise IdentityError("CERTIFICATE_INVALID", "the certificate's content cannot be read") from error
        if not chains:
            raise IdentityError(
                "CERTIFICATE_NOT_TRUSTED", "no chain of certificates leads from this one to a trusted root"
            )
        if len(chains) > 1:
            raise IdentityError(
                "CHAIN_AMBIGUOUS", f"an MSP supports a single validation chain, got {len(chains)}"
            )
        return chains[0]

    def _chains(self, certificate: x509.Certificate) -> Iterator[Chain]:
        instant = certificate.not_valid_before_utc + _JUDGED_AFTER_START
        if not _is_acceptable(certificate, instant):
            return
        found = [(certificate,)] if certificate in self.roots else self._climb((certificate,), instant)
        for chain in found:
            if _serves(chain, self._usages):
                yield chain

    def _climb(self, chain: Chain, instant: datetime) -> Iterator[Chain]:
        for root in self.roots:
            if _may_issue(root, chain, instant):
                yield (*chain, root)
        for authority in self.intermediates:
            if authority not in chain and _may_issue(authority, chain, instant):
                yield from self._climb((*chain, authority), instant)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether the certificate's basic constraints make it an authority.

    Raises:
        ValueError: its extensions cannot be read.
    """
    constraints = _basic_constraints(certificate)
    return constraints is not None and constraints.ca


def subject_key_identifier(certificate: x509.Certificate) -> bytes | None:
    """The certificate's subject key identifier, if it has one.

    Raises:
        ValueError: its extensions cannot be read.
    """
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _may_issue(authority: x509.Certificate, chain: Chain, instant: datetime) -> bool:
    child = chain[-1]
    if child.issuer != authority.subject or not _is_acceptable(authority, instant):
        return False
    constraints = _basic_constraints(authority)
    if constraints is None or not constraints.ca or not _may_sign_certificates(authority):
        return False
    if constraints.path_length is not None and len(chain) - 1 > constraints.path_length:
        return False
    algorithm = child.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK_HASHES:
        return False
    try:
        child.verify_directly_issued_by(authority)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _is_acceptable(certificate: x509.Certificate, instant: datetime) -> bool:
    # Name constraints count as not understood even when not critical: refusing is safe, ignoring is not.
    for extension in certificate.extensions:
        if extension.oid == ExtensionOID.NAME_CONSTRAINTS:
            return False
        if extension.critical and extension.oid not in _UNDERSTOOD:
            return False
    return certificate.not_valid_before_utc <= instant <= certificate.not_valid_after_utc


def _serves(chain: Chain, wanted: frozenset[x509.ObjectIdentifier]) -> bool:
    for certificate in chain:
        try:
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if wanted.isdisjoint(usages):
            return False
    return True


def _basic_constraints(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None


def _may_sign_certificates(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True
