"""Who accessed health data: for the person concerned (EHDS Art. 9), and as a dataset's log (EHDS Art. 73)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from consentry.index import Access, AccessFilter, RowManifest, Trail
from consentry.index.accesses import every_access
from consentry.index.checkpoint import IndexFault
from consentry.index.rows import links_to
from consentry.reports.figures import Figure, time_line
from consentry.reports.report import Report, Table, make_table
from consentry.reports.sources import attempts_by_outcome, completeness_of
from consentry.reports.subject_data import collect
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import on_record, outcome, purpose_of, when, which_data, who

PERSON_KIND = "ehds-9"
DATASET_KIND = "ehds-73"
FILTERED_KIND = "ehds-73-excerpt"

_Accesses = tuple[Access, ...]
_Sessions = Mapping[str, Sequence[str]]
"""Attempt → training sessions."""


@dataclass(frozen=True)
class PersonAccessRow:
    """One access to a person's data."""

    when: Annotated[Value, Reported("Date and time", "EHDS Art. 9(2)(b)")]
    who: Annotated[Value, Reported("Who accessed", "EHDS Art. 9(2)(a)")]
    data: Annotated[Value, Reported("Which data", "EHDS Art. 9(2)(c)")]
    purpose: Annotated[Value, Reported("Purpose", "EHDS Art. 9(1)")]
    record: Annotated[Value, Reported("On record", "EHDS Art. 9(3)")]


@dataclass(frozen=True)
class DatasetAccessRow:
    """One attempt at access to a dataset, and what was done under it."""

    when: Annotated[Value, Reported("Date and time", "EHDS Art. 73(1)(e)")]
    who: Annotated[Value, Reported("Who", "EHDS Art. 73(1)(d), (e)")]
    data: Annotated[Value, Reported("Which data", "EHDS Art. 73(1)(e)")]
    purpose: Annotated[Value, Reported("Purpose", "EHDS Art. 68")]
    outcome: Annotated[Value, Reported("Outcome", "EHDS Art. 73(1)(b)")]
    permit: Annotated[Value, Reported("Permit (grant)", "EHDS Art. 73(1)(b)")]
    activities: Annotated[Value, Reported("Activities", "EHDS Art. 73(1)(e)")]
    record: Annotated[Value, Reported("On record", "EHDS Art. 73(3)")]


def person_access_report(
    trail: Trail, subject: str, *, generated_at: str, manifest: RowManifest | None = None
) -> Report:
    """Tell one person who accessed data about him or her.

    Args:
        trail: the index.
        subject: the person's commitment.
        generated_at: instant at which the report is made.
        manifest: the custodian's row manifests.

    Raises:
        IndexFault: INDEX_EMPTY, SUBJECT_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    with trail.snapshot() as connection:
        data = collect(connection, subject, manifest)
    accesses = [access for access in data.accesses if access.outcome == "permit"]
    return Report(
        kind=PERSON_KIND,
        title="Who accessed your health data",
        law="Information under Article 9 of the European Health Data Space Regulation (EU) 2025/327, "
        "made from the ledger.",
        facts=(("Custodian", data.custodian), ("Person", subject)),
        generated_at=generated_at,
        completeness=completeness,
        basis=data.basis,
        statements="What Article 9 asks for beside the accesses",
        fields=(
            ReportField("count", "Accesses", "EHDS Art. 9(2)", str(len(accesses))),
            ReportField(
                "kept", "How long this is kept", "EHDS Art. 9(3)", "at least three years: the ledger keeps it"
            ),
            ReportField(
                "restricted",
                "Restrictions of this right",
                "EHDS Art. 9(4)",
                Unavailable("the ledger records no restriction; ask the custodian"),
            ),
        ),
        tables=(
            make_table(
                "accesses",
                "Accesses",
                "Nobody accessed data about you.",
                PersonAccessRow,
                map(_person_row, accesses),
            ),
        ),
        figures=_figures(accesses),
        remarks=data.remarks,
    )


def dataset_access_report(trail: Trail, dataset: str, *, generated_at: str) -> Report:
    """The log of a dataset: every attempt at access, permitted or not, and what was done with it.

    Args:
        trail: the index.
        dataset: id or name of the dataset, or id of one version.
        generated_at: instant at which the report is made.

    Raises:
        IndexFault: INDEX_EMPTY, DATASET_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    accesses, sessions = _attempts(trail, AccessFilter(dataset=dataset))
    if not accesses and not _exists(trail, dataset):
        raise IndexFault(
            "DATASET_NOT_INDEXED", f"The index has no dataset {dataset!r}; `consentry trail` lists them."
        )
    people = {(access.requester_msp, access.requester) for access in accesses}
    return Report(
        kind=DATASET_KIND,
        title=f"Access log of {dataset}",
        law="Log under Article 73 of the European Health Data Space Regulation (EU) 2025/327, "
        "made from the ledger.",
        facts=(("Dataset", dataset),),
        generated_at=generated_at,
        completeness=completeness,
        basis="All attempts on versions of the dataset, in the order of the ledger.",
        statements="What Article 73 asks for beside the log",
        fields=(
            ReportField("attempts", "Attempts at access", "EHDS Art. 73(1)(e)", str(len(accesses))),
            ReportField("people", "Different persons who tried", "EHDS Art. 73(1)(d)", str(len(people))),
            ReportField(
                "kept",
                "How long this is kept",
                "EHDS Art. 73(1)(e)",
                "at least one year: the ledger keeps it",
            ),
        ),
        tables=(_attempts_table(accesses, sessions, "Nobody tried to access this dataset."),),
        figures=_figures(accesses),
    )


def filtered_access_report(
    trail: Trail, wanted: AccessFilter, *, facts: Sequence[tuple[str, str]], most: int, generated_at: str
) -> Report:
    """What a filter finds among all attempts, the oldest first, and whether that is all of it.

    Args:
        trail: the index.
        wanted: the filter.
        facts: the filter in words: field and value.
        most: how many attempts at most.
        generated_at: instant at which the report is made.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    completeness = completeness_of(trail)
    found, sessions = _attempts(trail, wanted, most + 1)
    accesses = found[:most]
    cut = f"only the first {most}: narrow the filter for the rest" if len(found) > most else "all of them"
    return Report(
        kind=FILTERED_KIND,
        title="Attempts at access by a filter",
        law="Excerpt from the log under Article 73 of the European Health Data Space Regulation "
        "(EU) 2025/327, made from the ledger.",
        facts=tuple(facts),
        generated_at=generated_at,
        completeness=completeness,
        basis="Attempts that the filter finds, in the order of the ledger.",
        statements="How much this is",
        fields=(
            ReportField("attempts", "Attempts listed", "EHDS Art. 73(1)(e)", str(len(accesses))),
            ReportField("cut", "Of those that the filter finds", "EHDS Art. 73(1)(e)", cut),
        ),
        tables=(_attempts_table(accesses, sessions, "The filter finds no attempt."),),
    )


def _attempts(trail: Trail, wanted: AccessFilter, most: int | None = None) -> tuple[_Accesses, _Sessions]:
    """The attempts that a filter finds, and the training sessions that used each permit."""
    with trail.snapshot() as connection:
        found = every_access(connection, wanted, most)
        permitted = [access.attempt_id for access in found if access.outcome == "permit"]
        return found, links_to(connection, "attempt", permitted, "session")


def _attempts_table(accesses: _Accesses, sessions: _Sessions, empty: str) -> Table:
    rows = (_dataset_row(access, sessions.get(access.attempt_id, ())) for access in accesses)
    return make_table("accesses", "Attempts at access", empty, DatasetAccessRow, rows)


def _exists(trail: Trail, dataset: str) -> bool:
    return trail.record("dataset", dataset) is not None or bool(trail.records("dataset", name=dataset))


def _figures(accesses: Iterable[Access]) -> tuple[Figure, ...]:
    drawn = time_line("accesses", "Accesses over time", attempts_by_outcome(accesses))
    return (drawn,) if drawn is not None else ()


def _person_row(access: Access) -> PersonAccessRow:
    return PersonAccessRow(
        when=access.decided_at,
        who=who(access),
        data=which_data(access),
        purpose=purpose_of(access),
        record=on_record(access),
    )


def _dataset_row(access: Access, sessions: Iterable[str]) -> DatasetAccessRow:
    return DatasetAccessRow(
        when=when(access),
        who=who(access),
        data=which_data(access),
        purpose=purpose_of(access),
        outcome=outcome(access),
        permit=access.grant_id or "none: not permitted",
        activities=tuple(f"training session {session}" for session in sessions) or "none on record",
        record=on_record(access),
    )
