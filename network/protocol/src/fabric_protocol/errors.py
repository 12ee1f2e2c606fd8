"""Every error that this package raises.

::

    ProtocolError
    ├── EncodingError     bytes that are not the message they should be
    ├── IdentityError     a certificate or serialized identity that an MSP refuses
    ├── SignatureError    a signature that does not hold, or a key that cannot sign
    ├── PolicyError       a policy that cannot be read, found or satisfied
    ├── ProposalError     a proposal that an endorser refuses
    ├── SimulationError   a read or write that a simulation refuses
    ├── BlockError        a block that is not well formed, linked or signed
    ├── ConfigError       a channel or MSP configuration that cannot be used
    └── TopologyError     a network description that cannot be used
"""

GO_DECODING = "proto: cannot parse invalid wire-format data"
"""What Go's protobuf library, and so Fabric, says of bytes that are no message."""


class ProtocolError(Exception):
    """Root of this package's errors.

    Parameters:
        code: stable identifier in UPPER_SNAKE; programs may compare it, and it never changes.
        message: one sentence for people: what came, what was expected, what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class EncodingError(ProtocolError):
    """Bytes that are not the message they should be."""


class IdentityError(ProtocolError):
    """A certificate or serialized identity that an MSP refuses."""


class SignatureError(ProtocolError):
    """A signature that does not hold, or a key that cannot sign or verify."""


class PolicyError(ProtocolError):
    """A policy that cannot be read, found or satisfied."""


class ProposalError(ProtocolError):
    """A proposal that an endorser refuses."""


class SimulationError(ProtocolError):
    """A read or write that a simulation refuses."""


class BlockError(ProtocolError):
    """A block that is not well formed, not linked to its predecessor, or not signed as required."""


class ConfigError(ProtocolError):
    """A channel or MSP configuration that cannot be used."""


class TopologyError(ProtocolError):
    """A network description that cannot be used."""
