"""The empty form for files of consents: what is in it is what an import takes."""

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from consentry.cli.consent_template import consent_template
from consentry.cli.frames import read_consents
from consentry.cli.main import run
from consentry.consent_frames import COLUMNS, FrameConsent, read_consent_frame
from consentry.errors import FrameRejected, InputRejected
from consentry_records import PrivateConsent

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def document_of(consent: FrameConsent) -> PrivateConsent:
    document = consent.manner.document("p", bytes(32), consent.evidence_digest)
    return PrivateConsent.from_bytes(document)


def test_a_completed_form_is_a_consent(tmp_path: Path) -> None:
    notice = tmp_path / "notice.pdf"
    notice.write_bytes(b"what patients are told")
    file = tmp_path / "consents.csv"
    text = consent_template(notice, NOW).replace("\n,", "\nN-0001,")
    file.write_text(text.replace("<of the signed form>", "2" * 64))
    frame = read_consents(file)
    assert tuple(frame.columns) == COLUMNS
    (consent,) = read_consent_frame(frame, "NorthgateMSP")
    assert consent.terms.notice_digest == "sha256:" + sha256(b"what patients are told").hexdigest()
    assert consent.terms.not_before == "2026-11-29T12:00:00.000Z"


def test_the_form_with_what_a_notice_says_is_a_consent(tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    text = consent_template(None, NOW, notice_columns=True).replace("\n,", "\nN-0001,")
    text = text.replace("<of the signed form>", "2" * 64).replace("<of the notice>", "1" * 64)
    file.write_text(text)
    (consent,) = read_consent_frame(read_consents(file), "NorthgateMSP")
    document = document_of(consent)
    assert document.processing_locations == ("IE", "DE")
    assert (document.geographic_restrictions, document.optional_categories) == (("EEA",), ())
    assert document.retained_until is None
    file.write_text(text.replace(",EEA,none", ",,diagnosis"))
    (consent,) = read_consent_frame(read_consents(file), "NorthgateMSP")
    document = document_of(consent)
    assert (document.geographic_restrictions, document.optional_categories) == (None, ("diagnosis",))


def test_none_beside_a_code_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    text = consent_template(None, NOW, notice_columns=True).replace(",EEA,none", ",none;EEA,none;imaging")
    file.write_text(text)
    with pytest.raises(FrameRejected) as caught:
        read_consent_frame(read_consents(file), "NorthgateMSP")
    assert "geographic_restrictions" in {problem.column for problem in caught.value.problems}


def test_the_example_as_it_stands_is_nobodys_consent(tmp_path: Path) -> None:
    file = tmp_path / "consents.csv"
    file.write_text(consent_template(None, NOW))
    with pytest.raises(FrameRejected) as caught:
        read_consent_frame(read_consents(file), "NorthgateMSP")
    assert {problem.column for problem in caught.value.problems} == {
        "pseudonym",
        "notice_digest",
        "evidence_digest",
    }


def test_a_notice_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="cannot be read") as caught:
        consent_template(tmp_path / "missing.pdf", NOW)
    assert caught.value.code == "FILE_UNREADABLE"


def test_the_command_prints_the_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["consents", "template"]) == 0
    header, example = capsys.readouterr().out.splitlines()
    assert header == ",".join(COLUMNS)
    assert example.startswith(",")
