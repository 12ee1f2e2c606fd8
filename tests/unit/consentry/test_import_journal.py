"""Which imports are one and the same, over releases of the records too."""

from __future__ import annotations

import pandas as pd
import pytest
from support.consent_frames import consent_frame

from consentry.consent_frames import read_consent_frame
from consentry.import_journal import content_of

OF_TWO = "8337bc0181dfc57b746fe30e66c2e47e0fac6cd376b4d063ff172baf1f69c573"
"""What the release before the fourth form of private documents called an import of this file's frame."""


def _content(frame: pd.DataFrame) -> str:
    return content_of([read_consent_frame(frame, "NorthgateMSP")])


def test_an_import_that_began_before_an_upgrade_is_known_after_it() -> None:
    assert _content(consent_frame(["p-1", "p-2"])) == OF_TWO


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("processing_methods", ["collect"]),
        ("processing_locations", ["DE"]),
        ("geographic_restrictions", []),
        ("optional_categories", []),
        ("notice_version", "another"),
        ("language", "fr"),
    ],
)
def test_what_states_more_or_other_things_is_another_import(column: str, value: object) -> None:
    frame = consent_frame(["p-1", "p-2"])
    frame[column] = [value] * len(frame)
    assert _content(frame) != OF_TWO


def test_other_people_and_another_order_are_another_import() -> None:
    assert _content(consent_frame(["p-2", "p-1"])) != OF_TWO
    assert _content(consent_frame(["p-1", "p-3"])) != OF_TWO
