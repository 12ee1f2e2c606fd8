"""Changing how a channel reaches consensus: what a Raft ordering node allows, in its own words.

Source: Fabric ``orderer/consensus/etcdraft/{chain,util,membership}.go``,
``orderer/common/msgprocessor/maintenancefilter.go``.
"""

from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from fabric_protos.common import configtx_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.certificate_chains import CertificateTree
from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.durations import parse_go_duration
from fabric_protocol.errors import GO_DECODING, ConfigError, IdentityError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.msp import Msp
from fabric_protocol.ordering_config import BFT, RAFT

_MIGRATING: Final = ("V1_4_2", "V2_0")
_USAGES: Final = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
_GROUP, _VALUE = "Orderer", "ConsensusType"


def check_raft_metadata(current: ChannelConfig, found: ChannelConfig) -> None:
    """Check what a configuration tells Raft: its options, and that at most one consenter changes.

    Parameters:
        current: the configuration in force.
        found: the one that is to follow.

    Raises:
        ConfigError: CONSENSUS_CHANGE_REFUSED, with Fabric's text.
    """
    consensus = consensus_type(found)
    if not consensus.metadata or consensus.type == BFT:
        return
    if consensus.type != RAFT:
        raise _refused(
            f"illegal consensus type detected during consensus metadata validation: {consensus.type}"
        )
    metadata = _metadata(consensus.metadata)
    try:
        _check_options(metadata)
        _check_consenters(metadata, _tls_authorities(found))
    except ConfigError as error:
        raise _refused(f"invalid new config metadata: {error.message}") from error
    before = {entry.client_tls_cert for entry in _metadata(consensus_type(current).metadata).consenters}
    after = {entry.client_tls_cert for entry in metadata.consenters}
    added, removed = len(after - before), len(before - after)
    if max(added, removed) > 1:
        raise _refused(
            "update of more than one consenter at a time is not supported, requested changes: "
            f"add {added} node(s), remove {removed} node(s)"
        )


def check_maintenance(current: ChannelConfig, found: ChannelConfig, update: Any) -> None:
    """Check the rules of maintenance mode, in which alone a channel changes its type of consensus.

    Parameters:
        current: the configuration in force.
        found: the one that is to follow.
        update: the ConfigUpdate that leads to it.

    Raises:
        ConfigError: CONSENSUS_CHANGE_REFUSED, with Fabric's text.
    """
    before, after = consensus_type(current), consensus_type(found)
    if not any(current.has_capability(_GROUP, name) for name in _MIGRATING):
        if after.state != orderer_pb2.ConsensusType.STATE_NORMAL:
            raise _refused(
                f"next config attempted to change ConsensusType.State to {_state(after)}, "
                "but capability is disabled"
            )
        return
    if before.state != after.state:
        _check_state_alone(update)
        changing = f"but ConsensusType.State is changing from {_state(before)} to {_state(after)}"
        if before.type != after.type:
            raise _refused(
                f"attempted to change ConsensusType.Type from {before.type} to {after.type}, {changing}"
            )
        if before.metadata != after.metadata:
            raise _refused(f"attempted to change ConsensusType.Metadata, {changing}")
    if before.type != after.type:
        what = f"attempted to change consensus type from {before.type} to {after.type}"
        for name, consensus in (("current", before), ("next", after)):
            if consensus.state == orderer_pb2.ConsensusType.STATE_NORMAL:
                raise _refused(f"{what}, but {name} config ConsensusType.State is not in maintenance mode")
        if after.type != BFT:
            raise _refused(f"{what}, transition not supported")


def consensus_type(config: ChannelConfig) -> Any:
    """The ConsensusType of a configuration."""
    return orderer_pb2.ConsensusType.FromString(config.group.groups[_GROUP].values[_VALUE].value)


def _metadata(data: bytes) -> Any:
    try:
        return etcdraft_pb2.ConfigMetadata.FromString(data)
    except DecodeError as error:
        raise _refused(f"failed to unmarshal new etcdraft metadata configuration: {GO_DECODING}") from error


def _check_options(metadata: Any) -> None:
    if not metadata.HasField("options"):
        raise _refused("nil Raft config metadata options")
    options = metadata.options
    heartbeat, election, inflight = options.heartbeat_tick, options.election_tick, options.max_inflight_blocks
    if 0 in (heartbeat, election, inflight):
        raise _refused(
            f"none of HeartbeatTick ({heartbeat}), ElectionTick ({election}) and MaxInflightBlocks "
            f"({inflight}) can be zero"
        )
    if election <= heartbeat:
        raise _refused(f"ElectionTick ({election}) must be greater than HeartbeatTick ({heartbeat})")
    try:
        is_zero = not parse_go_duration(options.tick_interval)
    except ConfigError as error:
        raise _refused(
            f"failed to parse TickInterval ({options.tick_interval}) to time duration: {error.message}"
        ) from error
    if is_zero:
        raise _refused("TickInterval cannot be zero")


def _check_consenters(metadata: Any, authorities: CertificateTree) -> None:
    if not metadata.consenters:
        raise _refused("empty consenter set")
    for consenter in metadata.consenters:
        try:
            _check_certificates(consenter, authorities)
        except ConfigError as error:
            where = f"consenter {consenter.host}:{consenter.port}"
            raise _refused(f"{where} has invalid certificate: {error.message}") from error
    seen: set[bytes] = set()
    for consenter in metadata.consenters:
        server, client = consenter.server_tls_cert, consenter.client_tls_cert
        if server in seen or client in seen:
            shown = [pem.decode("utf-8", "replace") for pem in (server, client)]
            raise _refused(f"duplicate consenter: server cert: {shown[0]}, client cert: {shown[1]}")
        seen.update((server, client))


def _check_certificates(consenter: Any, authorities: CertificateTree) -> None:
    found: list[tuple[str, x509.Certificate]] = []
    for kind, pem in (("client", consenter.client_tls_cert), ("server", consenter.server_tls_cert)):
        try:
            found.append((kind, parse_certificate(pem)))
        except IdentityError as error:
            where = f"parsing tls {kind} cert of {consenter.host}:{consenter.port}"
            raise _refused(f"{where}: no PEM data found in cert[{pem.hex()}]") from error
    for kind, certificate in found:
        try:
            authorities.chain(certificate)
        except IdentityError as error:
            raise _refused(
                f"verifying tls {kind} cert with serial number {certificate.serial_number}: "
                "x509: certificate signed by unknown authority"
            ) from error


def _tls_authorities(config: ChannelConfig) -> CertificateTree:
    msps: list[Msp] = [config.msps.msp(msp_id) for _, msp_id in config.orderer_organizations]
    roots = [parse_certificate(pem) for msp in msps for pem in msp.tls_root_certificates]
    intermediates = [parse_certificate(pem) for msp in msps for pem in msp.tls_intermediate_certificates]
    return CertificateTree(roots, intermediates, usages=_USAGES)


def _check_state_alone(update: Any) -> None:
    written = configtx_pb2.ConfigGroup()
    written.CopyFrom(update.write_set)
    if not written.groups:
        raise _refused("config update contains no changes")
    if written.values:
        raise _refused("config update contains changes to values in group Channel")
    if len(written.groups) > 1:
        raise _refused("config update contains changes to more than one group")
    if _GROUP not in written.groups:
        raise _refused(f"update does not contain the {_GROUP} group")
    group = written.groups[_GROUP]
    if group.groups:
        raise _refused(f"config update contains changes to groups within the {_GROUP} group")
    if _VALUE not in group.values:
        raise _refused(f"config update does not contain the {_VALUE} value")
    if len(group.values) > 1:
        raise _refused(f"config update contain more then just the {_VALUE} value in the {_GROUP} group")


def _state(consensus: Any) -> str:
    name: str = orderer_pb2.ConsensusType.State.Name(consensus.state)
    return name


def _refused(what: str) -> ConfigError:
    return ConfigError("CONSENSUS_CHANGE_REFUSED", what)
