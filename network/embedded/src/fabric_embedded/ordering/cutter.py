"""Cutting blocks by count and bytes, as Fabric's Raft orderers do (`orderer/common/blockcutter`)."""

from __future__ import annotations

Batch = list[bytes]


class BlockCutter:
    """Collects envelopes until they make a block. Time is its caller's affair."""

    def __init__(self) -> None:
        self._pending: Batch = []
        self._bytes = 0

    @property
    def pending(self) -> int:
        """Number of envelopes that wait."""
        return len(self._pending)

    def add(
        self, envelope: bytes, size: int, *, max_message_count: int, preferred_max_bytes: int
    ) -> list[Batch]:
        """Add an envelope.

        Parameters:
            envelope: M(Envelope).
            size: bytes of its payload and signature, which is what the limits count.
            max_message_count: envelopes at which a block is full.
            preferred_max_bytes: size that a block should not exceed; a larger envelope comes alone.

        Returns:
            The blocks that are full now: none, one or two.
        """
        batches: list[Batch] = []
        if self._pending and (size > preferred_max_bytes or self._bytes + size > preferred_max_bytes):
            batches.append(self.cut())
        if size > preferred_max_bytes:
            return [*batches, [envelope]]
        self._pending.append(envelope)
        self._bytes += size
        if len(self._pending) >= max_message_count:
            batches.append(self.cut())
        return batches

    def cut(self) -> Batch:
        """Take what waits, be it full or not."""
        batch, self._pending, self._bytes = self._pending, [], 0
        return batch
