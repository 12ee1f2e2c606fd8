"""Keys in a hardware security module, by SoftHSM's token."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from support.fake_gateway import CHAINCODE, CHANNEL, FakeGateway
from support.optional_tools import find_optional_tool
from support.sample_organizations import START

from fabric_gateway import Gateway, Pkcs11Signer, SigningError
from fabric_protocol.certificates import certificate_pem, issue
from fabric_protocol.identities import parse_identity, serialize_identity
from fabric_protocol.signatures import verify

PIN = "98765432"
# PrintableString "edwards25519": how PKCS#11 3.0 names the curve.
EDWARDS = b"\x13\x0cedwards25519"
CURVES = {"secp256r1": "steward", "secp384r1": "officer", "ed25519": "researcher"}

pytestmark = pytest.mark.optional_tool("softhsm")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = find_optional_tool("softhsm")
    place = tmp_path_factory.mktemp("tokens")
    configuration = place / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {place}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    # SoftHSM reads its place from the environment when the library is loaded, once a process.
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "hospital",
        "--pin",
        PIN,
        "--so-pin",
        PIN,
    ]
    subprocess.run(command, check=True, capture_output=True)
    yield found
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture(scope="module")
def public_keys(library: str) -> dict[str, object]:
    """Make a key pair of each kind on the token; the public keys."""
    import pkcs11
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

    made: dict[str, object] = {}
    token = pkcs11.lib(library).get_token(token_label="hospital")
    with token.open(user_pin=PIN, rw=True) as session:
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
