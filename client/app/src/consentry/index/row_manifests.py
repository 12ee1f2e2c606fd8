"""The custodian's own row manifests as the index's way from a consent to dataset versions."""

from collections.abc import Iterable

from consentry.errors import InputRejected
from consentry.index.lineage import RowManifest
from consentry.subjects import SubjectRegister


def manifest_of(register: SubjectRegister) -> RowManifest:
    """Look consents up in a custodian's register.

    Args:
        register: the register; it knows the subjects of one custodian only.

    Returns:
        A manifest that knows nothing of other custodians' subjects.
    """

    def versions(consent_id: str, subject: str) -> Iterable[str] | None:
        if register.by_commitment(subject) is None:
            return None
        return list(register.manifests.versions_with(subject, consent_id))

    return versions


def find_row(register: SubjectRegister | None, version_id: str, position: int) -> tuple[str, tuple[str, ...]]:
    """A row as its custodian keeps it.

    Args:
        register: the custodian's; None where there is none.
        version_id: a dataset version.
        position: which of its rows, from 0 in the order in which they were registered.

    Returns:
        The id of the consent that it rests on, and the ids of the versions that hold it.

    Raises:
        InputRejected: ROW_UNKNOWN.
    """
    if register is not None and position >= 0:
        rows = register.manifests.rows_between(version_id, position, position + 1)
        if rows:
            versions = register.manifests.versions_with_row(version_id, rows[0].row_digest)
            return rows[0].consent_id, versions
    raise InputRejected(
        "ROW_UNKNOWN",
        f"The own organization keeps no row {position} of {version_id}; only the custodian of a dataset "
        "knows its rows.",
    )
