"""Proof files: what they prove, and that nothing in them can be changed."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.chains import Chain, Effects
from support.config_changes import ordered_change
from support.proof_files import altered, only_transaction, prove, statement

from consentry.errors import InputRejected
from consentry.proofs import ProofRefused, make_proof, verify_proof
from fabric_protocol.blocks import set_flags
from fabric_protocol.config_editing import with_batch_size

KEY = "grant/grant-1"
RECORD = b'{"custodian":"NorthgateMSP","grant_id":"grant-1"}'


@pytest.fixture(scope="module")
def chain() -> Chain:
    made = Chain()
    made.write({KEY: RECORD})
    return made


@pytest.fixture(scope="module")
def proof(chain: Chain) -> bytes:
    return prove(chain, 2, KEY).data


def test_a_record_is_proved_from_the_anchor(chain: Chain, proof: bytes) -> None:
    found = verify_proof(proof, chain.anchor)
    assert found.is_proved
    assert found.value == RECORD
    assert found.attested_by == tuple(sorted(chain.organizations))
    assert found.signed_by == ("LakesideMSP", "NorthgateMSP", "RegulatorMSP")
    assert found.sentence == (
        f"Proved: {KEY} of consentry on channel consentry was written in block 2 by transaction "
        f"{found.claim.transaction_id}, from the anchor {chain.anchor}."
    )


def test_without_an_anchor_it_only_holds(chain: Chain, proof: bytes) -> None:
    found = verify_proof(proof)
    assert not found.is_proved
    assert found.sentence.startswith("Holds, not anchored: ")
    assert found.sentence.endswith(f"{chain.anchor}.")


def test_another_anchor_is_refused(proof: bytes) -> None:
    with pytest.raises(ProofRefused) as refused:
        verify_proof(proof, "0" * 64)
    assert refused.value.code == "ANCHOR"


@pytest.mark.parametrize("organizations", [(), ("NorthgateMSP", "RegulatorMSP")])
def test_with_too_few_statements_only_the_order_is_proved(
    chain: Chain, organizations: tuple[str, ...]
) -> None:
    made = prove(chain, 2, KEY, organizations)
    assert made.silent == tuple(sorted(set(chain.organizations) - set(organizations)))
    found = verify_proof(made.data, chain.anchor)
    assert not found.is_proved
    assert f"ordering only, not validity ({len(organizations)} of 3" in found.sentence
    assert verify_proof(made.data, chain.anchor, organizations=2).is_proved is bool(organizations)


def test_an_invalid_transaction_is_proved_to_be_one() -> None:
    chain = Chain()
    chain.write({KEY: b"1"})
    late = chain.transaction(Effects(writes={KEY: b"3"}, reads=(KEY,)))
    chain.write({KEY: b"2"})
    number = chain.commit([late])
    found = verify_proof(prove(chain, number, KEY).data, chain.anchor)
    assert found.valid is False
    assert not found.is_proved
    assert "an invalid transaction, which changed nothing" in found.sentence


def test_a_deletion_is_proved_too() -> None:
    chain = Chain()
    chain.write({KEY: b"1"})
    found = verify_proof(prove(chain, chain.write({KEY: b""}), KEY).data, chain.anchor)
    assert found.is_proved
    assert found.value is None


def _change_configuration(chain: Chain, largest: int) -> None:
    changed = with_batch_size(chain.config.group, max_message_count=largest)
    administrators = [entry.member("admin", "admin") for entry in chain.organizations.values()]
    chain.commit([ordered_change(chain.config, changed, administrators, chain.first.orderer)])


def test_every_configuration_on_the_way_is_in_the_file() -> None:
    chain = Chain()
    _change_configuration(chain, 7)
    chain.write({"other": b"1"})
    _change_configuration(chain, 8)
    number = chain.write({KEY: RECORD})
    made = prove(chain, number, KEY)
    found = verify_proof(made.data, chain.anchor)
    assert found.is_proved
    assert [_number(entry) for entry in _content(made.data)["configurations"]] == [0, 2, 4]

    def without_the_first_change(content: Any) -> None:
        del content["configurations"][1]

    def unstated(content: Any) -> None:
        content["configurations"][1]["statements"].clear()

    with pytest.raises(ProofRefused, match="does not hold the next configuration"):
        verify_proof(altered(made.data, without_the_first_change), chain.anchor)
    found = verify_proof(altered(made.data, unstated), chain.anchor)
    assert not found.is_proved
    assert found.unattested == (2,)
    assert "configuration block 2 lacks them" in found.sentence


def test_a_forged_channel_with_the_same_names_is_refused(chain: Chain) -> None:
    forged = Chain()
    forged.write({KEY: RECORD})
    data = prove(forged, 2, KEY).data
    assert verify_proof(data, forged.anchor).is_proved
    with pytest.raises(ProofRefused) as refused:
        verify_proof(data, chain.anchor)
    assert refused.value.code == "ANCHOR"


def test_blocks_of_another_channel_behind_the_true_genesis_are_refused(chain: Chain, proof: bytes) -> None:
    forged = Chain()
    forged.write({KEY: RECORD})
    other = _content(prove(forged, 2, KEY).data)

    def exchange(content: Any) -> None:
        content["block"], content["claim"] = other["block"], other["claim"]

    with pytest.raises(ProofRefused, match="not one of"):
        verify_proof(altered(proof, exchange), chain.anchor)


def test_a_peer_that_states_other_flags_is_found(chain: Chain) -> None:
    lying = common_pb2.Block.FromString(chain.blocks[2])
    set_flags(lying, bytes([11]))

    def ask(msp_id: str, block: int) -> Any:
        stored = lying.SerializeToString() if msp_id == "LakesideMSP" and block == 2 else chain.blocks[block]
        return statement(chain, chain.organizations[msp_id].peer, stored)

    data = make_proof(
        chain.blocks.__getitem__,
        ask,
        chain.organizations,
        channel=chain.channel,
        block=2,
        transaction_id=only_transaction(chain, 2),
        namespace="consentry",
        key=KEY,
    ).data
    with pytest.raises(ProofRefused, match="the peers disagree on block 2"):
        verify_proof(data, chain.anchor)


@pytest.mark.parametrize("kind", ["client", "orderer", "admin"])
def test_only_peers_make_statements(chain: Chain, kind: str) -> None:
    member = chain.first.member("someone", kind)
    made = statement(chain, member, chain.blocks[2])

    def replace(content: Any) -> None:
        content["block"]["statements"] = [{name: value.hex() for name, value in vars(made).items()}]

    with pytest.raises(ProofRefused, match="only a statement by a member's peer counts"):
        verify_proof(altered(prove(chain, 2, KEY).data, replace), chain.anchor)


def test_an_unknown_transaction_is_no_proof(chain: Chain) -> None:
    with pytest.raises(InputRejected) as refused:
        make_proof(
            chain.blocks.__getitem__, lambda *_: None, (),  # type: ignore[arg-type, return-value]
            channel="consentry", block=2, transaction_id="0" * 64, namespace="consentry", key=KEY,
        )  # fmt: skip
    assert refused.value.code == "TRANSACTION_UNKNOWN"


CHANGES: dict[str, Callable[[Any], object]] = {
    "channel": lambda content: content["claim"].update(channel="other"),
    "block": lambda content: content["claim"].update(block=1),
    "transaction": lambda content: content["claim"].update(transaction=1),
    "transaction id": lambda content: content["claim"].update(transaction_id="0" * 64),
    "namespace": lambda content: content["claim"].update(namespace="other"),
    "key": lambda content: content["claim"].update(key="grant/grant-2"),
    "negative": lambda content: content["claim"].update(transaction=-1),
    "not a number": lambda content: content["claim"].update(transaction=False),
    "another field": lambda content: content.update(note=""),
    "a field less": lambda content: content["claim"].pop("key"),
    "format": lambda content: content.update(format="consentry-proof/2"),
    "no configuration": lambda content: content["configurations"].clear(),
    "configuration twice": lambda content: content["configurations"].append(content["configurations"][0]),
    "block as configuration": lambda content: content["configurations"].append(content["block"]),
    "statement twice": lambda content: content["block"]["statements"].append(
        content["block"]["statements"][0]
    ),
    "genesis stated": lambda content: content["configurations"][0]["statements"].append(
        content["block"]["statements"][0]
    ),
    "upper-case hex": lambda content: content["block"].update(data=content["block"]["data"].upper()),
    "no signatures": lambda content: content["block"].update(signatures=""),
    "no block": lambda content: content.update(block=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_other_content_is_refused(chain: Chain, proof: bytes, change: Callable[[Any], object]) -> None:
    with pytest.raises(ProofRefused):
        verify_proof(altered(proof, change), chain.anchor)


@settings(max_examples=120)
@given(data=st.data())
def test_no_byte_in_it_can_be_changed(chain: Chain, proof: bytes, data: st.DataObject) -> None:
    content = _content(proof)
    place, name = data.draw(st.sampled_from(list(_texts(content))), "field")
    position = data.draw(st.integers(0, len(place[name]) // 2 - 1), "byte") * 2
    old = bytes.fromhex(place[name][position : position + 2])[0]
    new = data.draw(st.integers(0, 255).filter(lambda value: value != old), "value")
    place[name] = f"{place[name][:position]}{new:02x}{place[name][position + 2 :]}"
    with pytest.raises(ProofRefused):
        verify_proof(altered(proof, lambda found: found.update(content)), chain.anchor)


@settings(max_examples=60)
@given(data=st.data())
def test_no_file_that_is_damaged_is_read(chain: Chain, proof: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(proof) - 1))
    end = data.draw(st.integers(start + 1, len(proof)))
    put = data.draw(st.binary(max_size=8).filter(lambda value: value != proof[start:end]))
    with pytest.raises(ProofRefused):
        verify_proof(proof[:start] + put + proof[end:], chain.anchor)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        lzma.compress(b"[]"),
        lzma.compress(b"nonsense"),
        lzma.compress(b"[" * 100_000),
        lzma.compress(b"{}") + b"more",
        lzma.compress(b'{"format": "consentry-proof/1"}'),
    ],
)
def test_what_is_no_proof_file_is_refused(data: bytes) -> None:
    with pytest.raises(ProofRefused) as refused:
        verify_proof(data)
    assert refused.value.code == "FILE"


def test_nobody_at_all_cannot_be_enough(proof: bytes) -> None:
    with pytest.raises(ProofRefused, match="at least one"):
        verify_proof(proof, organizations=0)


def _texts(content: dict[str, Any]) -> Iterator[tuple[dict[str, str], str]]:
    for block in (*content["configurations"], content["block"]):
        yield from ((block, name) for name in ("header", "data", "signatures") if block[name])
        for entry in block["statements"]:
            yield from ((entry, name) for name in entry)


def _content(data: bytes) -> Any:
    return json.loads(lzma.decompress(data))


def _number(entry: dict[str, str]) -> int:
    return int(common_pb2.BlockHeader.FromString(bytes.fromhex(entry["header"])).number)
