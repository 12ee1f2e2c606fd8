"""The own organization's register, if it has one: the only way from a pseudonym to a commitment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from consentry.errors import InputRejected
from consentry.subjects import SubjectRegister


@contextmanager
def open_register(path: Path | None) -> Iterator[SubjectRegister | None]:
    """A register that is there, closed afterwards; None where there is none: nothing is created.

    Raises:
        ConfigurationError: PATH_EXPOSED or CUSTODY_INVALID.
    """
    if path is None or not path.is_file():
        yield None
        return
    with SubjectRegister(path) as register:
        yield register


def own_commitment(register: SubjectRegister | None, pseudonym: str, organization: str) -> str:
    """The commitment under which a subject of one's own is on the ledger.

    Args:
        register: from `open_register`.
        pseudonym: whose.
        organization: short name of the own organization, for the error.

    Raises:
        InputRejected: SUBJECT_UNKNOWN; the message never repeats the pseudonym.
    """
    found = register.find([pseudonym]) if register is not None else {}
    if pseudonym not in found:
        raise InputRejected(
            "SUBJECT_UNKNOWN",
            f"The register of {organization} has no subject of that pseudonym; "
            "only the custodian of the data can resolve one.",
        )
    return found[pseudonym].commitment
