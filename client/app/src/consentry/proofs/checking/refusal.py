"""How a proof file is refused."""


class ProofRefused(Exception):
    """The file proves nothing.

    Attributes:
        code: stable, e.g. ``DATA_HASH``; the text says what was found.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def expect(holds: object, code: str, sentence: str) -> None:
    """Refuse the file unless something holds.

    Raises:
        ProofRefused: with the code and the sentence.
    """
    if not holds:
        raise ProofRefused(code, sentence)
