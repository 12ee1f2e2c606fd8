"""What can go wrong in a chaincode, as one tree.

ShimError                       everything this package raises; ``code`` is stable, the words may change
├── ContractError               a contract's own refusal: becomes the transaction's error response
│   └── KeyInvalidError         a key or composite-key part that Fabric cannot store
├── PeerError                   the peer answered a request with an error
├── ConversationError           the peer broke the chaincode protocol: that stream ends, the service goes on
└── ConfigurationError          the environment or the contracts given to ``serve`` cannot be used
"""

from __future__ import annotations

from collections.abc import Mapping

from fabric_shim.canonical import encode

FieldValue = str | int


class ShimError(Exception):
    """Root of all errors of ``fabric_shim``.

    Attributes:
        code: stable ``UPPER_SNAKE`` name of the error.
        message: one sentence, without anything personal.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ContractError(ShimError):
    """A refusal by a contract; the caller gets its code, fields and sentence, and nothing is written.

    Args:
        code: stable ``UPPER_SNAKE`` name, e.g. ``CONSENT_NOT_FOUND``.
        message: one sentence. It is signed by endorsers and compared byte for byte between them, so it must
            not hold anything that differs from peer to peer, nor anything personal.
        fields: what a program needs to act on the error; values are strings or integers.
        status: the response's status: 400–499 for a refusal, 500 and above for a failure. Endorsers sign
            neither (Fabric: ``ERRORTHRESHOLD`` is 400).
    """

    def __init__(
        self, code: str, message: str, fields: Mapping[str, FieldValue] | None = None, status: int = 400
    ) -> None:
        super().__init__(code, message)
        if status < 400:
            raise ValueError(f"got status {status} for an error response, expected 400 or above")
        self.fields = dict(fields or {})
        self.status = status

    def to_wire(self) -> str:
        """Text of ``Response.message``: canonical JSON of ``code``, ``fields`` and ``message``."""
        document = {"code": self.code, "fields": self.fields, "message": self.message}
        return encode(document).decode()


class KeyInvalidError(ContractError):
    """A key, or a part of a composite key, that Fabric cannot store (code ``KEY_INVALID``)."""

    def __init__(self, message: str) -> None:
        super().__init__("KEY_INVALID", message)


class PeerError(ShimError):
    """The peer answered a request with an error (code ``PEER_REFUSED``).

    Attributes:
        operation: name of the protocol message that was refused, e.g. ``GET_STATE``.
        detail: the peer's own text. It may name keys: it is for logs and for code that must tell errors
            apart, and is left out of ``message``.
        collection: the collection of the refused record, ``""`` for public state.
        key: key of the refused record where one record is to blame, else ``None``.
    """

    def __init__(self, operation: str, detail: str, *, collection: str = "", key: str | None = None) -> None:
        place = f" in collection {collection}" if collection else ""
        super().__init__("PEER_REFUSED", f"the peer refused {operation}{place}")
        self.operation = operation
        self.detail = detail
        self.collection = collection
        self.key = key

    def at(self, collection: str, key: str | None) -> PeerError:
        """The same error, attributed to a record."""
        return PeerError(self.operation, self.detail, collection=collection, key=key)


class ConversationError(ShimError):
    """The peer sent what the chaincode protocol forbids in this state (code ``PROTOCOL_VIOLATED``)."""

    def __init__(self, message: str) -> None:
        super().__init__("PROTOCOL_VIOLATED", message)


class ConfigurationError(ShimError):
    """The service cannot start as configured (code ``CONFIGURATION_INVALID``); says what was looked for."""

    def __init__(self, message: str) -> None:
        super().__init__("CONFIGURATION_INVALID", message)
