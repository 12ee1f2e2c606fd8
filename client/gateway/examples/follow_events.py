"""Follow a chaincode's events for ever, through restarts of this program and of the peer.

    python follow_events.py peer0.org1.example.com:7051 tls.pem Org1MSP user.pem user.key mychannel basic \
        position.json

Arguments as of submit_many.py, and the file that keeps how far this program is. Events that were seen and not
saved come again after a crash, so what is done with one must bear being done twice. The variable STOP_AFTER
ends the program after so many.
"""

import os
import sys
from itertools import count
from pathlib import Path

from fabric_gateway import FileCheckpointer, Gateway, StreamPatience, pem_signer, serialize_identity

endpoint, tls_roots, msp_id, certificate, key, channel, chaincode, place = sys.argv[1:]
stop_after = int(os.environ.get("STOP_AFTER", "0"))
checkpointer = FileCheckpointer(Path(place))

with (
    Gateway.connect(
        endpoint,
        identity=serialize_identity(msp_id, Path(certificate).read_bytes()),
        signer=pem_signer(Path(key).read_bytes()),
        tls_roots=Path(tls_roots).read_bytes(),
        server_name=os.environ.get("SERVER_NAME"),
    ) as gateway,
    gateway.network(channel).chaincode_events(
        chaincode, start_block=0, checkpointer=checkpointer, patience=StreamPatience(reconnect_for=600.0)
    ) as events,
):
    for number, event in zip(count(1), events, strict=False):
        print(event.block_number, event.transaction_id, event.name, flush=True)
        checkpointer.save(event.position)
        if number == stop_after:
            break
