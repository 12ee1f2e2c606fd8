"""A gateway that endorses whatever is proposed and commits it at once: what is measured is the client.

``python -m benchmarks.null_gateway DIRECTORY`` writes what clients need into the directory and serves until
it is ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_response_pb2

from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key
from fabric_protocol.endorsements import assemble_transaction, endorse, response_payload
from fabric_protocol.identities import serialize_identity
from fabric_protocol.proposals import proposal_hash
from fabric_protocol.signatures import key_signer

_OK = gateway_pb2.SubmitResponse().SerializeToString()
_VALID = gateway_pb2.CommitStatusResponse(block_number=1).SerializeToString()
_RESPONSE = proposal_response_pb2.Response(status=200, payload=b"ok")


class NullGateway:
    """Gateway's methods, on bytes."""

    def __init__(self, endorser: bytes, key: Any) -> None:
        self._endorser = endorser
        self._signer = key_signer(key)

    async def endorse(self, data: bytes, context: Any) -> bytes:
        """One endorsement of a write of nothing."""
        request = gateway_pb2.EndorseRequest.FromString(data)
        proposal = request.proposed_transaction.proposal_bytes
        payload = response_payload(
            proposal_hash=proposal_hash(proposal),
            results=b"writes",
            event=b"",
            response=_RESPONSE,
            chaincode="bench",
            version="1",
        )
        envelope = assemble_transaction(proposal, payload, [endorse(payload, self._signer, self._endorser)])
        answer = gateway_pb2.EndorseResponse(prepared_transaction=common_pb2.Envelope(payload=envelope))
        return bytes(answer.SerializeToString())

    async def submit(self, data: bytes, context: Any) -> bytes:
        """Accepted."""
        return bytes(_OK)

    async def commit_status(self, data: bytes, context: Any) -> bytes:
        """Valid."""
        return bytes(_VALID)


async def serve(directory: Path) -> None:
    """Serve over TLS on a free port of the loopback."""
    start = datetime.now(UTC) - timedelta(hours=1)
    authority, key, client_key = new_authority("bench", start=start), new_private_key(), new_private_key()

    def certificate(name: str, owner: Any, **options: Any) -> bytes:
        made = issue(authority, common_name=name, public_key=owner.public_key(), start=start, **options)
        return certificate_pem(made)

    peer = certificate("peer", key, ip_addresses=["127.0.0.1"])
    gateway = NullGateway(serialize_identity("AlphaMSP", peer), key)
    server = grpc.aio.server()
    methods = {
        name: grpc.unary_unary_rpc_method_handler(method)
        for name, method in {
            "Endorse": gateway.endorse,
            "Submit": gateway.submit,
            "CommitStatus": gateway.commit_status,
        }.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("gateway.Gateway", methods),))
    credentials = grpc.ssl_server_credentials([(key_pem(key), peer)])
    port = server.add_secure_port("127.0.0.1:0", credentials)
    files = {"roots.pem": authority.pem, "user.pem": certificate("user", client_key)}
    for name, data in {**files, "user.key": key_pem(client_key)}.items():
        (directory / name).touch(0o600)
        (directory / name).write_bytes(data)
    await server.start()
    settings = {"endpoint": f"127.0.0.1:{port}", "channel": "bench", "chaincode": "bench", "function": "put"}
    (directory / "settings.json").write_text(json.dumps(settings))
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
