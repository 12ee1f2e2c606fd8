"""How far a verification came, kept in a file so that the next one goes on from there.

The file holds what the next block is judged against: the position in the chain, the state that the proved
blocks left, the ids of their transactions. A digest over all of it shows damage. It is no protection from
whoever may write to its owner's files, and needs none: he could as well exchange the kept anchor.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from consentry.private_files import FILE_MODE, refuse_exposed
from consentry.verification.encoding import read_block
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.ledger_state import MemoryLedgerState
from consentry.verification.proved_block import Position
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.errors import ProtocolError
from fabric_protocol.state import Version
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch

_FORMAT = "consentry-verification/1"
_BYTES = ("header_hash", "commit_hash", "genesis_hash", "config_block")
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class VerifiedPart:
    """The blocks that are proved, as far as the next one needs them.

    Attributes:
        position: where the chain stands.
        state: what they left.
        codes: how many of their transactions have each validation code, by name.
    """

    position: Position = field(default_factory=Position)
    state: MemoryLedgerState = field(default_factory=MemoryLedgerState)
    codes: Counter[str] = field(default_factory=Counter)


def write_checkpoint(path: Path, part: VerifiedPart) -> None:
    """Keep what is proved, for its owner alone; a file that is there is replaced whole or not at all.

    Args:
        path: of the file.
        part: at least block 0.

    Raises:
        VerificationError: CHECKPOINT_UNWRITABLE.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            for line in _sealed(_lines(part)):
                file.write(line)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise VerificationError(
            "CHECKPOINT_UNWRITABLE",
            f"The checkpoint {path} cannot be written ({error.strerror}); name another file.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> VerifiedPart | None:
    """Read what an earlier verification proved; None where there is no such file yet.

    Args:
        path: of a file that ``write_checkpoint`` wrote.

    Raises:
        ConfigurationError: PATH_EXPOSED, others than its owner may use the file.
        VerificationError: CHECKPOINT_DAMAGED, its content is not what was written; CHECKPOINT_UNREADABLE.
    """
    if not path.exists():
        return None
    refuse_exposed(path)
    try:
        _check_seal(path)
        with path.open("rb") as file:
            return _read(iter(file))
    except OSError as error:
        raise VerificationError(
            "CHECKPOINT_UNREADABLE", f"The checkpoint {path} cannot be read ({error.strerror})."
        ) from error
    except (ValueError, KeyError, TypeError, IndexError, ProtocolError, Finding) as error:
        raise VerificationError(
            "CHECKPOINT_DAMAGED",
            f"The checkpoint {path} is not as it was written; remove it and verify from block 0 again.",
        ) from error


def _lines(part: VerifiedPart) -> Iterator[bytes]:
    position = {
        name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for name, value in asdict(part.position).items()
    }
    channel = ChannelConfig.from_block(read_block(part.position.config_block, part.position.last_config))
    yield _line(
        {"format": _FORMAT, "channel": channel.channel_id, "position": position, "codes": dict(part.codes)}
    )
    for identifier in sorted(part.state.transactions()):
        yield _line(["transaction", identifier])
    content = part.state.content()
    for public in content.public:
        value = base64.b64encode(public.value or b"").decode()
        metadata = base64.b64encode(public.metadata).decode()
        yield _line(["public", public.namespace, public.key, value, metadata, *public.version])
    for hashed in content.hashed:
        names = (hashed.namespace, hashed.collection, hashed.key_hash.hex(), (hashed.value_hash or b"").hex())
        yield _line(["hashed", *names, base64.b64encode(hashed.metadata).decode(), *hashed.version])


def _line(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _sealed(lines: Iterable[bytes]) -> Iterator[bytes]:
    digest = sha256()
    for line in lines:
        digest.update(line)
        yield line
    yield _line(["digest", digest.hexdigest()])


def _check_seal(path: Path) -> None:
    digest, last = sha256(), b""
    with path.open("rb") as file:
        for line in file:
            digest.update(last)
            last = line
    if last != _line(["digest", digest.hexdigest()]):
        raise ValueError("another digest")


def _read(lines: Iterator[bytes]) -> VerifiedPart:
    header = json.loads(next(lines))
    if header["format"] != _FORMAT:
        raise ValueError("another format")
    fields = header["position"]
    position = Position(**{name: _value(name, value) for name, value in fields.items()})
    config = ChannelConfig.from_block(read_block(position.config_block, position.last_config))
    if config.channel_id != header["channel"]:
        raise ValueError("another channel")
    state = MemoryLedgerState()
    rows = (json.loads(line) for line in lines)
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        public = tuple(_public(*row[1:]) for row in batch if row[0] == "public")
        hashed = tuple(_hashed(*row[1:]) for row in batch if row[0] == "hashed")
        state.apply(UpdateBatch(public, hashed), [row[1] for row in batch if row[0] == "transaction"])
    return VerifiedPart(position, state, Counter(header["codes"]))


def _value(name: str, value: Any) -> Any:
    return base64.b64decode(value, validate=True) if name in _BYTES else int(value)


def _public(namespace: str, key: str, value: str, metadata: str, block: int, index: int) -> PublicUpdate:
    content = base64.b64decode(value, validate=True)
    return PublicUpdate(
        namespace, key, content, base64.b64decode(metadata, validate=True), Version(block, index)
    )


def _hashed(
    namespace: str, collection: str, key: str, value: str, metadata: str, block: int, index: int
) -> HashedUpdate:
    return HashedUpdate(
        namespace,
        collection,
        bytes.fromhex(key),
        bytes.fromhex(value),
        Version(block, index),
        False,
        base64.b64decode(metadata, validate=True),
    )
