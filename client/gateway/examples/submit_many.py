"""Submit many transactions to any Fabric network, a hundred in flight, and read one value back.

    python submit_many.py peer0.org1.example.com:7051 tls.pem Org1MSP user.pem user.key mychannel basic

Arguments: a peer's endpoint, its TLS roots, the MSP id, certificate and key of who submits, channel and
chaincode. The chaincode here has functions basic:put and basic:get; use your own's. Where a peer's
certificate names another host than the endpoint's, say so by the variable SERVER_NAME.
"""

import os
import sys
from pathlib import Path

from fabric_gateway import CommitError, ConflictRetry, EndorseError, Gateway, pem_signer, serialize_identity

endpoint, tls_roots, msp_id, certificate, key, channel, chaincode = sys.argv[1:]

with Gateway.connect(
    endpoint,
    identity=serialize_identity(msp_id, Path(certificate).read_bytes()),
    signer=pem_signer(Path(key).read_bytes()),
    tls_roots=Path(tls_roots).read_bytes(),
    server_name=os.environ.get("SERVER_NAME"),
) as gateway:
    contract = gateway.network(channel).contract(chaincode)
    with contract.in_flight(100) as calls:
        futures = [calls.submit("basic:put", f"asset-{number}", "blue") for number in range(200)]
    failed = [future.exception() for future in futures if future.exception() is not None]
    print(f"{len(futures) - len(failed)} committed, {len(failed)} failed")

    # A conflict had no effect: a transaction that only one of many can win is made anew, with another id.
    try:
        contract.submit("basic:put", "asset-0", "red", retry=ConflictRetry(tries=8))
    except (EndorseError, CommitError) as error:
        sys.exit(f"{error.code}: {error.message} {error.details}")
    print(contract.evaluate("basic:get", "asset-0").decode())
