"""Record what peers and `protocol_chaincode` say to each other, for `tests/fixtures/chaincode-conversations`.

    PYTHONPATH=tests python -m support.record_conversations DIRECTORY [embedded]

A network of two organizations runs the story of `protocol_story`, by default one of real Fabric's peers,
whose binaries are looked for on the PATH. Each peer's conversation becomes `conversation-N.jsonl` in
DIRECTORY.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from support.embedded import enrolled_user, two_organization_topology
from support.node_chaincode import connect
from support.protocol_story import tell

from fabric_embedded import EmbeddedNetwork
from fabric_native import NativeNetwork

_TESTS = Path(__file__).parents[1]
_CHAINCODE = Path(__file__).with_name("protocol_chaincode.py")


def record(directory: Path, engine: Any, home: Path) -> None:
    """Run the story on a new network below ``home``; print what happens."""
    directory.mkdir(parents=True, exist_ok=True)
    # The services are children of this process, and so are theirs.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_TESTS), os.environ.get("PYTHONPATH", "")])
    command = (sys.executable, "-m", "support.conversation_recorder", str(directory.absolute()))
    topology = two_organization_topology((*command, sys.executable, str(_CHAINCODE)), "protocol")
    network = engine.create(home / "network", topology)
    try:
        network.up(print)
        user = enrolled_user(network, "alpha", "alpha-user", {"role": "auditor"})
        with connect(network, user) as gateway:
            for sentence in tell(gateway.network(topology.channel).contract("protocol")):
                print(sentence)
    finally:
        network.down()


if __name__ == "__main__":
    chosen = EmbeddedNetwork if sys.argv[2:] == ["embedded"] else NativeNetwork
    with tempfile.TemporaryDirectory(prefix="conversations-") as place:
        record(Path(sys.argv[1]), chosen, Path(place))
