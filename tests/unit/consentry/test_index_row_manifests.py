"""The custodian's register as the way from a consent to dataset versions."""

from pathlib import Path

from consentry.index.row_manifests import manifest_of
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister

FIRST, SECOND = "consent-" + "1" * 32, "consent-" + "2" * 32


def test_versions_are_those_with_a_row_under_the_consent(tmp_path: Path) -> None:
    with SubjectRegister(tmp_path / "custody" / "subjects.sqlite") as register:
        subject = register.ensure(["P-0042"])["P-0042"].commitment
        dataset = register.manifests.ensure_dataset("biopsies", "dataset-1")
        for number, consent in enumerate((FIRST, SECOND, FIRST), start=1):
            name = f"version-{number}"
            row = ManifestRow("hmac-sha256:" + "0" * 64, subject, consent)
            register.manifests.add_version(name, dataset.dataset_id, number, [row])
            if number < 3:
                register.manifests.mark_registered(name)
        versions = manifest_of(register)
        assert list(versions(FIRST, subject) or ()) == ["version-1"]
        assert list(versions(SECOND, subject) or ()) == ["version-2"]
        assert versions("consent-unknown", subject) == []
        assert versions(FIRST, "hmac-sha256:of another custodian") is None
