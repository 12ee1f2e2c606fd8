"""Values and policies of a channel's configuration as facts in words, for people who are to agree to them.

Facts are a mapping of what something is called to what it is: what differs between two of them is a change.

Source: fabric-behaviour §11.2 (which message is under which key).
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common import configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import parse_certificate
from fabric_protocol.msp_config import read_msp_config
from fabric_protocol.ordering_config import BFT
from fabric_protocol.policy_language import format_policy
from fabric_protocol.revocation import parse_revocation_list

Facts = dict[str, str]

_IMPLICIT: Final = {0: "any one", 1: "all", 2: "a majority"}
_MSP_LISTS: Final = MappingProxyType(
    {
        "root_certs": "root certificate",
        "intermediate_certs": "intermediate certificate",
        "admins": "certificate of an administrator",
        "tls_root_certs": "TLS root certificate",
        "tls_intermediate_certs": "TLS intermediate certificate",
    }
)


def value_facts(key: str, data: bytes) -> Facts:
    """What a value says.

    Parameters:
        key: its name, such as "BatchSize".
        data: the bytes under it; such as cannot be read give their digest.
    """
    reader = _READERS.get(key)
    if reader is None:
        return {"content that no words are known for": digest_words(data)}
    try:
        return reader(data)
    except (DecodeError, ProtocolError):
        return {"content that cannot be read": digest_words(data)}


def policy_facts(policy: Any) -> Facts:
    """What a policy (common.Policy) asks for."""
    try:
        if policy.type == policies_pb2.Policy.IMPLICIT_META:
            content = policies_pb2.ImplicitMetaPolicy.FromString(policy.value)
            how_many = _IMPLICIT.get(content.rule, str(content.rule))
            return {"asks for": f"{how_many} of the members' {content.sub_policy!r}"}
        if policy.type == policies_pb2.Policy.SIGNATURE:
            envelope = policies_pb2.SignaturePolicyEnvelope.FromString(policy.value)
            return {"asks for": _signature_words(envelope)}
    except DecodeError:
        pass
    return {"asks for": f"what no words are known for (type {policy.type}, {digest_words(policy.value)})"}


def certificate_words(pem: bytes) -> str:
    """Subject, SHA-256 of the DER, and end of a certificate; its digest where it cannot be read."""
    try:
        certificate = parse_certificate(pem)
        fingerprint = sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        end = certificate.not_valid_after_utc.date()
        return f"{_subject(certificate)}, SHA-256 {fingerprint}, valid until {end}"
    except ProtocolError:
        return f"an unreadable certificate, {digest_words(pem)}"


def digest_words(data: bytes) -> str:
    """Length and SHA-256 of bytes."""
    return f"{len(data)} bytes, SHA-256 {sha256(data).hexdigest()}"


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "no subject"


def _signature_words(envelope: Any) -> str:
    try:
        return format_policy(envelope)
    except ProtocolError:
        named = len(envelope.identities)
        return f"signatures of {named} named certificates, {digest_words(envelope.SerializeToString())}"


def _msp(data: bytes) -> Facts:
    config = msp_config_pb2.MSPConfig.FromString(data)
    content = read_msp_config(config)
    facts: Facts = {"MSP id": content.name}
    for field, what in _MSP_LISTS.items():
        facts |= {f"{what} {certificate_words(pem)}": "is named" for pem in getattr(content, field)}
    for revocations in content.revocation_list:
        facts |= _revocations(revocations)
    for field in ("crypto_config", "fabric_node_ous", "signing_identity"):
        facts |= _flat(field.replace("_", " "), _fields(getattr(content, field)))
    for unit in content.organizational_unit_identifiers:
        facts[f"organizational unit {unit.organizational_unit_identifier}"] = digest_words(unit.certificate)
    return facts


def _revocations(data: bytes) -> Facts:
    found = parse_revocation_list(data)
    serials = sorted(f"{item.serial_number:x}" for item in found.revocations)
    shown = ", ".join(serials) or "none"
    return {f"revoked by the authority {found.authority_key_identifier.hex()}": f"serial numbers {shown}"}


def _orderers(data: bytes) -> Facts:
    nodes = configuration_pb2.Orderers.FromString(data).consenter_mapping
    return {
        f"ordering node {node.host}:{node.port}": "; ".join(
            (
                f"number {node.id} of {node.msp_id}",
                f"identity {certificate_words(node.identity)}",
                *_tls_words(node),
            )
        )
        for node in nodes
    }


def _tls_words(node: Any) -> tuple[str, ...]:
    server, client = node.server_tls_cert, node.client_tls_cert
    if server == client:
        return (f"TLS {certificate_words(server)}",)
    return (f"TLS as a server {certificate_words(server)}", f"TLS as a client {certificate_words(client)}")


def _consensus(data: bytes) -> Facts:
    content = orderer_pb2.ConsensusType.FromString(data)
    facts = {"type of consensus": content.type, "state": orderer_pb2.ConsensusType.State.Name(content.state)}
    if content.type == BFT:
        return facts | _flat("SmartBFT", _fields(smartbft_pb2.Options.FromString(content.metadata)))
    metadata = etcdraft_pb2.ConfigMetadata.FromString(content.metadata)
    for node in metadata.consenters:
        facts[f"ordering node {node.host}:{node.port}"] = "; ".join(_tls_words(node))
    return facts | _flat("Raft", _fields(metadata.options))


def _anchor_peers(data: bytes) -> Facts:
    peers = peer_pb2.AnchorPeers.FromString(data).anchor_peers
    return {f"anchor peer {peer.host}:{peer.port}": "is named" for peer in peers}


def _endpoints(data: bytes) -> Facts:
    addresses = configuration_pb2.OrdererAddresses.FromString(data).addresses
    return {f"endpoint of its ordering node {address}": "is named" for address in addresses}


def _plain(kind: Any) -> Callable[[bytes], Facts]:
    return lambda data: _flat("", _fields(kind.FromString(data)))


def _fields(message: Any) -> Any:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _flat(name: str, document: Any) -> Facts:
    """A JSON document's leaves by their paths."""
    if isinstance(document, Mapping) and document:
        facts: Facts = {}
        for key, value in document.items():
            # Fields have lower-case names; others, such as of capabilities, are data.
            words = key.replace("_", " ") if key.islower() else key
            facts |= _flat(f"{name} {words}".strip(), value)
        return facts
    return {name: json.dumps(document)} if name else {}


_READERS: Mapping[str, Callable[[bytes], Facts]] = MappingProxyType(
    {
        "MSP": _msp,
        "Orderers": _orderers,
        "ConsensusType": _consensus,
        "AnchorPeers": _anchor_peers,
        "Endpoints": _endpoints,
        "OrdererAddresses": _endpoints,
        "BatchSize": _plain(orderer_pb2.BatchSize),
        "BatchTimeout": _plain(orderer_pb2.BatchTimeout),
        "ChannelRestrictions": _plain(orderer_pb2.ChannelRestrictions),
        "Capabilities": _plain(configuration_pb2.Capabilities),
        "ACLs": _plain(peer_pb2.ACLs),
        "HashingAlgorithm": _plain(configuration_pb2.HashingAlgorithm),
        "BlockDataHashingStructure": _plain(configuration_pb2.BlockDataHashingStructure),
        "Consortium": _plain(configuration_pb2.Consortium),
    }
)
