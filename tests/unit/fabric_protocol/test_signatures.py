import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric_protocol.errors import SignatureError
from fabric_protocol.signatures import curve_order, key_signer, sign, sign_digest, to_low_s, verify

P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()


def high_s(signature: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, curve_order(key.curve) - s)


@settings(max_examples=50)
@given(message=st.binary(max_size=200), key=st.sampled_from([P256, P384, ED25519]))
def test_what_is_signed_verifies_and_nothing_else_does(
    message: bytes, key: ec.EllipticCurvePrivateKey
) -> None:
    signature = sign(key, message)
    verify(key.public_key(), signature, message)
    with pytest.raises(SignatureError) as caught:
        verify(key.public_key(), signature, message + b"\x00")
    assert caught.value.code == "INVALID_SIGNATURE"


@settings(max_examples=50)
@given(message=st.binary(max_size=200), key=st.sampled_from([P256, P384]))
def test_signatures_are_low_s_and_their_high_s_twins_are_refused(
    message: bytes, key: ec.EllipticCurvePrivateKey
) -> None:
    signature = sign(key, message)
    assert decode_dss_signature(signature)[1] <= curve_order(key.curve) // 2
    twin = high_s(signature, key)
    with pytest.raises(SignatureError, match=r"Invalid S\. Must be smaller than half the order") as caught:
        verify(key.public_key(), twin, message)
    assert caught.value.code == "HIGH_S_SIGNATURE"
    assert to_low_s(twin, key.curve) == signature


@given(r=st.integers(1, 2**255), s=st.integers(1, curve_order(ec.SECP256R1()) - 1))
def test_low_s_is_idempotent_and_keeps_r(r: int, s: int) -> None:
    order = curve_order(ec.SECP256R1())
    once = to_low_s(encode_dss_signature(r, s), ec.SECP256R1())
    assert to_low_s(once, ec.SECP256R1()) == once
    assert decode_dss_signature(once) == (r, min(s, order - s))


def test_half_the_order_itself_is_low() -> None:
    half = curve_order(ec.SECP256R1()) >> 1
    assert to_low_s(encode_dss_signature(1, half), ec.SECP256R1()) == encode_dss_signature(1, half)
    assert decode_dss_signature(to_low_s(encode_dss_signature(1, half + 1), ec.SECP256R1()))[1] == half


@pytest.mark.parametrize("curve", [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()])
def test_curve_orders_are_those_of_the_curves(curve: ec.EllipticCurve) -> None:
    order = curve_order(curve)
    assert ec.derive_private_key(order - 1, curve).private_numbers().private_value == order - 1
    with pytest.raises(ValueError, match="key"):
        ec.derive_private_key(order, curve)


def test_a_digest_signed_is_the_message_signed() -> None:
    digest = hashlib.sha256(b"message").digest()
    verify(P256.public_key(), sign_digest(P256, digest), b"message")
    verify(P384.public_key(), key_signer(P384)(digest), b"message")


def test_bytes_after_the_two_integers_are_forgiven_as_go_does() -> None:
    signature = sign(P256, b"message")
    verify(P256.public_key(), signature + b"trailing", b"message")
    inside = bytes((0x30, signature[1] + 3)) + signature[2:] + b"\x02\x01\x05"
    verify(P256.public_key(), inside, b"message")


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30",
        b"\x30\x06\x02\x01\x01",
        b"\x31\x06\x02\x01\x01\x02\x01\x01",
        b"\x30\x03\x02\x01\x01",
        b"\x30\x81\x06\x02\x01\x01\x02\x01\x01",
        b"\x30\x07\x02\x02\x00\x01\x02\x01\x01",
        b"\x30\x06\x02\x01\x00\x02\x01\x01",
        b"\x30\x06\x02\x01\xff\x02\x01\x01",
        b"\x30\x05\x02\x00\x02\x01\x01",
        b"\x30\x85\x01\x01\x01\x01\x01\x01",
        b"text",
    ],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        verify(P256.public_key(), signature, b"message")
    assert caught.value.code == "INVALID_SIGNATURE"


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_with_a_signature_error(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(P256.public_key(), signature, b"message")


def test_other_keys_are_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    koblitz = ec.generate_private_key(ec.SECP256K1())
    for attempt in (
        lambda: sign(key, b""),
        lambda: verify(key.public_key(), b"", b""),
        lambda: sign_digest(ED25519, bytes(32)),
        lambda: sign(koblitz, b""),
    ):
        with pytest.raises(SignatureError) as caught:
            attempt()
        assert caught.value.code == "UNSUPPORTED_KEY"


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(SignatureError) as caught:
        sign_digest(P256, b"short")
    assert caught.value.code == "INVALID_DIGEST"
