"""A process that checks the signatures of blocks for another one; imports little, so that it starts soon."""

from __future__ import annotations

import contextlib
import signal
from multiprocessing.connection import Connection

from fabric_protocol.signature_checks import held_signatures


def check_blocks(connection: Connection) -> None:
    """Check the blocks that come over a connection until the one that asks closes its side, however it ends.

    Args:
        connection: gives each block's bytes; takes an empty answer first, when it can be asked, and then what
            `held_signatures` says of each.
    """
    # Ctrl-C reaches all processes of a terminal; the one that asks ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        connection.send(())
        while True:
            connection.send(held_signatures(connection.recv_bytes()))
