"""Earlier forms of dataset versions, and what they are in the next form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import FieldError, describe
from .transformation import UNSPECIFIED, Transformation


def version_from_version_1(body: Mapping[str, Any]) -> dict[str, Any]:
    """`consentry.version/1` as `consentry.version/2`: active, its transformation of a kind that nobody kept.

    The fields that it shares with the next form are read there. Raises FieldError where one of its own is
    missing or one of the next form's is there.
    """
    later = dict(body)
    if "transformation_digest" not in later:
        raise FieldError("FIELD_MISSING", {"record": "DatasetVersion", "field": "transformation_digest"})
    digest = later.pop("transformation_digest")
    if digest is not None:
        later["transformation"] = Transformation(
            kinds=(UNSPECIFIED,), code_digest=digest, parameters_digest=None, environment_digest=None
        )
    added: dict[str, Any] = {
        "transformation": None,
        "supersedes": None,
        "removed_count": 0,
        "removed_root": None,
        "diseases": [],
        "state": "active",
        "retirement": None,
    }
    doubled = next((name for name in added if name in body), None)
    if doubled is not None:
        raise FieldError(
            "FIELD_INVALID",
            {
                "record": "DatasetVersion",
                "field": doubled,
                "expected": "nothing",
                "got": describe(body[doubled]),
            },
        )
    return {**added, **later, "schema": "consentry.version/2"}
