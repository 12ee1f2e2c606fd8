"""The custodian's own row manifests as the index's way from a consent to dataset versions."""

from collections.abc import Iterable

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
