"""What a channel's configuration tells a consensus implementation.

Source: fabric-behaviour §11.2, §11.3 (`orderer/etcdraft/configuration.proto`,
`orderer/smartbft/configuration.proto`, `common/policies/bft.go`); most values as in Fabric's sample.
"""

from typing import Any

from fabric_protos.common import configuration_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ConfigError
from fabric_protocol.identities import serialize_identity
from fabric_protocol.ordering_config import Consenter, OrderingConfig
from fabric_protocol.policy_building import signed_by_identities


def raft_metadata(ordering: OrderingConfig) -> bytes:
    """M(etcdraft.ConfigMetadata) for these consenters."""
    metadata = etcdraft_pb2.ConfigMetadata(
        consenters=raft_consenters(ordering),
        options=etcdraft_pb2.Options(
            tick_interval="200ms",
            election_tick=10,
            heartbeat_tick=1,
            max_inflight_blocks=5,
            snapshot_interval_size=16 * 2**20,
        ),
    )
    serialized: bytes = metadata.SerializeToString(deterministic=True)
    return serialized


def raft_consenters(ordering: OrderingConfig) -> list[Any]:
    """The nodes (etcdraft.Consenter) that a Raft channel's metadata names."""
    return [
        etcdraft_pb2.Consenter(
            host=consenter.host,
            port=consenter.port,
            client_tls_cert=consenter.client_tls_certificate,
            server_tls_cert=consenter.server_tls_certificate,
        )
        for consenter in ordering.consenters
    ]


def bft_metadata(ordering: OrderingConfig) -> bytes:
    """M(smartbft.Options); count and bytes of a block come from BatchSize, its time from batch_timeout.

    Shorter than in Fabric's sample: a silent leader is replaced within seconds, not within a minute.
    """
    options = smartbft_pb2.Options(
        request_batch_max_interval=ordering.batch_timeout,
        request_max_bytes=ordering.absolute_max_bytes,
        incoming_message_buffer_size=200,
        request_pool_size=100_000,
        request_forward_timeout="1s",
        request_complain_timeout="5s",
        request_auto_remove_timeout="3m",
        view_change_resend_interval="2s",
        view_change_timeout="10s",
        leader_heartbeat_timeout="10s",
        leader_heartbeat_count=10,
        collect_timeout="1s",
    )
    serialized: bytes = options.SerializeToString(deterministic=True)
    return serialized


def consenter_mapping(ordering: OrderingConfig) -> Any:
    """The Orderers value of a BFT channel."""
    return configuration_pb2.Orderers(
        consenter_mapping=[
            configuration_pb2.Consenter(
                id=consenter.consenter_id,
                host=consenter.host,
                port=consenter.port,
                msp_id=consenter.msp_id,
                identity=consenter.identity,
                client_tls_cert=consenter.client_tls_certificate,
                server_tls_cert=consenter.server_tls_certificate,
            )
            for consenter in ordering.consenters
        ]
    )


def bft_block_validation(ordering: OrderingConfig) -> Any:
    """The policy that a BFT channel must have for block signatures (SignaturePolicyEnvelope)."""
    identities = [serialize_identity(node.msp_id, node.identity) for node in ordering.consenters]
    return signed_by_identities(bft_quorum(len(identities)), identities)


def bft_quorum(consenters: int) -> int:
    """How many of n consenters sign a block: ⌈(n + f + 1) / 2⌉ with f = ⌊(n - 1) / 3⌋."""
    faulty = (consenters - 1) // 3
    return (consenters + faulty + 2) // 2


def read_consenters(consensus: str, metadata: bytes, orderers: bytes | None) -> tuple[Consenter, ...]:
    """The ordering nodes of a configuration.

    Parameters:
        consensus: ConsensusType.type.
        metadata: ConsensusType.metadata.
        orderers: the Orderers value, where the channel has one.

    Raises:
        ConfigError: CHANNEL_CONFIG_INVALID.
    """
    try:
        if orderers is not None:
            return tuple(
                Consenter(
                    node.host, node.port, node.client_tls_cert, node.server_tls_cert,
                    node.id, node.msp_id, node.identity,
                )
                for node in configuration_pb2.Orderers.FromString(orderers).consenter_mapping
            )  # fmt: skip
        if consensus != "etcdraft":
            return ()
        return tuple(
            Consenter(node.host, node.port, node.client_tls_cert, node.server_tls_cert, number)
            for number, node in enumerate(etcdraft_pb2.ConfigMetadata.FromString(metadata).consenters, 1)
        )
    except DecodeError:
        raise ConfigError("CHANNEL_CONFIG_INVALID", "the consensus metadata cannot be read") from None
