"""Keys in a hardware security module, by SoftHSM's token."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from support.fake_gateway import CHAINCODE, CHANNEL, FakeGateway
from support.sample_organizations import START
from support.tokens import PIN, softhsm_library

from fabric_gateway import Gateway, Pkcs11Signer, SigningError, destroy_pkcs11_key, new_pkcs11_key
from fabric_gateway.pkcs11_session import TokenSession
from fabric_protocol.certificates import certificate_pem, issue
from fabric_protocol.identities import parse_identity, serialize_identity
from fabric_protocol.signatures import to_low_s, verify

# PrintableString "edwards25519": how PKCS#11 3.0 names the curve.
EDWARDS = b"\x13\x0cedwards25519"
CURVES = {"secp256r1": "steward", "secp384r1": "officer", "ed25519": "researcher"}

pytestmark = pytest.mark.optional_tool("softhsm")


@pytest.fixture(scope="module")
def library() -> str:
    return softhsm_library()


@pytest.fixture(scope="module")
def public_keys(library: str) -> dict[str, object]:
    """Make a key pair of each kind on the token; the public keys."""
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

    made: dict[str, object] = {}
    with TokenSession(library, "hospital", PIN, writing=True) as session:
        for curve, label in CURVES.items():
            edwards = curve == "ed25519"
            kind = pkcs11.KeyType.EC_EDWARDS if edwards else pkcs11.KeyType.EC
            parameters = session.create_domain_parameters(
                kind,
                {pkcs11.Attribute.EC_PARAMS: EDWARDS if edwards else encode_named_curve_parameters(curve)},
                local=True,
            )
            public, _ = parameters.generate_keypair(store=True, label=label, id=label.encode())
            made[label] = (
                Ed25519PublicKey.from_public_bytes(public[pkcs11.Attribute.EC_POINT][-32:])
                if edwards
                else load_der_public_key(encode_ec_public_key(public))
            )
    return made


def identity_of(public_key: object, fake: FakeGateway) -> bytes:
    authority = fake.organizations[0].authority
    certificate = issue(authority, common_name="somebody", public_key=public_key, start=START)  # type: ignore[arg-type]
    return serialize_identity("AMSP", certificate_pem(certificate))


@pytest.mark.parametrize("label", CURVES.values())
def test_a_transaction_is_signed_on_the_token(
    library: str, public_keys: dict[str, object], label: str
) -> None:
    fake = FakeGateway(lambda call: call.arguments[0])
    identity = identity_of(public_keys[label], fake)
    with Pkcs11Signer(library, "hospital", PIN, key_label=label) as signer:
        contract = Gateway(fake, identity=identity, signer=signer).network(CHANNEL).contract(CHAINCODE)
        # One in two raw signatures is high-S.
        assert [contract.submit("put", str(number)) for number in range(8)] == [b"%d" % n for n in range(8)]
    for envelope in fake.submitted:
        verify(parse_identity(identity).public_key, envelope.signature, envelope.payload)


def test_a_key_is_found_by_its_id(library: str, public_keys: dict[str, object]) -> None:
    with Pkcs11Signer(library, "hospital", PIN, key_id=b"steward") as signer:
        signature = signer(hashlib.sha256(b"message").digest())
    assert signature


@pytest.mark.parametrize(
    ("token", "pin", "label", "code"),
    [
        ("other", PIN, "steward", "HSM_UNAVAILABLE"),
        ("hospital", "11111111", "steward", "HSM_UNAVAILABLE"),
        ("hospital", PIN, "nobody", "HSM_KEY_NOT_FOUND"),
    ],
)
def test_what_does_not_fit_is_told_without_the_pin(
    library: str, public_keys: dict[str, object], token: str, pin: str, label: str, code: str
) -> None:
    with pytest.raises(SigningError) as caught:
        Pkcs11Signer(library, token, pin, key_label=label)
    assert caught.value.code == code
    assert pin not in str(caught.value)


def test_a_library_that_is_none_is_told(tmp_path: Path, library: str) -> None:
    with pytest.raises(SigningError) as caught:
        Pkcs11Signer(tmp_path / "none.so", "hospital", PIN, key_label="steward")
    assert caught.value.code == "HSM_UNAVAILABLE"


def test_a_key_has_to_be_named(library: str) -> None:
    with pytest.raises(ValueError, match="key_label, key_id"):
        Pkcs11Signer(library, "hospital", PIN)


def test_one_token_signs_for_several_until_the_last_is_closed(
    library: str, public_keys: dict[str, object]
) -> None:
    digest = hashlib.sha256(b"message").digest()
    first = Pkcs11Signer(library, "hospital", PIN, key_label="steward")
    second = Pkcs11Signer(library, "hospital", PIN, key_label="officer")
    with pytest.raises(SigningError) as caught:
        Pkcs11Signer(library, "hospital", "11111111", key_label="steward")
    assert caught.value.code == "HSM_UNAVAILABLE"
    first.close()
    first.close()
    assert second(digest)
    second.close()
    with Pkcs11Signer(library, "hospital", PIN, key_label="steward") as signer:
        assert signer(digest)


def test_a_key_is_made_and_destroyed_on_the_token(library: str) -> None:
    public_key = new_pkcs11_key(library, "hospital", PIN, key_label="made-here")
    with Pkcs11Signer(library, "hospital", PIN, key_label="made-here") as signer:
        verify(public_key, to_low_s(signer(hashlib.sha256(b"m").digest()), public_key.curve), b"m")
    with pytest.raises(SigningError) as caught:
        new_pkcs11_key(library, "hospital", PIN, key_label="made-here")
    assert caught.value.code == "HSM_LABEL_TAKEN"
    destroy_pkcs11_key(library, "hospital", PIN, key_label="made-here")
    with pytest.raises(SigningError) as caught:
        Pkcs11Signer(library, "hospital", PIN, key_label="made-here")
    assert caught.value.code == "HSM_KEY_NOT_FOUND"


def test_a_key_that_was_made_never_leaves_the_token(library: str) -> None:
    import pkcs11

    new_pkcs11_key(library, "hospital", PIN, key_label="kept")
    with TokenSession(library, "hospital", PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="kept")
        assert (key[pkcs11.Attribute.SENSITIVE], key[pkcs11.Attribute.EXTRACTABLE]) == (True, False)
        with pytest.raises(pkcs11.PKCS11Error):
            _ = key[pkcs11.Attribute.VALUE]
