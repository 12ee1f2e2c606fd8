"""Reading one's own private entries: the answer travels encrypted under a key of one use.

A read that were submitted would put its result into a block for ever, so the contract encrypts the value
with a key that only the caller's transient data carries (DESIGN §8), and `Transactions.submit` refuses
reads.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.errors import ConsentryError
from consentry.transactions import Transactions
from consentry_records.private_entries import READ_KEY_BYTES, read_associated_data


def read_private(
    transactions: Transactions,
    key: str,
    *,
    function: str = "consents:read_private",
    arguments: Sequence[str] = (),
) -> bytes:
    """Return the (still sealed) value under `key` of the own collection.

    `function` reads it, given `arguments` (default: the key).

    Raises:
        LedgerRefused: PRIVATE_ENTRY_NOT_FOUND, NOT_CUSTODIAN, ROLE_REQUIRED, …
        ConsentryError: VALUE_UNREADABLE, the answer is not encrypted under the key that was sent.
    """
    once = secrets.token_bytes(READ_KEY_BYTES)
    answer = transactions.evaluate(function, *(arguments or (key,)), transient={"key": once})
    try:
        nonce, ciphertext = (
            base64.b64decode(answer[name], validate=True) for name in ("nonce", "ciphertext")
        )
        return AESGCM(once).decrypt(nonce, ciphertext, read_associated_data(key))
    except (InvalidTag, ValueError, TypeError, KeyError) as error:
        raise ConsentryError(
            "VALUE_UNREADABLE", "the answer is not encrypted under the key that was sent with the question"
        ) from error
