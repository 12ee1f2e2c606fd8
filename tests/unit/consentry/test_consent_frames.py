"""A frame is checked as a whole; every fault is named by row, and no value is repeated."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.consent_frames import consent_frame, digest, pseudonyms

from consentry.consent_frames import COLUMNS, batches, read_consent_frame
from consentry.errors import FrameRejected, InputRejected
from consentry_records import PrivateConsent

MSP = "NorthgateMSP"


def faults(frame: pd.DataFrame) -> list[tuple[int, str]]:
    with pytest.raises(FrameRejected) as caught:
        read_consent_frame(frame, MSP)
    return [(problem.row, problem.column) for problem in caught.value.problems]


def with_value(column: str, value: object, row: int = 1) -> pd.DataFrame:
    frame = consent_frame(pseudonyms(3)).astype(object)
    values = list(frame[column])
    values[row] = value
    frame[column] = pd.Series(values, dtype=object)
    return frame


def test_rows_become_records_in_their_order() -> None:
    consents = read_consent_frame(consent_frame(pseudonyms(3)), MSP)
    assert [consent.pseudonym for consent in consents] == pseudonyms(3)
    assert len({id(consent.terms) for consent in consents}) == 1
    assert consents[0].terms.controller == MSP
    assert consents[0].claimed_at is None
    document = consents[0].manner.document("p", bytes(32), digest("2"))
    assert PrivateConsent.from_bytes(document).to_dict() == {
        "pseudonym": "p",
        "salt": "0" * 64,
        "notice_version": "2025-1",
        "evidence_digest": digest("2"),
        "method": "paper form",
        "language": "en",
        "jurisdiction": None,
        "withdrawal_method": None,
        "declared_by": "subject",
        "mandate_digest": None,
        "consent_type": None,
        "storage_locations": [],
        "retained_until": None,
        "processing_methods": [],
        "processing_locations": [],
        "geographic_restrictions": None,
        "optional_categories": None,
        "schema": "consentry.private-consent/4",
    }


def test_a_guardian_an_earlier_date_and_a_jurisdiction_are_kept() -> None:
    frame = consent_frame(["child", "adult", "paper"]).assign(
        declared_by=["guardian", "subject", "subject"],
        mandate_digest=[digest("3"), "", None],
        claimed_at=["", float("nan"), "2024-02-29T10:00:00.000Z"],
        jurisdiction=["DE-BY", "", None],
        withdrawal_method=["portal", "", None],
    )
    consents = read_consent_frame(frame, MSP)
    assert [consent.claimed_at for consent in consents] == [None, None, "2024-02-29T10:00:00.000Z"]
    child = PrivateConsent.from_bytes(consents[0].manner.document("child", bytes(32), digest("2")))
    assert (child.declared_by, child.mandate_digest) == ("guardian", digest("3"))
    assert (child.jurisdiction, child.withdrawal_method) == ("DE-BY", "portal")


def test_how_clearly_and_where_and_how_long_is_kept() -> None:
    frame = consent_frame(["first", "second"]).assign(
        consent_type=["explicit", ""],
        storage_locations=[["DE-BY", "FR"], None],
        retained_until=["2036-01-01T00:00:00.000Z", ""],
    )
    consents = read_consent_frame(frame, MSP)
    first, second = (
        PrivateConsent.from_bytes(consent.manner.document("p", bytes(32), digest("2")))
        for consent in consents
    )
    assert (first.consent_type, first.storage_locations) == ("explicit", ("DE-BY", "FR"))
    assert first.retained_until == "2036-01-01T00:00:00.000Z"
    assert (second.consent_type, second.storage_locations, second.retained_until) == (None, (), None)
    wrong = consent_frame(["first"]).assign(consent_type=["loud"], storage_locations=[["Bavaria"]])
    assert faults(wrong) == [(0, "consent_type"), (0, "storage_locations")]


def test_how_and_where_data_are_processed_is_kept() -> None:
    frame = consent_frame(["first", "second"]).assign(
        processing_methods=[["collect", "analyse"], None],
        processing_locations=[np.array(["IE"]), float("nan")],
        geographic_restrictions=[[], None],
        optional_categories=[["imaging"], float("nan")],
    )
    consents = read_consent_frame(frame, MSP)
    first, second = (
        PrivateConsent.from_bytes(consent.manner.document("p", bytes(32), digest("2")))
        for consent in consents
    )
    assert (first.processing_methods, first.processing_locations) == (("collect", "analyse"), ("IE",))
    assert (first.geographic_restrictions, first.optional_categories) == ((), ("imaging",))
    assert (second.processing_methods, second.processing_locations) == ((), ())
    assert (second.geographic_restrictions, second.optional_categories) == (None, None)


def test_processing_that_no_code_names_is_refused_by_column() -> None:
    wrong = consent_frame(["first", "second"]).assign(
        processing_methods=[["sell"], ["use"]],
        processing_locations=[["Bavaria"], ["IE"]],
        geographic_restrictions=[["everywhere"], "EEA"],
        optional_categories=[["Free text"], None],
    )
    columns = ["processing_methods", "processing_locations", "geographic_restrictions", "optional_categories"]
    assert faults(wrong) == [*((0, column) for column in columns), (1, "geographic_restrictions")]


def test_only_a_category_of_the_consent_can_be_optional() -> None:
    wrong = consent_frame(["first", "second"]).assign(
        optional_categories=[["imaging"], ["imaging", "genome"]]
    )
    assert faults(wrong) == [(1, "optional_categories")]


def test_who_declares_for_another_has_a_mandate() -> None:
    frame = consent_frame(["p", "q"]).assign(
        declared_by=["proxy", "subject"], mandate_digest=[None, digest("3")]
    )
    assert faults(frame) == [(0, "mandate_digest"), (1, "mandate_digest")]


def test_a_controller_of_its_own_is_kept() -> None:
    frame = consent_frame(["p"]).assign(controller=["OtherMSP"])
    assert read_consent_frame(frame, MSP)[0].terms.controller == "OtherMSP"


def test_lists_may_be_tuples_and_arrays() -> None:
    frame = consent_frame(["p", "q"])
    frame["purposes"] = pd.Series([("TREAT",), np.array(["TREAT", "DUO:0000006"])], dtype=object)
    assert [len(consent.terms.purposes) for consent in read_consent_frame(frame, MSP)] == [1, 2]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("pseudonym", None),
        ("pseudonym", "Zoe\u0308"),  # not in normal form C: "Zoë" in five characters
        ("language", "English, please"),
        ("pseudonym", ""),
        ("pseudonym", 7),
        ("pseudonym", "line\nbreak"),
        ("pseudonym", "x" * 257),
        ("purposes", []),
        ("purposes", "TREAT"),
        ("purposes", None),
        ("purposes", ["curiosity"]),
        ("purposes", ["TREAT", "TREAT"]),
        ("restrictions", ["DUO:0000021"]),
        ("categories", ["Not A Slug"]),
        ("categories", []),
        ("recipients", ["not an msp id!"]),
        ("not_before", "yesterday"),
        ("not_before", pd.NaT),
        ("not_before", None),
        ("not_before", 1735689600),
        ("not_before", pd.Timestamp("2025-01-01")),
        ("not_before", datetime(2025, 1, 1)),
        ("not_after", "2024-01-01T00:00:00.000Z"),
        ("not_after", "2025-01-01T00:00:00.000Z"),
        ("notice_version", float("nan")),
        ("notice_digest", "sha256:short"),
        ("notice_digest", b"bytes"),
        ("evidence_digest", "md5:" + "0" * 32),
        ("method", ""),
        ("language", 1),
    ],
)
def test_a_faulty_value_is_named_by_row_and_column(column: str, value: object) -> None:
    assert faults(with_value(column, value)) == [(1, column)]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000Z"),
        ("2025-01-01T02:30+02:30", "2025-01-01T00:00:00.000Z"),
        ("2025-01-01 00:00:00.120+00:00", "2025-01-01T00:00:00.120Z"),
    ],
)
def test_times_are_iso_8601_with_a_zone(written: str, instant: str) -> None:
    consents = read_consent_frame(with_value("not_before", written), MSP)
    assert consents[1].terms.not_before == instant


@pytest.mark.parametrize(
    "written", ["2025-01-01", "2025-01-01T00:00:00", "2025-01-01T00:00:00.0001Z", "1969-12-31T00:00Z"]
)
def test_a_time_without_zone_or_finer_than_the_ledger_is_faulty(written: str) -> None:
    assert faults(with_value("not_before", written)) == [(1, "not_before")]


def test_all_faults_of_all_rows_are_listed() -> None:
    frame = with_value("notice_digest", "none", row=0)
    frame.at[0, "purposes"] = ["curiosity"]
    frame.at[0, "recipients"] = ["no one!"]
    frame.at[2, "pseudonym"] = ""
    frame.at[2, "evidence_digest"] = None
    assert sorted(faults(frame)) == [
        (0, "notice_digest"),
        (0, "purposes"),
        (0, "recipients"),
        (2, "evidence_digest"),
        (2, "pseudonym"),
    ]


def test_one_faulty_object_in_many_rows_is_a_fault_of_each() -> None:
    frame = consent_frame(["a", "b", "c", "d"])
    shared = ["no-such-purpose"]
    frame["purposes"] = [shared, shared, ["TREAT"], shared]
    assert faults(frame) == [(0, "purposes"), (1, "purposes"), (3, "purposes")]


def test_a_wrong_period_is_found_beside_other_faults() -> None:
    frame = with_value("not_after", "2024-01-01T00:00:00.000Z")
    frame.at[1, "purposes"] = ["curiosity"]
    assert sorted(faults(frame)) == [(1, "not_after"), (1, "purposes")]


@given(secret=st.text(min_size=1, max_size=40))
def test_messages_never_repeat_a_value(secret: str) -> None:
    marked = f"<<{secret}>>"
    frame = consent_frame(["p"]).astype(object)
    for column in COLUMNS:
        frame[column] = pd.Series([marked if column != "purposes" else [marked]], dtype=object)
    with pytest.raises(FrameRejected) as caught:
        read_consent_frame(frame, MSP)
    assert marked not in str(caught.value)
    assert not any(marked in str(problem) for problem in caught.value.problems)


def test_a_long_list_of_faults_is_cut_in_the_sentence_and_whole_in_the_error() -> None:
    frame = consent_frame(pseudonyms(100)).assign(method="")
    with pytest.raises(FrameRejected) as caught:
        read_consent_frame(frame, MSP)
    assert len(caught.value.problems) == 100
    assert "100 rows are faulty" in str(caught.value)
    assert "and 80 more" in str(caught.value)


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_needed(column: str) -> None:
    with pytest.raises(InputRejected, match=f"missing: {column}") as caught:
        read_consent_frame(consent_frame(["p"]).drop(columns=column), MSP)
    assert caught.value.code == "FRAME_COLUMNS"


def test_unknown_and_doubled_columns_are_refused() -> None:
    frame = consent_frame(["p"])
    with pytest.raises(InputRejected, match="unknown: purpose"):
        read_consent_frame(frame.assign(purpose="TREAT"), MSP)
    with pytest.raises(InputRejected, match="doubled: method"):
        read_consent_frame(pd.concat([frame, frame[["method"]]], axis=1), MSP)


def test_an_empty_frame_and_something_else_are_refused() -> None:
    with pytest.raises(InputRejected) as caught:
        read_consent_frame(consent_frame([]), MSP)
    assert caught.value.code == "FRAME_EMPTY"
    with pytest.raises(InputRejected, match="expected a pandas DataFrame"):
        read_consent_frame({"pseudonym": ["p"]}, MSP)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(1, 12))
def test_batches_hold_everything_and_keep_subjects_together(people: list[int], size: int) -> None:
    consents = read_consent_frame(consent_frame([f"p{number}" for number in people]), MSP)
    parts = batches(consents, size)
    assert sorted(id(consent) for part in parts for consent in part) == sorted(map(id, consents))
    assert all(1 <= len(part) <= size for part in parts)
    for name in {consent.pseudonym for consent in consents}:
        count = sum(consent.pseudonym == name for consent in consents)
        holding = sum(any(consent.pseudonym == name for consent in part) for part in parts)
        assert holding == -(-count // size) or (count > size and holding <= count // size + 1)


@pytest.mark.parametrize("kind", ["string", "str", "category", object])
def test_text_is_read_alike_of_every_kind_of_column(kind: object) -> None:
    frame = consent_frame(pseudonyms(4))
    expected = read_consent_frame(frame.astype(object), MSP)
    for column in ("pseudonym", "notice_version", "language", "evidence_digest"):
        frame[column] = frame[column].astype(kind)
    assert [str(consent) for consent in read_consent_frame(frame, MSP)] == [str(one) for one in expected]
    assert [consent.pseudonym for consent in read_consent_frame(frame, MSP)] == pseudonyms(4)
    frame.loc[2, "pseudonym"] = None
    assert faults(frame) == [(2, "pseudonym")]


def test_times_of_a_column_with_a_zone_are_read_as_its_cells() -> None:
    frame = consent_frame(pseudonyms(3))
    frame["claimed_at"] = pd.to_datetime(["2024-05-01T12:00:00+02:00", None, "2024-05-01T12:00:00+02:00"])
    assert [consent.claimed_at for consent in read_consent_frame(frame, MSP)] == [
        "2024-05-01T10:00:00.000Z",
        None,
        "2024-05-01T10:00:00.000Z",
    ]
    frame["not_before"] = pd.Series([frame["not_before"][0], pd.NaT, frame["not_before"][2]])
    assert faults(frame) == [(1, "not_before")]
