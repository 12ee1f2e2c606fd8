"""Signatures that held once: a node checks the same ones as endorser, as orderer and as committer.

Checking is a pure function of key, message and signature, and by far the dearest that a transaction asks for.
"""

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from fabric_protocol.identities import Identity
from fabric_protocol.signatures import verify

_REMEMBERED: Final = 16_384


class VerifiedSignatures:
    """The last signatures that held. May be used from several threads.

    Only digests are kept, of certificate, message and signature together.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, None] = OrderedDict()

    def verify(
        self, identity: Identity, signature: bytes, message: bytes, digest: bytes | None = None
    ) -> None:
        """Check an identity's signature over a message.

        Parameters:
            identity: whose signature it should be.
            signature: what is checked.
            message: what was signed.
            digest: SHA-256 of the message, where it is known already.

        Raises:
            SignatureError: as `signatures.verify`.
            IdentityError: CERTIFICATE_INVALID, a key that cannot be read.
        """
        digest = digest or sha256(message).digest()
        name = signature_name(identity, signature, digest)
        if name not in self._held:
            verify(identity.public_key, signature, message, digest)
            self._remember(name)

    def made(self, identity: Identity, signature: bytes, digest: bytes) -> None:
        """Note a signature that this very process has just made with the identity's own key.

        Parameters:
            identity: whose key it is.
            signature: of the message.
            digest: SHA-256 of the message.
        """
        self._remember(signature_name(identity, signature, digest))

    def note(self, names: Iterable[bytes]) -> None:
        """Note signatures that another process of ours found to hold, by `signature_name`."""
        for name in names:
            self._remember(name)

    def _remember(self, name: bytes) -> None:
        self._held[name] = None
        if len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)


def signature_name(identity: Identity, signature: bytes, digest: bytes) -> bytes:
    """What stands for a signature of an identity over a message of this digest: no two of them share it."""
    # Parts of fixed length first: nothing can move from one to the other.
    return sha256(identity.certificate_digest + digest + signature).digest()
