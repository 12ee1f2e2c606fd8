"""Wallet files are for their owner, whole, and checked when they are read."""

import json
import stat
from pathlib import Path

import pytest
from support.sample_organizations import SampleOrganization

from consentry.errors import ConfigurationError, InputRejected
from consentry.wallet import Wallet, WalletIdentity
from fabric_protocol.certificates import key_pem, new_private_key
from fabric_protocol.identities import parse_identity
from fabric_protocol.signatures import sign, verify

ORGANIZATION = SampleOrganization("NorthgateMSP")


def identity(**attributes: str) -> WalletIdentity:
    member = ORGANIZATION.member("client", name="a1b2", attributes=attributes)
    return WalletIdentity("NorthgateMSP", member.pem, key_pem(member.key))


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    return Wallet(tmp_path / "wallets" / "northgate")


def test_what_is_put_comes_back(wallet: Wallet) -> None:
    steward = identity()
    assert wallet.labels() == ()
    wallet.put("steward", steward)
    wallet.put("dpo-2", identity())
    assert wallet.labels() == ("dpo-2", "steward")
    assert wallet.get("steward") == steward


def test_files_are_for_their_owner_alone(wallet: Wallet) -> None:
    wallet.put("steward", identity())
    assert [stat.S_IMODE(file.stat().st_mode) for file in wallet.directory.iterdir()] == [0o600]
    assert stat.S_IMODE(wallet.directory.stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_refused(wallet: Wallet) -> None:
    wallet.put("steward", identity())
    (wallet.directory / "steward.json").chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        wallet.get("steward")
    assert caught.value.code == "PATH_EXPOSED"


def test_an_identity_is_replaced_only_when_asked(wallet: Wallet) -> None:
    wallet.put("steward", identity())
    successor = identity()
    with pytest.raises(InputRejected) as caught:
        wallet.put("steward", successor)
    assert caught.value.code == "LABEL_TAKEN"
    wallet.put("steward", successor, replace=True)
    assert wallet.get("steward") == successor
    assert wallet.labels() == ("steward",)
    assert len(list(wallet.directory.iterdir())) == 1


def test_an_unknown_label_names_those_there_are(wallet: Wallet) -> None:
    wallet.put("steward", identity())
    with pytest.raises(InputRejected, match="it has: steward") as caught:
        wallet.get("researcher")
    assert caught.value.code == "IDENTITY_NOT_FOUND"


@pytest.mark.parametrize("label", ["", "../steward", "a/b", "Steward", "-x", "x" * 65, "stéward", ".x"])
def test_labels_stay_inside_the_wallet(wallet: Wallet, label: str) -> None:
    for call in (lambda: wallet.put(label, identity()), lambda: wallet.get(label)):
        with pytest.raises(InputRejected) as caught:
            call()
        assert caught.value.code == "LABEL_INVALID"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": True},
        {"msp_id": ""},
        {"certificate": "no PEM"},
        {"private_key": "no PEM"},
        {"private_key": key_pem(new_private_key()).decode()},
        {"extra": 1},
    ],
)
def test_a_damaged_file_is_refused_without_its_key(wallet: Wallet, change: dict[str, object]) -> None:
    wallet.put("steward", identity())
    path = wallet.directory / "steward.json"
    document = {**json.loads(path.read_bytes()), **change}
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError) as caught:
        wallet.get("steward")
    assert caught.value.code == "WALLET_INVALID"
    assert "PRIVATE KEY" not in str(caught.value)


def test_an_identity_signs_and_knows_its_roles() -> None:
    steward = identity(**{"consentry.role": "steward, dpo"})
    assert steward.roles == {"steward", "dpo"}
    assert steward.enrolment_id == "a1b2"
    parsed = parse_identity(steward.serialized)
    assert parsed.msp_id == "NorthgateMSP"
    verify(parsed.public_key, sign(steward.private_key, b"m"), b"m")
    assert "PRIVATE KEY" not in repr(steward)


def test_no_attribute_is_no_role() -> None:
    assert identity().roles == frozenset()
