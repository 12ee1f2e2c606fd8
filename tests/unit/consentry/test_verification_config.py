"""Chains whose configuration changes: each change is proved by its administrators' signatures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2, configuration_pb2
from support.chain_members import Member
from support.chains import Chain, Effects
from support.config_changes import config_signer, ordered_change, signed_change, signed_update
from support.sample_organizations import SampleOrganization

from consentry.index import IndexFollower, open_database
from consentry.verification import (
    DifferenceKind,
    Verdict,
    VerificationError,
    VerificationResult,
    Verifier,
    memory_source,
)
from consentry.verification.chain import ChainVerifier
from consentry.verification.ledger_state import MemoryLedgerState
from fabric_protocol.blocks import set_flags
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import with_batch_size, with_implicit_policy, with_revocation_list
from fabric_protocol.config_signing import config_envelope
from fabric_protocol.config_update import propose_config
from fabric_protocol.identities import parse_identity

INVALID_CREATOR = 4


class ChangingChain(Chain):
    """A chain whose organizations have administrators."""

    def __init__(self) -> None:
        super().__init__()
        self.admins = [organization.member("admin0", "admin") for organization in self.organizations.values()]

    def change(self, changed: Any, administrators: Sequence[Member]) -> int:
        """Commit the block that brings a changed configuration; its number."""
        return self.commit([ordered_change(self.config, changed, administrators, self.first.orderer)])

    def forge(self, *envelopes: bytes) -> list[bytes]:
        """The chain with one more block that its orderer made without asking anybody."""
        block = self.order(envelopes)
        set_flags(block, bytes(len(envelopes)))
        return [*self.blocks, block.SerializeToString()]

    def signed_by_orderer(self, config: Any) -> bytes:
        """M(Envelope) of any ConfigEnvelope."""
        envelope: bytes = config_envelope(
            self.channel, config, config_signer(self.first.orderer)
        ).SerializeToString()
        return envelope


def verified(chain: Chain, blocks: list[bytes] | None = None) -> VerificationResult:
    return Verifier().verify([memory_source("A", blocks or chain.blocks)], chain.anchor)


@pytest.fixture(scope="module")
def chain() -> ChangingChain:
    """Batch size, a policy and a revocation, each followed by a transaction."""
    made = ChangingChain()
    first = made.first
    made.change(with_batch_size(made.config.group, max_message_count=7), made.admins)
    made.write({"a": b"1"})
    rule = "ANY Endorsement"
    made.change(
        with_implicit_policy(made.config.group, "/Channel/Application/Endorsement", rule), made.admins
    )
    made.write({"b": b"1"})
    revocations = SampleOrganization(first.msp_id, first.authority).revocation_list(
        [parse_identity(made.client.identity).certificate]
    )
    made.change(with_revocation_list(made.config.group, first.msp_id, revocations), made.admins[:1])
    made.write({"c": b"1"})
    made.write({"d": b"1"}, creator=first.user("user2", "steward"))
    return made


def test_changes_are_verified(chain: ChangingChain) -> None:
    result = verified(chain)

    assert result.verdict is Verdict.PROVED
    assert (result.blocks, result.invalid_transactions) == (9, 1)
    assert result.codes == {"VALID": 8, "BAD_CREATOR_SIGNATURE": 1}
    assert chain.config.sequence == 3
    assert chain.block(7).metadata.metadata[2] == bytes([INVALID_CREATOR])


def test_a_verifier_goes_on_with_the_configuration_in_force(chain: ChangingChain) -> None:
    ledger = MemoryLedgerState()
    first = ChainVerifier(ledger, chain.anchor)
    for data in chain.blocks[:7]:
        first.accept(first.prove(data))
    assert first.position.last_config == 6
    second = ChainVerifier(ledger, chain.anchor, first.position)
    for data in chain.blocks[7:]:
        second.accept(second.prove(data))

    assert second.config.sequence == 3
    assert second.config.max_message_count == 7


def test_the_index_follows_changes(chain: ChangingChain, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    for height in (4, 9):
        source = memory_source("A", chain.blocks[:height])
        assert IndexFollower(engine, "consentry", chain.anchor).follow(source).next_block == height
    engine.dispose()


def test_a_copy_from_before_a_revocation_cannot_be_passed_off_as_the_chain(chain: ChangingChain) -> None:
    """The flags of the revoked user's transaction say VALID: what a dishonest peer would show."""
    block = chain.block(7)
    set_flags(block, b"\x00")
    blocks = [*chain.blocks[:7], block.SerializeToString()]
    difference = verified(chain, blocks).differences[0]

    assert (difference.kind, difference.block) == (DifferenceKind.FLAGS, 7)
    assert (difference.expected, difference.got) == ("BAD_CREATOR_SIGNATURE", "VALID")


def test_hostile_configurations_are_found() -> None:
    """All are signed by the channel's own orderer."""
    made = ChangingChain()
    group = made.config.group
    smaller = with_batch_size(group, max_message_count=7)
    sound, _ = propose_config(made.config, signed_change(made.config, smaller, made.admins))

    other_result = configtx_pb2.ConfigEnvelope()
    other_result.CopyFrom(sound)
    other_result.config.channel_group.CopyFrom(
        with_batch_size(sound.config.channel_group, max_message_count=1)
    )
    without_consent = configtx_pb2.ConfigEnvelope()
    without_consent.CopyFrom(sound)
    without_consent.last_update.CopyFrom(signed_change(made.config, smaller, made.admins[:1]))
    elsewhere = configtx_pb2.ConfigEnvelope()
    elsewhere.CopyFrom(sound)
    elsewhere.last_update.CopyFrom(
        signed_update("elsewhere", compute_update("elsewhere", group, smaller), made.admins)
    )
    wrong_version = configtx_pb2.ConfigEnvelope()
    wrong_version.CopyFrom(sound)
    update = compute_update(made.channel, group, smaller)
    update.read_set.version = 5
    wrong_version.last_update.CopyFrom(signed_update(made.channel, update, made.admins))
    for forged, reason in (
        (other_result, "did not produce the supplied config result"),
        (without_consent, "BatchSize not satisfied"),
        (elsewhere, "ConfigUpdate for channel 'elsewhere'"),
        (wrong_version, "be at version 5, but it is currently at version 0"),
    ):
        result = verified(made, made.forge(made.signed_by_orderer(forged)))
        assert result.verdict is Verdict.DIFFERS
        difference = result.differences[0]
        assert (difference.kind, difference.block) == (DifferenceKind.CONFIGURATION, 2)
        assert reason in difference.got


def test_an_update_cannot_be_used_twice() -> None:
    made = ChangingChain()
    entry = ordered_change(
        made.config,
        with_batch_size(made.config.group, max_message_count=7),
        made.admins,
        made.first.orderer,
    )
    made.commit([entry])
    difference = verified(made, made.forge(entry)).differences[0]
    assert difference.kind is DifferenceKind.CONFIGURATION
    assert "currently at sequence 1" in difference.got


def test_a_configuration_hidden_among_transactions() -> None:
    made = ChangingChain()
    entry = ordered_change(
        made.config, with_batch_size(made.config.group, max_message_count=7), made.admins, made.first.orderer
    )
    blocks = made.forge(made.transaction(Effects(writes={"a": b"1"})), entry)
    assert verified(made, blocks).differences[0].block == 2


def test_the_configuration_that_a_later_block_names() -> None:
    made = ChangingChain()
    made.change(with_batch_size(made.config.group, max_message_count=7), made.admins)
    made.last_config = 0
    made.write({"a": b"1"})
    difference = verified(made).differences[0]
    assert (difference.kind, difference.block) == (DifferenceKind.METADATA, 3)


def test_a_configuration_of_a_newer_fabric_is_beyond_this_release() -> None:
    made = ChangingChain()
    changed = configtx_pb2.ConfigGroup()
    changed.CopyFrom(made.config.group)
    capabilities = configuration_pb2.Capabilities(capabilities={"V9_9": configuration_pb2.Capability()})
    changed.values["Capabilities"].value = capabilities.SerializeToString()
    envelope = signed_change(made.config, changed, made.admins)
    # The orderer is of that newer Fabric: it computes what this release would refuse to.
    changed.values["Capabilities"].version = 1
    config = configtx_pb2.Config(sequence=1, channel_group=changed)
    entry = made.signed_by_orderer(configtx_pb2.ConfigEnvelope(config=config, last_update=envelope))

    with pytest.raises(VerificationError, match=r"Block 2 sets a configuration .*0 to 1 hold") as caught:
        verified(made, made.forge(entry))
    assert caught.value.code == "CAPABILITY_UNKNOWN"


def test_an_administrators_envelope_is_no_block_of_its_own() -> None:
    """CONFIG_UPDATE is what orderers are sent; in a block it is not supported."""
    made = ChangingChain()
    smaller = with_batch_size(made.config.group, max_message_count=7)
    envelope: common_pb2.Envelope = signed_change(made.config, smaller, made.admins)
    number = made.commit([envelope.SerializeToString()])

    assert made.config.sequence == 0
    assert verified(made).verdict is Verdict.PROVED
    assert verified(made).codes["UNSUPPORTED_TX_PAYLOAD"] == 1
    assert number == 2
