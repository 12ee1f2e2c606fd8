"""The second process of ``fabric_testing.replay``: runs recorded transactions again and tells what was sent.

One JSON document a line on standard input is a transaction, one a line on standard output what the chaincode
sent in it. The chaincode gets the peer's recorded messages; nothing here judges.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
import sys
from typing import Any

from fabric_testing.shifted_clock import shift_clock

_PATIENCE_SECONDS = 20.0


def main() -> None:
    """Replay what standard input holds; the argument is the shift of the clock in seconds."""
    shift_clock(float(sys.argv[1]))
    asyncio.run(_replay_all())


async def _replay_all() -> None:
    answers = sys.stdout
    # What a contract prints must not get between the answers.
    sys.stdout = sys.stderr
    routers: dict[str, Any] = {}
    for line in sys.stdin:
        document = json.loads(line)
        key = json.dumps(document["contracts"])
        if key not in routers:
            routers[key] = _router(document["contracts"])
        sent = await _replay(routers[key], document["clock"], document["messages"])
        encoded = [base64.b64encode(message).decode() for message in sent]
        answers.write(json.dumps(encoded) + "\n")
    answers.flush()


def _router(names: list[str]) -> Any:
    # Imported only now: contracts and the shim must see the shifted clock.
    from fabric_shim import Router

    contracts = []
    for name in names:
        module, _, qualified = name.partition(":")
        found: Any = importlib.import_module(module)
        for part in qualified.split("."):
            found = getattr(found, part)
        contracts.append(found())
    return Router(contracts)


async def _replay(router: Any, clock: float, messages: list[list[Any]]) -> list[bytes]:
    from fabric_protos.peer import chaincode_shim_pb2

    from fabric_shim import Conversation
    from fabric_testing.stream import MemoryStream

    stream, sent = MemoryStream(), []
    conversation = Conversation(stream, router, package_id="test:0", clock=lambda: clock)
    task = asyncio.create_task(conversation.run())
    try:
        for by_chaincode, text in messages:
            recorded = base64.b64decode(text)
            if not by_chaincode:
                stream.say(chaincode_shim_pb2.ChaincodeMessage.FromString(recorded))
                continue
            message = await asyncio.wait_for(stream.hear(), _PATIENCE_SECONDS)
            sent.append(message.SerializeToString(deterministic=True))
            if sent[-1] != recorded:
                # The peer's next answer would be to another question.
                break
    except TimeoutError:
        pass
    finally:
        stream.hang_up()
        await task
    return sent


if __name__ == "__main__":
    main()
