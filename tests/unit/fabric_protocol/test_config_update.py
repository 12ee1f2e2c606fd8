"""Changes of a channel's configuration: who may make them, and what comes of them."""

from collections.abc import Callable
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from support.config_changes import config_signer, signed_change, signed_update
from support.sample_channel import CHANNEL, members, sample_config
from support.sample_organizations import Member, SampleOrganization

from fabric_protocol.channel_config import OrganizationConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_editing import (
    with_batch_size,
    with_implicit_policy,
    with_organization,
    with_revocation_list,
    with_signature_policy,
)
from fabric_protocol.config_elements import config_elements, config_tree
from fabric_protocol.config_signing import sign_update, update_envelope
from fabric_protocol.config_update import apply_config, authorize_update, propose_config
from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import parse_identity
from fabric_protocol.policies import parse_policy

MSP_IDS = ("AlphaMSP", "BetaMSP", "GammaMSP")
CURRENT = sample_config(*MSP_IDS)
GROUP = CURRENT.group
ADMINS = [members(msp_id).organization.member("admin", name="admin-1") for msp_id in MSP_IDS]
SMALLER = with_batch_size(GROUP, max_message_count=7)
BATCH_SIZE = "[Value]  /Channel/Orderer/BatchSize"


def refusal(work: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        work()
    return caught.value.code, str(caught.value).removeprefix("error authorizing update: ")


def update_to(changed: Any) -> Any:
    return compute_update(CHANNEL, GROUP, changed)


def proposed(update: Any, administrators: list[Member] = ADMINS) -> Any:
    return propose_config(CURRENT, signed_update(CHANNEL, update, administrators))


def test_a_majority_of_administrators_changes_the_batch_size() -> None:
    envelope = signed_change(CURRENT, SMALLER, ADMINS[:2])
    config, found = propose_config(CURRENT, envelope)

    assert (found.sequence, found.max_message_count) == (1, 7)
    assert config.last_update == envelope
    elements = config_elements(config.config.channel_group)
    changed = {path for path, element in elements.items() if element.message.version}
    assert changed == {BATCH_SIZE}
    assert apply_config(CURRENT, config).group == found.group


def test_changes_follow_one_another() -> None:
    _, first = propose_config(CURRENT, signed_change(CURRENT, SMALLER, ADMINS))
    larger = with_batch_size(first.group, max_message_count=9)
    config, second = propose_config(first, signed_change(first, larger, ADMINS))

    assert (second.sequence, second.max_message_count) == (2, 9)
    assert config_elements(second.group)[BATCH_SIZE].message.version == 2
    assert refusal(lambda: apply_config(CURRENT, config))[0] == "CONFIG_SEQUENCE_WRONG"
    code, text = refusal(lambda: propose_config(first, signed_change(CURRENT, SMALLER, ADMINS)))
    assert (code, text) == (
        "CONFIG_VERSION_CONFLICT",
        f"error validating DeltaSet: attempt to set key {BATCH_SIZE} to version 1, but key is at version 1",
    )


def test_a_revoked_member_is_refused_from_the_new_configuration_on() -> None:
    revoked, other = members("AlphaMSP").client, members("BetaMSP").client
    revocations = members("AlphaMSP").organization.revocation_list([revoked.certificate])
    changed = with_revocation_list(GROUP, "AlphaMSP", revocations)
    # An organization's MSP is its own affair: its administrator alone may change it.
    _, found = propose_config(CURRENT, signed_change(CURRENT, changed, ADMINS[:1]))

    identity = CURRENT.msps.deserialize(revoked.serialized)
    CURRENT.msps.validate(identity)
    with pytest.raises(IdentityError):
        found.msps.validate(found.msps.deserialize(revoked.serialized))
    found.msps.validate(found.msps.deserialize(other.serialized))
    assert refusal(lambda: propose_config(CURRENT, signed_change(CURRENT, changed, ADMINS[1:])))[0] == (
        "CONFIG_POLICY_UNSATISFIED"
    )


def test_a_later_revocation_list_replaces_the_one_before() -> None:
    alpha = members("AlphaMSP")
    once = with_revocation_list(
        GROUP, "AlphaMSP", alpha.organization.revocation_list([alpha.client.certificate])
    )
    both = alpha.organization.revocation_list([alpha.client.certificate, alpha.peer.certificate])
    twice = with_revocation_list(once, "AlphaMSP", both)

    assert twice == with_revocation_list(GROUP, "AlphaMSP", both)
    assert refusal(lambda: with_revocation_list(GROUP, "NobodyMSP", both))[0] == "ORGANIZATION_UNKNOWN"


def test_an_added_organization_is_known_and_may_write() -> None:
    delta = SampleOrganization("DeltaMSP")
    entry = OrganizationConfig("delta", "DeltaMSP", delta.msp_config(), ("localhost:7050",))
    _, found = propose_config(CURRENT, signed_change(CURRENT, with_organization(GROUP, entry), ADMINS))

    client = delta.member("client")
    with pytest.raises(IdentityError):
        CURRENT.msps.deserialize(client.serialized)
    assert ("delta", "DeltaMSP") in found.organizations
    assert found.policies.policy("/Channel/Writers").evaluate([client.signed(b"data")])
    assert refusal(lambda: with_organization(found.group, entry))[0] == "CHANNEL_CONFIG_INVALID"


def test_policies_can_be_changed() -> None:
    changed = with_implicit_policy(GROUP, "/Channel/Application/Endorsement", "ANY Endorsement")
    changed = with_signature_policy(
        changed, "/Channel/Application/Writers", parse_policy("OR('BetaMSP.client')")
    )
    _, found = propose_config(CURRENT, signed_change(CURRENT, changed, ADMINS))

    writers = found.policies.policy("/Channel/Application/Writers")
    assert writers.evaluate_identities([members("BetaMSP").client.identity])
    assert not writers.evaluate_identities([members("AlphaMSP").client.identity])
    endorsement = found.policies.policy("/Channel/Application/Endorsement")
    assert endorsement.evaluate_identities([members("AlphaMSP").peer.identity])
    assert refusal(lambda: with_implicit_policy(GROUP, "/Channel/No/Writers", "ANY"))[0] == (
        "CONFIG_PATH_UNKNOWN"
    )


def test_an_organization_leaves() -> None:
    changed = configtx_pb2.ConfigGroup()
    changed.CopyFrom(GROUP)
    for part in ("Application", "Orderer"):
        del changed.groups[part].groups["gamma"]
    _, found = propose_config(CURRENT, signed_change(CURRENT, changed, ADMINS[:2]))

    assert [name for name, _ in found.organizations] == ["alpha", "beta"]


def test_nothing_to_change() -> None:
    assert refusal(lambda: compute_update(CHANNEL, GROUP, GROUP))[0] == "CONFIG_UNCHANGED"
    empty = configtx_pb2.ConfigUpdate(channel_id=CHANNEL, read_set=GROUP, write_set=GROUP)
    assert refusal(lambda: proposed(empty)) == (
        "CONFIG_UPDATE_INVALID",
        "error validating DeltaSet: delta set was empty -- update would have no effect",
    )
    assert (
        refusal(lambda: proposed(configtx_pb2.ConfigUpdate(channel_id=CHANNEL)))[0] == "CONFIG_UPDATE_INVALID"
    )


def test_too_few_or_wrong_signatures() -> None:
    client = members("AlphaMSP").client
    for signers in (ADMINS[:1], [ADMINS[0]] * 3, [client, *ADMINS[:1]]):
        assert refusal(lambda signers=signers: proposed(update_to(SMALLER), signers)) == (  # type: ignore[misc]
            "CONFIG_POLICY_UNSATISFIED",
            f"error validating DeltaSet: policy for {BATCH_SIZE} not satisfied: implicit policy evaluation "
            "failed - 1 sub-policies were satisfied, but this policy requires 2 of the 'Admins' sub-policies "
            "to be satisfied",
        )


def test_a_signature_is_over_header_and_update() -> None:
    data = update_to(SMALLER).SerializeToString()
    other = update_to(with_batch_size(GROUP, max_message_count=8)).SerializeToString()
    sender = config_signer(ADMINS[0])
    of_other = [sign_update(other, config_signer(admin)) for admin in ADMINS]
    swapped = [sign_update(data, config_signer(admin)) for admin in ADMINS]
    for signature, other_signature in zip(swapped, of_other, strict=True):
        signature.signature_header = other_signature.signature_header

    for signatures in (of_other, swapped):
        envelope = update_envelope(CHANNEL, data, signatures, sender)
        assert refusal(lambda envelope=envelope: propose_config(CURRENT, envelope))[0] == (  # type: ignore[misc]
            "CONFIG_POLICY_UNSATISFIED"
        )


def test_another_channels_update() -> None:
    update = compute_update("elsewhere", GROUP, SMALLER)
    assert refusal(lambda: proposed(update)) == (
        "CONFIG_UPDATE_INVALID",
        "ConfigUpdate for channel 'elsewhere' but envelope for channel 'sample'",
    )


def _read_wrong_version(update: Any) -> None:
    update.read_set.groups["Orderer"].version = 3


def _read_unknown(update: Any) -> None:
    update.read_set.values["Unknown"].version = 0


def _skip_a_version(update: Any) -> None:
    update.write_set.groups["Orderer"].values["BatchSize"].version = 2


def _new_with_version(update: Any) -> None:
    update.write_set.groups["Orderer"].values["New"].version = 1
    update.write_set.groups["Orderer"].values["New"].mod_policy = "Admins"


def _no_policy(update: Any) -> None:
    update.write_set.groups["Orderer"].values["BatchSize"].mod_policy = ""


def _policy_with_spaces(update: Any) -> None:
    update.write_set.groups["Orderer"].values["BatchSize"].mod_policy = "/Channel/Ad mins"


def _illegal_name(update: Any) -> None:
    update.write_set.groups["Orderer"].values[".."].version = 0


def _illegal_group_name(update: Any) -> None:
    update.write_set.groups["a/b"].version = 0


@pytest.mark.parametrize(
    ("damage", "code", "text"),
    [
        (_read_wrong_version, "CONFIG_VERSION_CONFLICT", "be at version 3, but it is currently at version 0"),
        (_read_unknown, "CONFIG_VERSION_CONFLICT", "[Value]  /Channel/Unknown but was in the read set"),
        (_skip_a_version, "CONFIG_VERSION_CONFLICT", "to version 2, but key is at version 0"),
        (_new_with_version, "CONFIG_VERSION_CONFLICT", "to version 1, but key does not exist"),
        (
            _no_policy,
            "CONFIG_UPDATE_INVALID",
            f"invalid mod_policy for element {BATCH_SIZE}: mod_policy not set",
        ),
        (_policy_with_spaces, "CONFIG_UPDATE_INVALID", "path element at 1 is invalid"),
        (_illegal_name, "CONFIG_UPDATE_INVALID", "illegal characters in key"),
        (_illegal_group_name, "CONFIG_UPDATE_INVALID", "illegal characters in key"),
    ],
)
def test_updates_that_do_not_fit(damage: Callable[[Any], None], code: str, text: str) -> None:
    update = update_to(SMALLER)
    damage(update)
    found = refusal(lambda: proposed(update))
    assert found[0] == code
    assert text in found[1]


def test_the_policy_in_force_counts_not_the_one_that_the_update_brings() -> None:
    changed = configtx_pb2.ConfigGroup()
    changed.CopyFrom(SMALLER)
    changed.groups["Orderer"].values["BatchSize"].mod_policy = "/Channel/Readers"

    assert refusal(lambda: proposed(update_to(changed), ADMINS[:1]))[0] == "CONFIG_POLICY_UNSATISFIED"
    _, found = proposed(update_to(changed), ADMINS[:2])
    again = with_batch_size(found.group, max_message_count=8)
    assert propose_config(found, signed_change(found, again, ADMINS[:1]))[1].max_message_count == 8


def test_a_policy_that_does_not_exist_refuses() -> None:
    changed = configtx_pb2.ConfigGroup()
    changed.CopyFrom(SMALLER)
    changed.groups["Orderer"].values["BatchSize"].mod_policy = "Nobody"
    _, found = proposed(update_to(changed))
    again = with_batch_size(found.group, max_message_count=8)

    code, text = refusal(lambda: propose_config(found, signed_change(found, again, ADMINS)))
    assert code == "CONFIG_POLICY_UNSATISFIED"
    assert text.endswith(f"unexpected missing policy Nobody for item {BATCH_SIZE}")


def test_results_that_nodes_refuse() -> None:
    broken = with_batch_size(GROUP, max_message_count=0)
    renamed = configtx_pb2.ConfigGroup()
    renamed.CopyFrom(GROUP)
    other = SampleOrganization("OmegaMSP").msp_config().SerializeToString()
    for part in ("Application", "Orderer"):
        renamed.groups[part].groups["alpha"].values["MSP"].value = other
    unsupported = configtx_pb2.ConfigGroup()
    unsupported.CopyFrom(GROUP)
    del unsupported.groups["Orderer"].values["Capabilities"]

    for changed, text in (
        (broken, "max message count to an invalid value: 0"),
        (renamed, "orderer org alpha attempted to change MSP ID from AlphaMSP to OmegaMSP"),
        (unsupported, "without orderer support first"),
    ):
        code, found = refusal(lambda changed=changed: proposed(update_to(changed)))  # type: ignore[misc]
        assert code == "CHANNEL_CONFIG_INVALID"
        assert text in found


def test_a_configuration_must_be_what_its_last_update_gives() -> None:
    config, _ = proposed(update_to(SMALLER))

    def forged(change: Callable[[Any], None]) -> str:
        copy = configtx_pb2.ConfigEnvelope()
        copy.CopyFrom(config)
        change(copy)
        return refusal(lambda: apply_config(CURRENT, copy))[0]

    def other_result(copy: Any) -> None:
        copy.config.channel_group.CopyFrom(with_batch_size(copy.config.channel_group, max_message_count=8))

    def other_update(copy: Any) -> None:
        copy.last_update.CopyFrom(signed_change(CURRENT, with_batch_size(GROUP, max_message_count=8), ADMINS))

    def unsigned_update(copy: Any) -> None:
        copy.last_update.CopyFrom(signed_change(CURRENT, SMALLER, ADMINS[:1]))

    def other_type(copy: Any) -> None:
        payload = common_pb2.Payload.FromString(copy.last_update.payload)
        payload.header.channel_header = common_pb2.ChannelHeader(type=3).SerializeToString()
        copy.last_update.payload = payload.SerializeToString()

    def unreadable(copy: Any) -> None:
        copy.last_update.payload = b"\xff"

    assert forged(other_result) == "CONFIG_RESULT_WRONG"
    assert forged(other_update) == "CONFIG_RESULT_WRONG"
    assert forged(unsigned_update) == "CONFIG_POLICY_UNSATISFIED"
    assert forged(lambda copy: copy.ClearField("last_update")) == "CONFIG_UPDATE_INVALID"
    assert forged(lambda copy: copy.ClearField("config")) == "CONFIG_UPDATE_INVALID"
    assert forged(other_type) == "CONFIG_UPDATE_INVALID"
    assert forged(unreadable) == "CONFIG_UPDATE_INVALID"
    assert forged(lambda copy: setattr(copy.config, "sequence", 2)) == "CONFIG_SEQUENCE_WRONG"


def test_elements_nobody_could_change_are_repaired_with_the_next_update() -> None:
    old = configtx_pb2.ConfigGroup()
    old.CopyFrom(GROUP)
    old.groups["Application"].mod_policy = ""
    old.groups["Orderer"].values["BatchTimeout"].mod_policy = ""

    tree = config_tree(config_elements(old))
    assert tree.groups["Application"].mod_policy == "Admins"
    assert tree == GROUP
    del old.groups["Orderer"].values["Capabilities"]
    assert config_tree(config_elements(old)) == old


def test_unreadable_updates() -> None:
    signature = configtx_pb2.ConfigSignature(signature_header=b"\xff")
    data = update_to(SMALLER).SerializeToString()
    for envelope in (
        configtx_pb2.ConfigUpdateEnvelope(config_update=b"\xff"),
        configtx_pb2.ConfigUpdateEnvelope(config_update=data, signatures=[signature]),
    ):
        assert refusal(lambda envelope=envelope: authorize_update(CURRENT, envelope))[0] == (  # type: ignore[misc]
            "CONFIG_UPDATE_INVALID"
        )


def test_the_sender_is_not_a_signer() -> None:
    data = update_to(SMALLER).SerializeToString()
    signatures = [sign_update(data, config_signer(ADMINS[1]))]
    envelope = update_envelope(CHANNEL, data, signatures, config_signer(ADMINS[0]))

    assert refusal(lambda: propose_config(CURRENT, envelope))[0] == "CONFIG_POLICY_UNSATISFIED"
    payload = common_pb2.Payload.FromString(envelope.payload)
    creator = common_pb2.SignatureHeader.FromString(payload.header.signature_header).creator
    assert parse_identity(creator).key == ADMINS[0].identity.key
