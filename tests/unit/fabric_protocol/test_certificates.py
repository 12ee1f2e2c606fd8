from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.sample_organizations import START

from fabric_protocol.certificate_signatures import with_low_s
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    key_pem,
    new_authority,
    new_private_key,
)
from fabric_protocol.der import DerError, replace_signature
from fabric_protocol.errors import IdentityError
from fabric_protocol.signatures import curve_order

ROOT = new_authority("root", start=START)


def is_low_s(certificate: x509.Certificate) -> bool:
    return decode_dss_signature(certificate.signature)[1] <= curve_order(ec.SECP256R1()) >> 1


def as_high_s(certificate: x509.Certificate) -> x509.Certificate:
    r, s = decode_dss_signature(certificate.signature)
    twin = encode_dss_signature(r, curve_order(ec.SECP256R1()) - s)
    return x509.load_der_x509_certificate(replace_signature(certificate.public_bytes(Encoding.DER), twin))


def test_an_authority_is_one_and_signs_itself() -> None:
    certificate = ROOT.certificate
    certificate.verify_directly_issued_by(certificate)
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=3650)
    assert x509.load_pem_x509_certificate(ROOT.pem) == certificate
    assert load_pem_private_key(ROOT.key_pem, None).public_key() == certificate.public_key()


def test_certificates_carry_what_was_asked_and_are_low_s() -> None:
    key = new_private_key()
    for serial in range(8):
        certificate = issue(
            ROOT,
            common_name=f"node-{serial}",
            public_key=key.public_key(),
            organizational_units=["peer"],
            dns_names=["localhost"],
            ip_addresses=["127.0.0.1"],
            server=True,
            client=True,
            start=START,
            valid_days=10,
        )
        certificate.verify_directly_issued_by(ROOT.certificate)
        assert is_low_s(certificate)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usages = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert usages == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    issuer_key = ROOT.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    authority = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority.key_identifier == issuer_key
    assert certificate.serial_number != ROOT.certificate.serial_number


def test_an_intermediate_authority_is_issued_by_its_root() -> None:
    intermediate = new_authority("intermediate", start=START, issuer=ROOT)
    intermediate.certificate.verify_directly_issued_by(ROOT.certificate)


@pytest.mark.parametrize("stated", [b"derived by another hash: 32 bytes", None])
def test_the_issuers_own_key_identifier_is_named_however_it_was_derived(stated: bytes | None) -> None:
    key = new_private_key()
    builder = x509.CertificateBuilder(
        ROOT.certificate.subject, ROOT.certificate.subject, key.public_key(), 1, START, START + timedelta(1)
    )
    if stated is not None:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(stated), critical=False)
    authority = CertificateAuthority(builder.sign(key, SHA256()), key)
    expected = stated or x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
    subject = new_private_key().public_key()
    for certificate in (
        issue(authority, common_name="x", public_key=subject, start=START),
        new_authority("intermediate", start=START, issuer=authority).certificate,
    ):
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert named.key_identifier == expected


def test_a_high_s_certificate_is_rewritten_and_still_verifies() -> None:
    certificate = issue(ROOT, common_name="x", public_key=new_private_key().public_key(), start=START)
    twin = as_high_s(certificate)
    assert twin != certificate
    twin.verify_directly_issued_by(ROOT.certificate)
    issuer_key = ROOT.private_key.public_key()
    assert with_low_s(twin, issuer_key) == certificate
    assert with_low_s(certificate, issuer_key) is certificate


def test_the_issuers_curve_decides_what_is_low() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    certificates = [
        x509.CertificateBuilder(
            ROOT.certificate.subject,
            ROOT.certificate.subject,
            new_private_key().public_key(),
            serial,
            START,
            START + timedelta(days=1),
        ).sign(key, SHA384())
        for serial in range(1, 9)
    ]
    half = curve_order(ec.SECP384R1()) >> 1
    for certificate in certificates:
        low = with_low_s(certificate, key.public_key())
        assert decode_dss_signature(low.signature)[1] <= half
        key.public_key().verify(low.signature, low.tbs_certificate_bytes, ec.ECDSA(SHA384()))


@pytest.mark.parametrize(
    "options",
    [
        {"common_name": ""},
        {"common_name": "x" * 65},
        {"start": datetime(2024, 1, 1)},
        {"valid_days": 0},
        {"organizational_units": [""]},
        {"organizational_units": ["x" * 65]},
        {"ip_addresses": ["localhost"]},
        {"dns_names": ["bücher.example"]},
    ],
)
def test_what_makes_no_certificate_is_refused(options: dict[str, object]) -> None:
    key = new_private_key().public_key()
    with pytest.raises(IdentityError) as caught:
        issue(ROOT, **{"common_name": "x", "public_key": key, "start": START, **options})
    assert caught.value.code == "CERTIFICATE_REQUEST_INVALID"


def test_pem_forms() -> None:
    assert key_pem(new_private_key()).startswith(b"-----BEGIN PRIVATE KEY-----")
    assert certificate_pem(ROOT.certificate) == ROOT.pem


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x02\x30\x00", b"\x30\x82\x00\x01\x00"])
def test_only_certificates_get_another_signature(data: bytes) -> None:
    with pytest.raises(DerError):
        replace_signature(data, b"")
