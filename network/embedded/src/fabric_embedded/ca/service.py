"""What an organization's CA does: tell who calls, enrol, register. No HTTP here.

Source: Fabric CA v1.5 `lib/serverenroll.go`, `lib/serverregister.go`, `lib/serverrequestcontext.go`.
Unlike Fabric CA's, certificates carry no hf.EnrollmentID, hf.Type, hf.Affiliation or host names: nothing that
tells more about a person than a random id and the roles that an employer gave it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.affiliations import below
from fabric_embedded.ca.attributes import (
    REGISTRAR,
    certificate_attributes,
    check_registration,
)
from fabric_embedded.ca.certificate_store import IssuedCertificate, hex_number
from fabric_embedded.ca.errors import CaError, authentication_failure, authorization_failure
from fabric_embedded.ca.requests import EnrollRequest, RegisterRequest
from fabric_embedded.ca.store import (
    MAX_FAILED_LOGINS,
    UNLIMITED,
    IdentityStore,
    RegisteredIdentity,
    SaltedSecret,
)
from fabric_protocol.certificates import CertificateAuthority, certificate_pem, issue

# As Fabric CA's signer: clocks that lag a little still find the certificate valid.
_BACKDATE = timedelta(minutes=5)
_SECRET_BYTES = 18


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for.

    Parameters:
        identity: the identity.
        serial: serial number of the certificate that it used, in hex.
        aki: that certificate's authority key identifier, in hex.
    """

    identity: RegisteredIdentity
    serial: str
    aki: str


@dataclass(frozen=True)
class CaService:
    """One organization's certificate authority.

    Parameters:
        name: name that requests may give as `ca` or `caname`.
        authority: issuer of enrolment certificates.
        store: identities and certificates.
        clock: the CA's clock (UTC, aware).
    """

    name: str
    authority: CertificateAuthority
    store: IdentityStore
    clock: Callable[[], datetime]

    async def log_in(self, identity: str, secret: str) -> RegisteredIdentity:
        """Check an enrolment id and its secret.

        Raises:
            CaError: authentication failure; code 73 after too many wrong secrets.
        """
        registered = self.store.get(identity)
        if registered is None:
            # Hashing all the same, so that the time taken does not tell which ids exist.
            await asyncio.to_thread(SaltedSecret.of, secret)
            raise authentication_failure("unknown identity")
        if registered.failed_logins >= MAX_FAILED_LOGINS:
            message = (
                f"Incorrect password entered {MAX_FAILED_LOGINS} times, "
                f"max incorrect password limit of {MAX_FAILED_LOGINS} reached"
            )
            raise CaError(401, ca_errors.TOO_MANY_ATTEMPTS, message)
        salted = self.store.salted_secret(identity)
        if not await asyncio.to_thread(salted.matches, secret):
            self.store.count_failed_login(identity)
            raise authentication_failure("wrong secret")
        # Hashing took its time: whoever was revoked meanwhile enrols no more.
        current = self.store.get(identity)
        if current is None or current.revoked:
            raise authentication_failure("revoked identity")
        return current

    def caller(self, certificate: x509.Certificate) -> Caller:
        """Who a token's certificate belongs to.

        Raises:
            CaError: authentication failure unless this CA issued this very certificate and it is valid.
        """
        serial, aki = _reference(certificate)
        issued = self.store.certificates.get(serial, aki)
        if issued is None or issued.pem != certificate_pem(certificate):
            raise authentication_failure("certificate not found")
        if not certificate.not_valid_before_utc <= self.clock() <= certificate.not_valid_after_utc:
            raise authentication_failure("certificate expired, or not valid yet")
        if issued.revoked_at is not None:
            raise authentication_failure("certificate revoked")
        registered = self.store.get(issued.id)
        if registered is None:
            raise authentication_failure("identity of the certificate not found")
        return Caller(registered, serial, aki)

    def enroll(self, identity: RegisteredIdentity, request: EnrollRequest, *, counted: bool) -> bytes:
        """Issue a certificate.

        Parameters:
            identity: the authenticated caller.
            request: the certificate request.
            counted: whether a secret was used, whose uses are counted (enroll, not reenroll).

        Returns:
            The certificate in PEM.

        Raises:
            CaError: a request that is none, a subject that is not the caller, attributes that are not the
                caller's, or no enrolment left.
        """
        asked = _read_request(request.certificate_request, identity.id)
        attributes = certificate_attributes(identity.attributes, request.attribute_requests)
        start = max(self.clock() - _BACKDATE, self.authority.certificate.not_valid_before_utc)
        certificate = issue(
            self.authority,
            common_name=identity.id,
            public_key=asked.public_key(),
            organizational_units=(identity.type,),
            attributes=attributes,
            start=start,
        )
        pem = certificate_pem(certificate)
        serial, aki = _reference(certificate)
        issued = IssuedCertificate(serial, aki, identity.id, pem, certificate.not_valid_after_utc)
        if not self.store.record_enrollment(issued, counted=counted):
            raise authentication_failure("no enrolments left")
        return pem

    async def register(self, registrar: RegisteredIdentity, request: RegisterRequest) -> str:
        """Register an identity.

        Returns:
            Its secret.

        Raises:
            CaError: authorization failure, for an unknown affiliation too; 409 when the id is taken.
        """
        kind = request.type or registrar.type
        affiliation = "" if request.affiliation == "." else request.affiliation or registrar.affiliation
        check_registration(registrar.attribute_values(), kind, request.attributes)
        check_affiliation(registrar, affiliation)
        if affiliation and affiliation not in self.store.affiliations():
            raise authorization_failure("unknown affiliation")
        secret = request.secret or secrets.token_urlsafe(_SECRET_BYTES)
        salted = await asyncio.to_thread(SaltedSecret.of, secret)
        uses, attributes = request.max_enrollments, request.attributes
        if not self.store.add(request.id, kind, salted, uses, attributes, affiliation):
            message = f"Identity '{request.id}' is already registered"
            raise CaError(409, ca_errors.ALREADY_REGISTERED, message, "identity is already registered")
        return secret


def bootstrap_registrar(store: IdentityStore, identity: str, secret: str) -> None:
    """Give a new CA its first registrar, who may register anybody."""
    store.add(identity, "client", SaltedSecret.of(secret), UNLIMITED, REGISTRAR)


def check_affiliation(caller: RegisteredIdentity, affiliation: str) -> None:
    """Refuse a caller whose own affiliation is not this one, or over it.

    Raises:
        CaError: authorization failure.
    """
    if not below(affiliation, caller.affiliation):
        raise authorization_failure("caller does not have authority to act on this affiliation")


def _reference(certificate: x509.Certificate) -> tuple[str, str]:
    extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return f"{certificate.serial_number:x}", hex_number((extension.key_identifier or b"").hex())


def _read_request(pem: str, identity: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(pem.encode("utf-8"))
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        key, genuine = request.public_key(), request.is_signature_valid
        constraints = [
            entry.value for entry in request.extensions if isinstance(entry.value, x509.BasicConstraints)
        ]
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise CaError(400, ca_errors.BAD_CERTIFICATE_REQUEST, "CSR Decode failed") from error
    if len(names) != 1 or names[0].value != identity:
        message = "The CSR subject common name must equal the enrollment ID"
        raise CaError(403, ca_errors.NAME_MISMATCH, message)
    if (
        not genuine
        or not isinstance(key, ec.EllipticCurvePublicKey)
        or key.curve.name not in ("secp256r1", "secp384r1")
    ):
        message = "CSR input validation failed: expected an ECDSA key on P-256 or P-384, and its signature"
        raise CaError(400, ca_errors.CERTIFICATE_REQUEST_LIMITS, message)
    if any(constraint.ca for constraint in constraints):
        raise ca_errors.not_supported("a certificate of an intermediate CA")
    return request
