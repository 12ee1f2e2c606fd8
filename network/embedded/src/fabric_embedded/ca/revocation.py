"""Revoking identities and certificates, lists of them signed by the CA, and what it issued.

Source: Fabric CA v1.5 `lib/serverrevoke.go`, `lib/servergencrl.go`, `lib/servercertificates.go`. A list
counts for the ledger once it stands in the organization's MSP in the channel configuration.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.attributes import GENERATE_LIST, REVOKER, ROLES, require_true
from fabric_embedded.ca.certificate_store import CertificateFilter, IssuedCertificate
from fabric_embedded.ca.errors import CaError
from fabric_embedded.ca.identities import check_manages
from fabric_embedded.ca.revocation_requests import ListRequest, RevokeRequest
from fabric_embedded.ca.service import Caller, CaService
from fabric_embedded.ca.store import RegisteredIdentity

# Fabric CA's default `crl.expiry`; an MSP ignores it.
_LIST_LIFETIME = timedelta(hours=24)


def revoke(service: CaService, caller: Caller, request: RevokeRequest) -> list[IssuedCertificate]:
    """Revoke one certificate, or an identity with all of its certificates.

    Parameters:
        service: the CA.
        caller: who asks; one's own needs no `hf.Revoker`.
        request: what to revoke.

    Returns:
        What this revoked; empty for an identity without valid certificates, which is disabled all the same.

    Raises:
        CaError: authorization failure; 404 for what there is not or was revoked already; 400.
    """
    if request.serial and request.aki:
        return [_revoke_certificate(service, caller, request)]
    if not request.id:
        message = "Either Name or Serial and AKI are required for a revoke request"
        raise CaError(400, ca_errors.MISSING_REVOKE_ARGUMENTS, message)
    return _revoke_identity(service, caller.identity, request)


def revocation_list(service: CaService, request: ListRequest) -> bytes:
    """A list (PEM) of revoked certificates, signed by the CA (RFC 5280 §5)."""
    authority, time = service.authority, service.clock()
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(time)
        .next_update(time + _LIST_LIFETIME)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
    )
    for revoked in service.store.certificates.find(CertificateFilter(status=True)):
        if revoked.revoked_at is not None and request.chooses(revoked.revoked_at, revoked.expiry):
            entry = x509.RevokedCertificateBuilder().serial_number(int(revoked.serial, 16))
            builder = builder.add_revoked_certificate(entry.revocation_date(revoked.revoked_at).build())
    return builder.sign(authority.private_key, SHA256()).public_bytes(Encoding.PEM)


def generated_list(service: CaService, caller: RegisteredIdentity, request: ListRequest) -> bytes:
    """A revocation list for whoever may have one made.

    Raises:
        CaError: authorization failure without `hf.GenCRL`.
    """
    require_true(caller.attribute_values(), GENERATE_LIST)
    return revocation_list(service, request)


def listed_certificates(
    service: CaService, caller: RegisteredIdentity, wanted: CertificateFilter
) -> list[IssuedCertificate]:
    """Certificates of the caller's affiliation and below.

    Raises:
        CaError: authorization failure for whoever is neither registrar nor revoker.
    """
    if ROLES not in caller.attribute_values():
        require_true(caller.attribute_values(), REVOKER)
    return service.store.certificates.find(wanted, caller.affiliation)


def _revoke_certificate(service: CaService, caller: Caller, request: RevokeRequest) -> IssuedCertificate:
    named = f"Certificate with serial {request.serial} and AKI {request.aki}"
    certificate = service.store.certificates.get(request.serial, request.aki)
    if certificate is None:
        message = f"{named} was not found: Failed to get Certificate: {ca_errors.NO_ROWS}"
        raise CaError(404, ca_errors.CERTIFICATE_NOT_FOUND, message)
    _check_revoker(caller.identity, certificate.id)
    if certificate.revoked_at is not None:
        raise CaError(404, ca_errors.ALREADY_REVOKED, f"{named} was already revoked")
    if request.id not in ("", certificate.id):
        message = f"{named} is not owned by {request.id}"
        raise CaError(400, ca_errors.CERTIFICATE_WRONG_OWNER, message, "certificate of another identity")
    owner = _owner(service, certificate.id)
    if (certificate.serial, certificate.aki) != (caller.serial, caller.aki):
        check_manages(caller.identity, owner)
    with service.store.transaction():
        service.store.certificates.revoke([certificate], request.reason, service.clock())
    return certificate


def _revoke_identity(
    service: CaService, caller: RegisteredIdentity, request: RevokeRequest
) -> list[IssuedCertificate]:
    _check_revoker(caller, request.id)
    identity = _owner(service, request.id)
    if identity.id != caller.id:
        check_manages(caller, identity)
    with service.store.transaction():
        service.store.disable(identity)
        return service.store.certificates.revoke_all_of(identity.id, request.reason, service.clock())


def _check_revoker(caller: RegisteredIdentity, owner: str) -> None:
    if caller.id != owner:
        require_true(caller.attribute_values(), REVOKER)


def _owner(service: CaService, identity: str) -> RegisteredIdentity:
    found = service.store.get(identity)
    if found is None:
        message = f"Identity {identity} was not found: Failed to get User: {ca_errors.NO_ROWS}"
        raise CaError(404, ca_errors.REVOKED_IDENTITY_NOT_FOUND, message, "unknown identity")
    return found
