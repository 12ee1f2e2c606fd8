"""A private read gives its value encrypted under the caller's one-time key (DESIGN.md §8).

A read that is submitted instead of evaluated puts its result into a block for ever; encrypted, it says
nothing there.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry_records import keys
from consentry_records.errors import LedgerError
from consentry_records.kinds import Kind
from consentry_records.private_entries import NONCE_BYTES, PRIVATE_KEY, READ_KEY_BYTES, read_associated_data
from fabric_shim import Context

from .actors import member
from .ledger_contract import check_argument
from .state import read

_NONCE_LABEL = b"consentry/private-read-nonce/1\x00"


async def read_private(ctx: Context, key: str, kind: Kind = PRIVATE_KEY) -> dict[str, str]:
    """The entry of the caller's own collection: {"ciphertext", "nonce"}, both base64, AES-256-GCM.

    `key` names the entry and has to be of the kind; the transient field `key` is the 32-byte AES key;
    `read_associated_data(key)` is authenticated with the value. Raises TRANSIENT_INVALID,
    PRIVATE_ENTRY_NOT_FOUND.
    """
    check_argument("key", kind, key)
    aes_key = ctx.stub.transient["key"]
    if len(aes_key) != READ_KEY_BYTES:
        raise LedgerError("TRANSIENT_INVALID", {"expected": f"key of {READ_KEY_BYTES} bytes"})
    actor = member(ctx, (await read(ctx, keys.SETTINGS)).settings())
    value = await ctx.stub.get_private(keys.collection(actor.msp_id), key)
    if value is None:
        raise LedgerError("PRIVATE_ENTRY_NOT_FOUND")
    nonce = _nonce(ctx.transaction_id, key)
    ciphertext = AESGCM(aes_key).encrypt(nonce, value, read_associated_data(key))
    return {"ciphertext": base64.b64encode(ciphertext).decode(), "nonce": base64.b64encode(nonce).decode()}


def _nonce(transaction_id: str, key: str) -> bytes:
    # Contracts have no randomness. The key is for one read; a client that uses it twice by mistake still gets
    # another nonce, for transaction ids differ.
    return hashlib.sha256(_NONCE_LABEL + transaction_id.encode() + b"\x00" + key.encode()).digest()[
        :NONCE_BYTES
    ]
