"""Which completeness chains a report has to carry, and what they say up to when it is complete."""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, select

from consentry.index import RowManifest
from consentry.index.accesses import versions_of_dataset
from consentry.index.epochs import closed_epochs, followed
from consentry.index.lineage import consent_versions
from consentry.index.rows import find_records, get_records
from consentry.index.schema import chains, records
from consentry.reports.report import Report
from consentry_records.chains import DATASET, SUBJECT, chain_name

CONSENTS_ONLY = "gdpr-7"
SUBJECT_FACTS: Mapping[str, str] = {
    CONSENTS_ONLY: "Subject",
    "gdpr-15": "Subject",
    "ehds-9": "Person",
    "hipaa-164-528": "Individual",
}
"""Kind of a report on one subject → the fact that names the subject's commitment."""
DATASET_FACTS: Mapping[str, str] = {"ehds-73": "Dataset"}
"""Kind of a report on one dataset → the fact that names it."""


def about(report: Report) -> str | None:
    """The subject or dataset that a report is about; None for a report on anything else."""
    fact = SUBJECT_FACTS.get(report.kind) or DATASET_FACTS.get(report.kind)
    return None if fact is None else dict(report.facts)[fact]


def chains_of(connection: Connection, report: Report, manifest: RowManifest | None) -> dict[str, str]:
    """Names of the chains that a report rests on, with their custodians."""
    wanted = about(report)
    if wanted is None:
        return {}
    if report.kind in DATASET_FACTS:
        names = {chain_name(DATASET, found) for found in _datasets_named(connection, wanted)}
    else:
        names = {chain_name(SUBJECT, wanted)}
        if report.kind != CONSENTS_ONLY:
            names |= {chain_name(DATASET, found) for found in _datasets_of(connection, wanted, manifest)}
    query = select(chains.c.name, chains.c.custodian).where(chains.c.name.in_(sorted(names)))
    return {row.name: row.custodian for row in connection.execute(query.order_by(chains.c.name))}


def completeness_sentences(connection: Connection, custodians: Iterable[str]) -> tuple[str, ...]:
    """Up to which block nothing can have been left out, custodian by custodian."""
    return tuple(_sentence(connection, custodian) for custodian in sorted(set(custodians)))


def complete_up_to(custodian: str, number: int, last_block: int, root: str, *, limits: bool) -> str:
    """The sentence on a custodian that closed an epoch; without `limits` it is silent on those."""
    what = "" if limits else " but subjects' opt-outs, objections, restrictions and erasures"
    return (
        f"Nothing of {custodian}{what} is left out up to block {last_block}, where its epoch {number} ends "
        f"(root {root}); what was written since is in no closed epoch yet."
    )


def not_complete(custodian: str) -> str:
    """The sentence on a custodian that closed none."""
    return f"That nothing of {custodian} is left out is unavailable: it has closed no epoch that holds."


def _sentence(connection: Connection, custodian: str) -> str:
    done = followed(connection, custodian)
    for row in closed_epochs(connection, custodian, done.number - 1):
        if row.body["number"] == done.number:
            root = row.body["root"]
            return complete_up_to(custodian, done.number, done.last_block, root, limits=done.has_limits)
    return not_complete(custodian)


def _datasets_named(connection: Connection, dataset: str) -> set[str]:
    table = records.c
    named = select(table.record_id).where(
        table.kind == "dataset", (table.record_id == dataset) | (table.name == dataset)
    )
    versions = connection.scalars(versions_of_dataset(dataset)).all()
    return {*connection.scalars(named), *_datasets_of_versions(connection, versions)}


def _datasets_of(connection: Connection, subject: str, manifest: RowManifest | None) -> Iterator[str]:
    for consent in find_records(connection, "consent", subject=subject):
        _, _, versions = consent_versions(connection, consent, manifest)
        yield from _datasets_of_versions(connection, versions)


def _datasets_of_versions(connection: Connection, versions: Iterable[str]) -> Iterator[str]:
    return (str(row.body["dataset_id"]) for row in get_records(connection, "version", versions) if row.body)
