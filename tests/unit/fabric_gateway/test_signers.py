"""Signers of every kind of key, and what the client does with what they return."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway

from fabric_gateway import Gateway, SigningError, pem_signer, serialize_identity
from fabric_protocol.certificates import certificate_pem
from fabric_protocol.identities import parse_identity
from fabric_protocol.signatures import curve_order, sign_digest, verify

KEYS: dict[str, Callable[[], object]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


def echo(call: Call) -> bytes:
    return b"|".join(call.arguments)


def pem(key: object, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)  # type: ignore[attr-defined,no-any-return]


def identity_of(key: object) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2036))
        .public_key(key.public_key())  # type: ignore[attr-defined]
    )
    signing = ec.generate_private_key(ec.SECP256R1())
    return serialize_identity("AMSP", certificate_pem(builder.sign(signing, SHA256())))


@pytest.mark.parametrize("kind", KEYS)
def test_a_transaction_is_signed_by_every_kind_of_key_that_fabric_takes(kind: str) -> None:
    key = KEYS[kind]()
    fake = FakeGateway(echo)
    identity = identity_of(key)
    gateway = Gateway(fake, identity=identity, signer=pem_signer(pem(key)))
    assert gateway.network(CHANNEL).contract(CHAINCODE).submit("put", "a") == b"a"
    (envelope,) = fake.submitted
    verify(parse_identity(identity).public_key, envelope.signature, envelope.payload)


def test_an_encrypted_key_needs_its_password() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = pem(key, b"secret")
    digest = hashlib.sha256(b"message").digest()
    verify(key.public_key(), pem_signer(sealed, b"secret")(digest), b"message")
    for password in (None, b"other"):
        with pytest.raises(ValueError, match="private key"):
            pem_signer(sealed, password)


@pytest.mark.parametrize("data", [b"", b"no key", pem(rsa.generate_private_key(65537, 2048))])
def test_other_keys_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="private key"):
        pem_signer(data)


def test_an_identity_with_another_kind_of_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="ECDSA or Ed25519"):
        Gateway(FakeGateway(echo), identity=identity_of(rsa.generate_private_key(65537, 2048)))


@given(st.binary(min_size=32, max_size=32))
def test_what_any_callable_signs_goes_out_in_low_s_form(digest: bytes) -> None:
    fake = FakeGateway(echo)
    order = curve_order(fake.client.key.curve)

    def high_s(content: bytes) -> bytes:
        r, s = decode_dss_signature(sign_digest(fake.client.key, content))
        return encode_dss_signature(r, order - s)

    gateway = Gateway(fake, identity=fake.client.serialized, signer=high_s)
    signature = gateway._connection.sign(digest)
    assert decode_dss_signature(signature)[1] <= order // 2
    verify(fake.client.key.public_key(), signature, digest)


@pytest.mark.parametrize("answer", [None, "text", b"", b"no signature"])
def test_what_is_no_signature_is_never_sent(answer: object) -> None:
    fake = FakeGateway(echo)
    gateway = Gateway(fake, identity=fake.client.serialized, signer=lambda digest: answer)  # type: ignore[arg-type,return-value]
    with pytest.raises(SigningError) as caught:
        gateway.network(CHANNEL).contract(CHAINCODE).evaluate("f")
    assert caught.value.code == "SIGNATURE_INVALID"
    assert fake.requests == []


def test_a_signer_that_fails_is_a_signing_error() -> None:
    fake = FakeGateway(echo)

    def broken(digest: bytes) -> bytes:
        raise OSError("the card was pulled out")

    gateway = Gateway(fake, identity=fake.client.serialized, signer=broken)
    with pytest.raises(SigningError) as caught:
        gateway.network(CHANNEL).contract(CHAINCODE).submit("f")
    assert caught.value.code == "SIGNER_FAILED"
    assert isinstance(caught.value.__cause__, OSError)
