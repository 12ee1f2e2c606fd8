from dataclasses import replace

import pytest
from fabric_protos.common import policies_pb2
from fabric_protos.peer import collection_pb2
from support.sample_organizations import SampleOrganization, manager

from fabric_protocol.collections import (
    Collection,
    collection_package,
    implicit_collection,
    is_implicit,
    is_member,
    read_collections,
)
from fabric_protocol.errors import ConfigError
from fabric_protocol.policy_building import application_policy
from fabric_protocol.policy_language import parse_policy

ALPHA, BETA = SampleOrganization("AlphaMSP"), SampleOrganization("BetaMSP")
OWN = Collection(
    name="custodian-AlphaMSP",
    member_orgs_policy=parse_policy("OR('AlphaMSP.member')"),
    endorsement_policy=application_policy("OR('AlphaMSP.peer')"),
)
SHARED = Collection(
    name="shared_1",
    member_orgs_policy=parse_policy("OR('AlphaMSP.member','BetaMSP.member')"),
    member_only_read=False,
    block_to_live=7,
    required_peer_count=1,
    maximum_peer_count=2,
)


def test_collections_read_back_in_order() -> None:
    package = collection_package([OWN, SHARED])
    assert read_collections(package.SerializeToString()) == (OWN, SHARED)
    static = package.config[0].static_collection_config
    assert (static.member_only_read, static.member_only_write) == (True, True)
    assert static.endorsement_policy.SerializeToString() == OWN.endorsement_policy
    assert not package.config[1].static_collection_config.HasField("endorsement_policy")


def test_no_collections_are_no_bytes() -> None:
    assert read_collections(b"") == ()
    assert collection_package([]).SerializeToString() == b""


def test_members_belong_to_the_member_organizations() -> None:
    msps = manager(ALPHA, BETA)
    alpha, beta = ALPHA.member("client").identity, BETA.member("peer").identity
    assert is_member(OWN, alpha, msps)
    assert not is_member(OWN, beta, msps)
    assert is_member(SHARED, beta, msps)
    assert not is_member(OWN, SampleOrganization("AlphaMSP").member("client").identity, msps)
    assert not is_member(OWN, ALPHA.member("client", "admin").identity, msps)


def test_implicit_collections() -> None:
    implicit = implicit_collection("AlphaMSP")
    assert implicit.name == "_implicit_org_AlphaMSP"
    assert is_implicit(implicit.name)
    assert not is_implicit(OWN.name)
    assert not implicit.member_only_read
    assert is_member(implicit, ALPHA.member("client").identity, manager(ALPHA, BETA))
    assert not is_member(implicit, BETA.member("client").identity, manager(ALPHA, BETA))
    with pytest.raises(ConfigError):
        collection_package([implicit])


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "_hidden"},
        {"name": "has space"},
        {"name": "a/b"},
        {"member_orgs_policy": parse_policy("AND('A.member','B.member')")},
        {"member_orgs_policy": parse_policy("OR('A.member', AND('A.member','B.member'))")},
        {"member_orgs_policy": parse_policy("OutOf(0, 'A.member')")},
        {"member_orgs_policy": policies_pb2.SignaturePolicyEnvelope()},
        {"member_orgs_policy": policies_pb2.SignaturePolicyEnvelope(rule={"signed_by": 0})},
        {"block_to_live": -1},
        {"required_peer_count": 1},
        {"required_peer_count": -1},
    ],
)
def test_what_makes_no_collection_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        replace(OWN, **fields)
    assert caught.value.code == "COLLECTION_INVALID"


def test_packages_that_do_not_fit_are_refused() -> None:
    bad_policy = replace(OWN, endorsement_policy=b"\xff")
    for build in (
        lambda: collection_package([OWN, OWN]),
        lambda: collection_package([bad_policy]),
        lambda: read_collections(b"\xff"),
        lambda: read_collections(None),
        lambda: read_collections(
            collection_pb2.CollectionConfigPackage(
                config=[collection_pb2.CollectionConfig()]
            ).SerializeToString()
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            build()
        assert caught.value.code == "COLLECTION_INVALID"
