"""Frames of made-up consents."""

from collections.abc import Sequence

import pandas as pd

START = "2025-01-01T00:00:00.000Z"
END = "2027-01-01T00:00:00.000Z"
RESEARCH = "DUO:0000006"
CARE = "TREAT"
NON_COMMERCIAL = "DUO:0000046"


def digest(text: str = "0") -> str:
    """A digest of nothing in particular."""
    return "sha256:" + text * 64


def consent_frame(
    pseudonyms: Sequence[str],
    purposes: Sequence[str] = (CARE, RESEARCH),
    restrictions: Sequence[str] = (),
) -> pd.DataFrame:
    """One consent for each pseudonym."""
    count = len(pseudonyms)
    return pd.DataFrame(
        {
            "pseudonym": list(pseudonyms),
            "purposes": [list(purposes)] * count,
            "restrictions": [list(restrictions)] * count,
            "categories": [["imaging"]] * count,
            "recipients": [["ANY_MEMBER"]] * count,
            "not_before": [START] * count,
            "not_after": pd.to_datetime([END] * count),
            "notice_version": ["2025-1"] * count,
            "notice_digest": [digest("1")] * count,
            "evidence_digest": [digest("2")] * count,
            "method": ["paper form"] * count,
            "language": ["en"] * count,
        }
    )


def pseudonyms(count: int, prefix: str = "patient") -> list[str]:
    """Made-up pseudonyms."""
    return [f"{prefix}-{number:05d}" for number in range(count)]
