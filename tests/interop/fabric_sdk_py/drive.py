"""Drives fabric-sdk-py 1.0.0: one query, one invoke, one query; prints what came of it as JSON.

Run in the environment of this folder: protobuf 3.20.3 in pure Python, Python 3.11.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

from hfc.fabric import Client
from hfc.fabric.user import create_user


async def main(directory, channel, chaincode, peers, calls):
    client = Client(net_profile=str(directory / "fabric-sdk-py.json"))
    organization = client.network_info["client"]["organization"]
    msp_id = client.network_info["organizations"][organization]["mspid"]
    user = create_user(
        "user",
        organization,
        client.state_store,
        msp_id,
        str(directory / "user.key"),
        str(directory / "user.pem"),
    )
    client.new_channel(channel)
    answers = []
    for kind, function, arguments in calls:
        call = client.chaincode_query if kind == "query" else client.chaincode_invoke
        options = {} if kind == "query" else {"wait_for_event": True}
        answers.append(
            await call(
                requestor=user,
                channel_name=channel,
                peers=peers,
                fcn=function,
                args=arguments,
                cc_name=chaincode,
                **options,
            )
        )
    await client.close_grpc_channels()
    return answers


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    request = json.load(sys.stdin)
    found = asyncio.new_event_loop().run_until_complete(
        main(
            Path(request["directory"]),
            request["channel"],
            request["chaincode"],
            request["peers"],
            request["calls"],
        )
    )
    print(json.dumps(found))
