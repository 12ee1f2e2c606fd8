"""Why access is denied or a request does not match: codes with typed parameters on the ledger, words only
here (DESIGN.md §6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .columns import COLUMN
from .errors import field_invalid
from .kinds import DIGEST, DISEASE, INSTANT, MONDO_RELEASE, MSP_ID, SLUG, Choice, Kind, identifier
from .record import Record
from .roles import ROLES
from .vocabulary import DUO_TERMS, PURPOSES

_GRANT: Mapping[str, Kind] = {"grant_id": identifier("grant")}
_FUNCTION: Mapping[str, Kind] = {"function": DIGEST}
_PURPOSE: Mapping[str, Kind] = {"purpose": Choice(PURPOSES)}
_TERM: Mapping[str, Kind] = {"term": Choice(DUO_TERMS)}
_DISEASE: Mapping[str, Kind] = {"disease": DISEASE, "release": MONDO_RELEASE}


@dataclass(frozen=True, slots=True)
class ReasonEntry:
    """The words of a reason, a template over its parameters, and how each parameter is read."""

    words: str
    parameters: Mapping[str, Kind]


CATALOGUE: Mapping[str, ReasonEntry] = MappingProxyType(
    {
        "ROLE_MISSING": ReasonEntry(
            "the requester's certificate lacks the role {role}", {"role": Choice(ROLES)}
        ),
        "REQUESTER_UNKNOWN": ReasonEntry(
            "organization {msp_id} is not in the consortium", {"msp_id": MSP_ID}
        ),
        "NO_GRANT": ReasonEntry(
            "organization {msp_id} has no grant on dataset version {version_id}",
            {"msp_id": MSP_ID, "version_id": identifier("version")},
        ),
        "PURPOSE_NOT_COVERED": ReasonEntry(
            "grant {grant_id} does not cover purpose {purpose}", {**_GRANT, **_PURPOSE}
        ),
        "PURPOSE_EXCLUDED_BY_DATASET": ReasonEntry(
            "the dataset's DUO terms do not cover purpose {purpose}", _PURPOSE
        ),
        "COMMERCIAL_USE_EXCLUDED": ReasonEntry(
            "grant {grant_id} or its dataset excludes commercial use", _GRANT
        ),
        "ETHICS_APPROVAL_MISSING": ReasonEntry(
            "grant {grant_id} lacks the ethics approval that it requires", _GRANT
        ),
        "GRANT_EXPIRED": ReasonEntry(
            "grant {grant_id} ended at {not_after}", {**_GRANT, "not_after": INSTANT}
        ),
        "GRANT_NOT_YET_VALID": ReasonEntry(
            "grant {grant_id} begins at {not_before}", {**_GRANT, "not_before": INSTANT}
        ),
        "GRANT_REVOKED": ReasonEntry("grant {grant_id} was revoked", _GRANT),
        "VERSION_RETIRED": ReasonEntry(
            "dataset version {version_id} is retired", {"version_id": identifier("version")}
        ),
        "GRANT_SUSPENDED": ReasonEntry("grant {grant_id} was suspended by the regulator", _GRANT),
        "DISEASE_NOT_COVERED": ReasonEntry("grant {grant_id} is not for the diseases of the attempt", _GRANT),
        "PERSON_NOT_NAMED": ReasonEntry("grant {grant_id} does not name the requester", _GRANT),
        "PROJECT_NOT_CERTIFIED": ReasonEntry(
            "the requester's certificate does not name the project of grant {grant_id}", _GRANT
        ),
        "OUTPUT_NOT_AGGREGATE": ReasonEntry("grant {grant_id} lets only aggregates leave", _GRANT),
        "COUNTRY_EXCLUDED": ReasonEntry(
            "grant {grant_id} is not for the country of the requester's organization", _GRANT
        ),
        "COLUMNS_NOT_NAMED": ReasonEntry(
            "grant {grant_id} is for some columns; the attempt names none, and so asks for all", _GRANT
        ),
        "COLUMN_NOT_COVERED": ReasonEntry(
            "grant {grant_id} does not cover column {column}", {**_GRANT, "column": COLUMN}
        ),
        "CATEGORY_NOT_COVERED": ReasonEntry(
            "grant {grant_id} does not cover data of category {category}", {**_GRANT, "category": SLUG}
        ),
        "USES_EXHAUSTED": ReasonEntry("all uses of grant {grant_id} are taken", _GRANT),
        "FUNCTION_NOT_APPROVED": ReasonEntry(
            "the custodian does not approve function {function} for this version and purpose", _FUNCTION
        ),
        "FUNCTION_NOT_YET_APPROVED": ReasonEntry(
            "the custodian's approval of function {function} begins at {not_before}",
            {**_FUNCTION, "not_before": INSTANT},
        ),
        "FUNCTION_APPROVAL_ENDED": ReasonEntry(
            "the custodian's approval of function {function} ended at {not_after}",
            {**_FUNCTION, "not_after": INSTANT},
        ),
        "EMERGENCY_NOT_CARE": ReasonEntry(
            "an emergency permits treatment only, not purpose {purpose}", _PURPOSE
        ),
        "EMERGENCY_NOT_HOSPITAL": ReasonEntry(
            "organization {msp_id} is no hospital and may not break the glass", {"msp_id": MSP_ID}
        ),
        "EMERGENCY_UNJUSTIFIED": ReasonEntry(
            "the review found no justification for the emergency access {attempt_id}",
            {"attempt_id": identifier("attempt")},
        ),
        "DUO_TERM_EXCLUDES": ReasonEntry("the dataset's term {term} excludes the request", _TERM),
        "DUO_TERM_FOR_PERSON": ReasonEntry("the dataset's term {term} is for a person to judge", _TERM),
        "DUO_SILENT_ON_CARE": ReasonEntry("the Data Use Ontology does not speak of care", {}),
        "DISEASE_NOT_STATED": ReasonEntry(
            "the dataset is for disease-specific research; the diseases are not stated on both sides", {}
        ),
        "DISEASE_NOT_COVERED_BY_DATASET": ReasonEntry(
            "the dataset is not for research into {disease}, by Mondo {release}", _DISEASE
        ),
        "DISEASE_UNKNOWN": ReasonEntry(
            "Mondo {release} lacks {disease} or a disease of the dataset, or has it as obsolete", _DISEASE
        ),
    }
)
"""Code → words and parameters."""


@dataclass(frozen=True, slots=True)
class _AnyParameters:
    """An object of short texts; which ones a reason has, its own check says."""

    def read(self, value: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping) or len(value) > 8:
            raise field_invalid("an object of at most 8 names", value)
        return MappingProxyType(dict(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Record):
    """One reason of a denial: a code of the catalogue with exactly the parameters that its words use."""

    code: Annotated[str, Choice(CATALOGUE)]
    parameters: Annotated[Mapping[str, str], _AnyParameters()]

    def check(self) -> None:
        """The parameters are those of the code, each of its kind; raises FieldError."""
        expected = CATALOGUE[self.code].parameters
        if len(expected) != len(self.parameters) or any(name not in self.parameters for name in expected):
            raise field_invalid(f"parameters {', '.join(expected)}", self.parameters).within(
                "Reason", "parameters"
            )
        for name, kind in expected.items():
            kind.read(self.parameters[name])


def words(reason: Reason) -> str:
    """The reason as a sentence."""
    return CATALOGUE[reason.code].words.format_map(reason.parameters)
