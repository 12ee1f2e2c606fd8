import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from support.sample_organizations import START, SampleOrganization

from fabric_protocol.certificates import new_private_key
from fabric_protocol.errors import IdentityError
from fabric_protocol.identities import (
    ATTRIBUTE_EXTENSION_OID,
    attribute_extension_value,
    certificate_attributes,
    parse_certificate,
    parse_identity,
    serialize_identity,
)

ALPHA = SampleOrganization("AlphaMSP")
MEMBER = ALPHA.member("client", "ward-7", name="e3f1", attributes={"consentry.role": "steward", "a": "ü<"})


def test_a_serialized_identity_reads_back() -> None:
    identity = parse_identity(MEMBER.serialized)
    assert identity.msp_id == "AlphaMSP"
    assert identity.certificate == MEMBER.certificate
    assert identity.serialized == MEMBER.serialized
    assert identity.common_name == "e3f1"
    assert identity.organizational_units == ("client", "ward-7")
    assert identity.attributes == {"consentry.role": "steward", "a": "ü<"}
    assert identity.public_key == MEMBER.key.public_key()


def test_the_key_tells_certificates_and_msps_apart_but_not_pem_texts() -> None:
    other_text = serialize_identity("AlphaMSP", b"a comment\n" + MEMBER.pem + b"trailing bytes")
    other_msp = serialize_identity("BetaMSP", MEMBER.pem)
    other_member = ALPHA.member("client")
    assert parse_identity(other_text).key == MEMBER.identity.key
    assert parse_identity(other_msp).key != MEMBER.identity.key
    assert other_member.identity.key != MEMBER.identity.key


def test_the_first_block_counts_whatever_its_label() -> None:
    text = MEMBER.pem.replace(b"CERTIFICATE", b"ANYTHING") + ALPHA.authority.pem
    assert parse_certificate(text) == MEMBER.certificate
    with_header = MEMBER.pem.replace(b"-----\n", b"-----\nProc-Type: 4\n\n", 1)
    assert parse_certificate(with_header) == MEMBER.certificate


@pytest.mark.parametrize(
    "serialized",
    [b"", b"\xff\xff", b"\x12\x01A", parse_identity(MEMBER.serialized).certificate_der],
)
def test_other_bytes_are_no_identity(serialized: bytes) -> None:
    with pytest.raises(IdentityError) as caught:
        parse_identity(serialized)
    assert caught.value.code == "IDENTITY_MALFORMED"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not PEM",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        MEMBER.pem[:-100],
    ],
)
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(IdentityError) as caught:
        serialize_identity("AlphaMSP", content)
    assert caught.value.code == "CERTIFICATE_INVALID"


def test_an_identity_needs_an_msp() -> None:
    with pytest.raises(IdentityError) as caught:
        serialize_identity("", MEMBER.pem)
    assert caught.value.code == "IDENTITY_MALFORMED"


@given(st.binary(max_size=300))
def test_any_bytes_give_an_identity_error(serialized: bytes) -> None:
    with pytest.raises(IdentityError):
        parse_identity(serialized)


def test_attributes_have_the_bytes_of_a_fabric_ca() -> None:
    assert attribute_extension_value({"b": "2", "a": "1"}) == b'{"attrs":{"a":"1","b":"2"}}'


def test_no_extension_is_no_attributes() -> None:
    assert certificate_attributes(ALPHA.member("client").certificate) == {}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_attributes_read_back(attributes: dict[str, str]) -> None:
    assert certificate_attributes(with_extension(attribute_extension_value(attributes))) == attributes


@pytest.mark.parametrize(
    "value", [b"", b"[]", b"{}", b'{"attrs":[]}', b'{"attrs":{"a":1}}', b"\xff", b'{"attrs":null}']
)
def test_malformed_attributes_are_refused(value: bytes) -> None:
    with pytest.raises(IdentityError) as caught:
        certificate_attributes(with_extension(value))
    assert caught.value.code == "ATTRIBUTES_INVALID"


SIGNING_KEY = new_private_key()


def with_extension(value: bytes) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "any")])
    builder = (
        x509.CertificateBuilder(name, name, SIGNING_KEY.public_key(), 7, START, START)
        .add_extension(x509.UnrecognizedExtension(ATTRIBUTE_EXTENSION_OID, value), critical=False)
    )  # fmt: skip
    return builder.sign(SIGNING_KEY, SHA256())
