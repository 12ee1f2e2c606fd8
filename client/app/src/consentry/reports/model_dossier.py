"""The technical documentation of one model version (AI Act Annex IV) and its log of events (Art. 12, 19)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from consentry.index import ModelLineage, RecordRow, Trail
from consentry.reports.details import Details
from consentry.reports.model_events import EventRow, event_rows
from consentry.reports.report import Report, Table, make_table
from consentry.reports.sources import completeness_of
from consentry.reports.values import Reported, ReportField, Unavailable, Value
from consentry.reports.wording import coded, forged, legal_basis_words, purpose_words, texts
from consentry_records.vocabulary import DUO_TERMS

DOSSIER_KIND = "ai-act-annex-iv"
LOG_KIND = "ai-act-12"
_ASK = "the ledger does not record it; the provider states it"


@dataclass(frozen=True)
class DataRow:
    """One dataset version that the model version was trained on."""

    data: Annotated[Value, Reported("Dataset version", "AI Act Annex IV(2)(d)")]
    provenance: Annotated[Value, Reported("Provenance", "AI Act Annex IV(2)(d)")]
    size: Annotated[Value, Reported("Rows", "AI Act Annex IV(2)(d)")]
    categories: Annotated[Value, Reported("Categories of data", "AI Act Annex IV(2)(d)")]
    legal_bases: Annotated[Value, Reported("Legal bases", "AI Act Art. 10(2)(b); GDPR Art. 6, 9")]
    terms: Annotated[Value, Reported("Terms of use", "AI Act Art. 10(2)(b)")]
    digests: Annotated[Value, Reported("Digests", "AI Act Annex IV(2)(d)")]


@dataclass(frozen=True)
class VersionRow:
    """One model version: this one, or one that it was made from."""

    version: Annotated[Value, Reported("Model version", "AI Act Annex IV(1)(a)")]
    weights: Annotated[Value, Reported("Weights", "AI Act Annex IV(2)(c)")]
    architecture: Annotated[Value, Reported("Architecture", "AI Act Annex IV(2)(c)")]
    metrics: Annotated[Value, Reported("Metrics", "AI Act Annex IV(2)(g), (4)")]
    test_data: Annotated[Value, Reported("Test data", "AI Act Annex IV(2)(g)")]
    registered: Annotated[Value, Reported("Registered", "AI Act Annex IV(6)")]


def model_dossier(
    trail: Trail, model_version_id: str, *, generated_at: str, details: Details | None = None
) -> Report:
    """The technical documentation of one model version, as far as the ledger has it.

    Args:
        trail: the index.
        model_version_id: the version.
        generated_at: instant at which the report is made.
        details: what the provider itself states.

    Raises:
        IndexFault: INDEX_EMPTY, MODEL_VERSION_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    lineage = trail.model_lineage(model_version_id)
    return Report(
        kind=DOSSIER_KIND,
        title=f"Technical documentation of model version {_name(lineage)}",
        law="Documentation under Article 11 and Annex IV of the AI Act, Regulation (EU) 2024/1689, "
        "made from the ledger.",
        facts=_facts(lineage),
        generated_at=generated_at,
        completeness=completeness,
        basis="The version's ancestors, training sessions, permits and data, followed back over the ledger.",
        statements="What Annex IV asks for",
        fields=_fields(lineage, details or Details()),
        tables=(_versions_table(lineage), _data_table(lineage), _events_table(lineage)),
    )


def model_log(trail: Trail, model_version_id: str, *, generated_at: str) -> Report:
    """The events over the lifetime of one model version that the ledger logged.

    Args:
        trail: the index.
        model_version_id: the version.
        generated_at: instant at which the report is made.

    Raises:
        IndexFault: INDEX_EMPTY, MODEL_VERSION_NOT_INDEXED.
    """
    completeness = completeness_of(trail)
    lineage = trail.model_lineage(model_version_id)
    return Report(
        kind=LOG_KIND,
        title=f"Log of model version {_name(lineage)}",
        law="Automatically generated log under Articles 12 and 19 of the AI Act, Regulation (EU) 2024/1689.",
        facts=_facts(lineage),
        generated_at=generated_at,
        completeness=completeness,
        basis="Every event that the ledger has on the version, its ancestors and the data behind them.",
        statements="What Articles 12 and 19 ask for beside the events",
        fields=(
            ReportField(
                "kept",
                "How long this is kept",
                "AI Act Art. 19(1)",
                "at least six months: the ledger keeps it",
            ),
            ReportField(
                "use",
                "Use of the system: start and end, input matched, persons verifying",
                "AI Act Art. 12(3)",
                Unavailable("the ledger records training and registration, not the use of models on persons"),
            ),
        ),
        tables=(_events_table(lineage),),
    )


def _name(lineage: ModelLineage) -> str:
    name = str(lineage.model.body["name"]) if lineage.model is not None else "of an unknown model"
    return f"{name} ({lineage.model_version.record_id})"


def _facts(lineage: ModelLineage) -> tuple[tuple[str, str], ...]:
    owner = lineage.model.owner if lineage.model is not None else "not on the ledger"
    return (("Model version", lineage.model_version.record_id), ("Owner", owner))


def _fields(lineage: ModelLineage, details: Details) -> tuple[ReportField, ...]:
    codes = (f"code {row.body['code_digest']}" for row in lineage.sessions)
    environments = (f"environment {row.body['environment_digest']}" for row in lineage.sessions)
    purposes = (purpose_words(str(row.body["purpose"])) for row in lineage.sessions)
    none = "no training session of this version is on the ledger"
    return (
        details.field("provider", "Provider", "AI Act Annex IV(1)(a)", _ASK),
        details.field("intended_purpose", "Intended purpose", "AI Act Annex IV(1)(a)", _ASK),
        ReportField("version", "Version", "AI Act Annex IV(1)(a)", lineage.model_version.record_id),
        details.field("hardware", "Hardware", "AI Act Annex IV(1)(e)", _ASK),
        details.field("instructions", "Instructions for the deployer", "AI Act Annex IV(1)(h)", _ASK),
        ReportField(
            "methods", "How it was developed", "AI Act Annex IV(2)(a)", texts((*codes, *environments), none)
        ),
        details.field("design_choices", "Design choices and logic", "AI Act Annex IV(2)(b)", _ASK),
        ReportField(
            "purposes",
            "Purposes that data were permitted for",
            "AI Act Annex IV(2)(d)",
            texts(purposes, none),
        ),
        details.field("data_preparation", "Selection, labelling, cleaning", "AI Act Annex IV(2)(d)", _ASK),
        details.field("bias_examination", "Examination for bias", "AI Act Art. 10(2)(f)", _ASK),
        details.field("human_oversight", "Human oversight", "AI Act Annex IV(2)(e)", _ASK),
        details.field("lifecycle_changes", "Pre-determined changes", "AI Act Annex IV(2)(f), (6)", _ASK),
        details.field("cybersecurity", "Cybersecurity", "AI Act Annex IV(2)(h)", _ASK),
        details.field("limitations", "Limits of accuracy", "AI Act Annex IV(3)", _ASK),
        ReportField("metrics", "Appropriateness of metrics", "AI Act Annex IV(4)", Unavailable(_ASK)),
        details.field("risk_management", "Risk management system", "AI Act Annex IV(5)", _ASK),
        details.field("standards", "Standards applied", "AI Act Annex IV(7)", _ASK),
        details.field("declaration", "EU declaration of conformity", "AI Act Annex IV(8)", _ASK),
        details.field("post_market_plan", "Post-market monitoring plan", "AI Act Annex IV(9)", _ASK),
    )


def _versions_table(lineage: ModelLineage) -> Table:
    versions = (*lineage.ancestors, lineage.model_version)
    none = "There is none."
    return make_table(
        "versions", "The version and what it was made from", none, VersionRow, map(_version, versions)
    )


def _version(row: RecordRow) -> VersionRow:
    body = row.body
    return VersionRow(
        version=(row.record_id, *forged(row)),
        weights=str(body["weights_digest"]),
        architecture=str(body.get("architecture_digest") or Unavailable("the version names none")),
        metrics=tuple(f"{name} {value}" for name, value in sorted(body["metrics"].items()))
        or "none recorded",
        test_data=str(body.get("test_set_digest") or Unavailable("the version names no test set")),
        registered=(str(body["registered_at"]), f"by {body['registered_by']}", f"block {row.first_block}"),
    )


def _data_table(lineage: ModelLineage) -> Table:
    return make_table(
        "data",
        "Data that it was trained on",
        "No dataset version behind it is on the ledger.",
        DataRow,
        (_data(row, lineage.sessions) for row in lineage.versions),
    )


def _data(row: RecordRow, sessions: Iterable[RecordRow]) -> DataRow:
    body = row.body
    used = any(row.record_id in session.body["versions"] for session in sessions)
    derived = tuple(f"derived from {version}" for version in body["derived_from"])
    return DataRow(
        data=(f"{body['name']}, version {body['number']}", row.record_id, *forged(row)),
        provenance=(
            f"held by {body['custodian']}",
            *derived,
            "trained on" if used else "source of a version trained on",
        ),
        size=str(body["row_count"]),
        categories=tuple(body["categories"]) or Unavailable("the version names none"),
        legal_bases=texts(map(legal_basis_words, body["legal_bases"]), "the version names none"),
        terms=coded(body["duo_terms"], DUO_TERMS),
        digests=(str(body["content_digest"]), f"Merkle root {body['merkle_root']}"),
    )


def _events_table(lineage: ModelLineage) -> Table:
    return make_table("events", "Events", "The ledger has no event on it.", EventRow, event_rows(lineage))
