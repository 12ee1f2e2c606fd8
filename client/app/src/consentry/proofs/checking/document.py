"""The file itself: canonical JSON, compressed with xz, bytes in hex.

One content has one file: other spellings are refused, so that nothing can hide between what is signed.
"""

import json
import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .block import ProofBlock, Statement
from .refusal import ProofRefused, expect
from .transaction import Claim

FORMAT = "consentry-proof/1"
BUNDLE_FORMAT = "consentry-block-bundle/1"
LARGEST_BYTES = 1024 * 2**20
"""Largest content that is read: a block of 100 MiB and its configurations in hex fit well."""

_CHUNK = 2**20
_DOCUMENT = {"format": str, "claim": dict, "configurations": list, "block": dict}
_BUNDLE = {"format": str, "namespace": str, "configurations": list, "blocks": list}
_CLAIM = {
    "channel": str, "block": int, "transaction": int, "transaction_id": str, "namespace": str, "key": str,
}  # fmt: skip
_BLOCK = {"header": str, "data": str, "signatures": str, "statements": list}
_STATEMENT = {"endorser": str, "signature": str, "proposal_hash": str, "metadata": str}


@dataclass(frozen=True)
class Document:
    """What a proof file holds.

    Attributes:
        claim: what it says it proves.
        configurations: the channel's configuration blocks up to the block, from block 0 on.
        block: the block with the transaction.
    """

    claim: Claim
    configurations: tuple[ProofBlock, ...]
    block: ProofBlock


@dataclass(frozen=True)
class Bundle:
    """Several blocks with what proves them, each once.

    Attributes:
        namespace: name of the chaincode whose records are meant.
        configurations: the channel's configuration blocks up to the last of the blocks, from block 0 on.
        blocks: the blocks, in order.
    """

    namespace: str
    configurations: tuple[ProofBlock, ...]
    blocks: tuple[ProofBlock, ...]


def read_document(data: bytes) -> Document:
    """Read a proof file.

    Raises:
        ProofRefused: FILE: it is no proof file, or not spelt as one has to be; ENCODING, DATA_HASH.
    """
    document = _object(_parse(_decompress(data)), _DOCUMENT, "the file")
    expect(document["format"] == FORMAT, "FILE", f"its format is {document['format']!r}, not {FORMAT!r}")
    expect(document["configurations"], "FILE", "it holds no configuration")
    return Document(
        claim=Claim(**_object(document["claim"], _CLAIM, "the claim")),
        configurations=tuple(_block(entry) for entry in document["configurations"]),
        block=_block(document["block"]),
    )


def write_document(claim: Claim, configurations: tuple[ProofBlock, ...], block: ProofBlock) -> bytes:
    """Write a proof file."""
    content = {
        "format": FORMAT,
        "claim": {name: getattr(claim, name) for name in _CLAIM},
        "configurations": [entry.as_json() for entry in configurations],
        "block": block.as_json(),
    }
    return lzma.compress(_canonical(content), format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64)


def read_bundle(data: bytes) -> Bundle:
    """Read a bundle of blocks, as reports carry it.

    Raises:
        ProofRefused: FILE, ENCODING, DATA_HASH.
    """
    document = _object(_parse(_decompress(data)), _BUNDLE, "the bundle")
    expect(document["format"] == BUNDLE_FORMAT, "FILE", f"its format is {document['format']!r}")
    expect(document["configurations"], "FILE", "it holds no configuration")
    blocks = tuple(_block(entry) for entry in document["blocks"])
    numbers = [block.number for block in blocks]
    expect(numbers == sorted(set(numbers)), "FILE", "its blocks are not in order, each once")
    return Bundle(document["namespace"], tuple(_block(entry) for entry in document["configurations"]), blocks)


def write_bundle(bundle: Bundle) -> bytes:
    """Write a bundle of blocks."""
    content = {
        "format": BUNDLE_FORMAT,
        "namespace": bundle.namespace,
        "configurations": [entry.as_json() for entry in bundle.configurations],
        "blocks": [entry.as_json() for entry in bundle.blocks],
    }
    return lzma.compress(_canonical(content), format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64)


def _decompress(data: bytes) -> bytes:
    decompressor = lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
    content = bytearray()
    try:
        content += decompressor.decompress(data, _CHUNK)
        while not decompressor.eof and not decompressor.needs_input:
            content += decompressor.decompress(b"", _CHUNK)
            expect(len(content) <= LARGEST_BYTES, "FILE", f"it holds more than {LARGEST_BYTES} bytes")
    except lzma.LZMAError:
        raise ProofRefused("FILE", "it is not compressed with xz, or is damaged") from None
    whole = decompressor.eof and not decompressor.unused_data
    expect(whole, "FILE", "it is cut off, or something follows it")
    return bytes(content)


def _parse(content: bytes) -> Any:
    try:
        found = json.loads(content)
        expect(_canonical(found) == content, "FILE", "its JSON is not in canonical form")
    except (ValueError, RecursionError):
        raise ProofRefused("FILE", "it does not hold JSON") from None
    return found


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _object(value: Any, types: Mapping[str, type], what: str) -> dict[str, Any]:
    fits = isinstance(value, dict) and {name: type(entry) for name, entry in value.items()} == types
    expect(fits, "FILE", f"{what} does not have exactly the fields {', '.join(types)}")
    expect(all(entry >= 0 for entry in value.values() if type(entry) is int), "FILE", "a number is negative")
    return dict(value)


def _block(value: Any) -> ProofBlock:
    entry = _object(value, _BLOCK, "a block")
    statements = [_statement(statement) for statement in entry["statements"]]
    header, data, signatures = (_bytes(entry[name]) for name in ("header", "data", "signatures"))
    return ProofBlock(header, data, signatures, statements)


def _statement(value: Any) -> Statement:
    entry = _object(value, _STATEMENT, "a statement")
    return Statement(**{name: _bytes(text) for name, text in entry.items()})


def _bytes(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        raise ProofRefused("FILE", "bytes are not in hex") from None
    expect(found.hex() == text, "FILE", "bytes are not in lower-case hex")
    return found
