"""The one exception by which a check says what is wrong; it never leaves this package as such."""

from consentry.verification.results import Difference, DifferenceKind


class Finding(Exception):
    """A block is not as it has to be."""

    def __init__(
        self,
        kind: DifferenceKind,
        block: int,
        sentence: str,
        *,
        expected: str = "",
        got: str = "",
        transaction: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.block = block
        self.sentence = sentence
        self.expected = expected
        self.got = got
        self.transaction = transaction

    def in_source(self, name: str) -> Difference:
        """The finding as a difference of the copy called ``name``."""
        return Difference(
            kind=self.kind,
            source=name,
            block=self.block,
            transaction=self.transaction,
            expected=self.expected,
            got=self.got,
            sentence=self.sentence,
        )
