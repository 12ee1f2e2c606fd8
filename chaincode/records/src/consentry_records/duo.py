"""Matching a request with a dataset version's Data Use Ontology terms: yes, no, or for a person to decide.

Terms and their meaning: DUO (EBISPOT/DUO, duo.csv). A "no" binds: no grant can be given against it. Where a
term demands what a request cannot show, a person has to decide, and the reasons say on which term.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .dataset import DatasetVersion
from .disease_hierarchy import RELEASE
from .diseases import within
from .reasons import Reason
from .request import NewAccessRequest
from .vocabulary import (
    DISEASE_RESEARCH,
    ETHICS_APPROVAL,
    NON_COMMERCIAL_TERMS,
    RESEARCH_PURPOSES,
    terms_cover,
)

MATCH_YES = "yes"
MATCH_NO = "no"
MATCH_PERSON = "person"
MATCH_OUTCOMES = (MATCH_YES, MATCH_NO, MATCH_PERSON)
ALGORITHM = "duo-match/2"

_NO_RESTRICTION = "DUO:0000004"
_ANCESTRY_ONLY = "DUO:0000011"
_NO_METHODS = "DUO:0000015"
_GENETIC_ONLY = "DUO:0000016"
_NO_ANCESTRY = "DUO:0000044"
_COMPUTED = frozenset(
    {
        _NO_RESTRICTION,
        _ANCESTRY_ONLY,
        _NO_METHODS,
        _GENETIC_ONLY,
        _NO_ANCESTRY,
        ETHICS_APPROVAL,
        *NON_COMMERCIAL_TERMS,
        *RESEARCH_PURPOSES,
    }
)


@dataclass(frozen=True, slots=True)
class Match:
    """What the terms say to a request: one of MATCH_OUTCOMES and, unless it is yes, why."""

    outcome: str
    reasons: tuple[Reason, ...]


def match(request: NewAccessRequest, version: DatasetVersion) -> Match:
    """Match a request with one dataset version. Any "no" outweighs what is left to a person."""
    refusals = [*_purpose_refusals(request, version), *_term_refusals(request, version)]
    disease_refusals, questions = _diseases(request, version)
    refusals += disease_refusals
    if refusals:
        return Match(MATCH_NO, tuple(refusals))
    questions += [_about("DUO_TERM_FOR_PERSON", term) for term in version.duo_terms if term not in _COMPUTED]
    if any(purpose not in RESEARCH_PURPOSES for purpose in request.purposes):
        # DUO speaks of research; whether data may serve care is the custodian's own judgement.
        questions.append(Reason(code="DUO_SILENT_ON_CARE", parameters={}))
    return Match(MATCH_PERSON if questions else MATCH_YES, tuple(questions))


def _purpose_refusals(request: NewAccessRequest, version: DatasetVersion) -> list[Reason]:
    return [
        Reason(code="PURPOSE_EXCLUDED_BY_DATASET", parameters={"purpose": purpose})
        for purpose in request.purposes
        if not terms_cover(version.duo_terms, purpose)
    ]


def _term_refusals(request: NewAccessRequest, version: DatasetVersion) -> list[Reason]:
    excluded = {
        _ANCESTRY_ONLY: "ancestry" not in request.topics,
        _NO_METHODS: "methods" in request.topics,
        _GENETIC_ONLY: "genetic" not in request.topics,
        _NO_ANCESTRY: "ancestry" in request.topics,
        ETHICS_APPROVAL: request.ethics_approval_digest is None,
        **dict.fromkeys(NON_COMMERCIAL_TERMS, request.commercial),
    }
    return [_about("DUO_TERM_EXCLUDES", term) for term in version.duo_terms if excluded.get(term, False)]


def _diseases(request: NewAccessRequest, version: DatasetVersion) -> tuple[list[Reason], list[Reason]]:
    """Refusals and questions where a dataset is for research into certain diseases only."""
    broad = any(term in RESEARCH_PURPOSES and term != DISEASE_RESEARCH for term in version.duo_terms)
    wanted = any(purpose in RESEARCH_PURPOSES for purpose in request.purposes)
    if DISEASE_RESEARCH not in version.duo_terms or broad or not wanted:
        return [], []
    if not version.diseases or not request.diseases:
        return [], [Reason(code="DISEASE_NOT_STATED", parameters={})]
    answers = {disease: within(disease, version.diseases) for disease in request.diseases}
    return (
        [
            _disease("DISEASE_NOT_COVERED_BY_DATASET", d)
            for d, is_within in answers.items()
            if is_within is False
        ],
        [_disease("DISEASE_UNKNOWN", d) for d, is_within in answers.items() if is_within is None],
    )


def _about(code: str, term: str) -> Reason:
    return Reason(code=code, parameters={"term": term})


def _disease(code: str, disease: str) -> Reason:
    return Reason(code=code, parameters={"disease": disease, "release": RELEASE})


def worst(matches: Sequence[Match]) -> str:
    """The outcome for several versions together: no before person before yes."""
    outcomes = {found.outcome for found in matches}
    return next((outcome for outcome in (MATCH_NO, MATCH_PERSON) if outcome in outcomes), MATCH_YES)
