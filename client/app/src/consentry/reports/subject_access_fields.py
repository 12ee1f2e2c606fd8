"""What GDPR Art. 15, and the articles that it rests on, ask for beside the tables: one statement each."""

from collections.abc import Iterable, Sequence

from consentry.index import Access, RecordRow
from consentry.reports.details import Details
from consentry.reports.subject_data import SubjectData
from consentry.reports.transfers import safeguards_of, third_country_recipients
from consentry.reports.values import ReportField, Unavailable, Value
from consentry.reports.wording import NOT_ON_LEDGER, legal_basis_words, purpose_words, texts

_CONTACT = "the ledger knows organizations by their MSP ids only; ask the custodian"
_NO_ACCESS = "none: no access was permitted"
_RETENTION = (
    "the ledger records how long a consent holds (see the table of consents), not how long the data are kept"
)
_SOURCE = "the ledger records who holds the data, not where they were collected; ask the custodian"
_SAFEGUARDS = "the ledger does not record safeguards for transfers"
_COPY = "the data themselves are not on the ledger; the custodian gives the copy"


def statement_fields(data: SubjectData, details: Details) -> tuple[ReportField, ...]:
    """The statements of one subject's report, in the order of the law; `details` has what no ledger has."""
    consents, versions, accesses = data.honoured_consents, data.versions, data.accesses
    recipients = _permitted_recipients(accesses)
    stated = details.field
    transfers = details.field_or(
        "third_countries",
        "Recipients in third countries",
        "GDPR Art. 15(1)(c)",
        third_country_recipients(recipients, data.members),
    )
    return (
        ReportField("processed", "Whether data about you are processed", "GDPR Art. 15(1)", _processed(data)),
        ReportField("controller", "Controller", "GDPR Art. 13(1)(a)", _texts(consents, "controller")),
        stated("controller_contact", "Controller's name and contact", "GDPR Art. 13(1)(a)", _CONTACT),
        stated("dpo_contact", "Data protection officer", "GDPR Art. 13(1)(b)", NOT_ON_LEDGER),
        ReportField("purposes", "Purposes", "GDPR Art. 15(1)(a)", _purposes(consents, accesses)),
        ReportField("legal_bases", "Legal bases", "GDPR Art. 6, 9, 13(1)(c)", _legal_bases(versions)),
        ReportField(
            "categories", "Categories of data", "GDPR Art. 15(1)(b)", _categories(consents, versions)
        ),
        ReportField("recipients", "Recipients", "GDPR Art. 15(1)(c)", recipients or _NO_ACCESS),
        transfers,
        stated("retention", "How long the data are kept", "GDPR Art. 15(1)(d)", _RETENTION),
        *_rights(details),
        stated("source", "Where the data come from", "GDPR Art. 15(1)(g)", _SOURCE),
        details.field_or(
            "automated_decisions",
            "Automated decisions",
            "GDPR Art. 15(1)(h)",
            _decisions(data.model_versions),
        ),
        details.field_or(
            "safeguards",
            "Safeguards for transfers to third countries",
            "GDPR Art. 15(2)",
            safeguards_of(transfers.value, _SAFEGUARDS),
        ),
        ReportField("copy", "Copy of the data", "GDPR Art. 15(3)", Unavailable(_COPY)),
    )


def _rights(details: Details) -> tuple[ReportField, ...]:
    return (
        ReportField(
            "rights",
            "Your rights",
            "GDPR Art. 15(1)(e)",
            (
                "You may ask the controller for rectification (Art. 16), erasure (Art. 17) "
                "or restriction (Art. 18).",
                "You may object to processing (Art. 21).",
                "You may withdraw a consent at any time; what was done before stays lawful (Art. 7(3)).",
            ),
        ),
        ReportField(
            "complaint",
            "Complaint",
            "GDPR Art. 15(1)(f), 77",
            "You may complain to a supervisory authority, in particular where you live or work, "
            "or where you think the law was broken.",
        ),
        details.field(
            "authority", "The competent supervisory authority", "GDPR Art. 15(1)(f), 77", NOT_ON_LEDGER
        ),
    )


def _processed(data: SubjectData) -> Value:
    if not data.versions:
        return "No dataset version with data about you is on the ledger; your consents are listed below."
    count = f"{len(data.versions)} dataset version{'s' if len(data.versions) > 1 else ''} on the ledger"
    if data.rows_are_known:
        return f"Yes: {count}, listed below."
    return (
        f"Possibly: {count}, listed below, may hold data about you; only the custodian's own list says which."
    )


def _purposes(consents: Iterable[RecordRow], accesses: Iterable[Access]) -> Value:
    allowed = {code for consent in consents for code in consent.body.get("purposes", ())}
    used = {access.purpose for access in accesses if access.outcome == "permit"}
    statements = [f"{purpose_words(code)}: allowed by your consent" for code in sorted(allowed - used)]
    statements += [
        f"{purpose_words(code)}: allowed by your consent, and used" for code in sorted(allowed & used)
    ]
    statements += [
        f"{purpose_words(code)}: used under a grant; your consent does not name it"
        for code in sorted(used - allowed)
    ]
    return tuple(statements) or Unavailable("no consent names a purpose")


def _legal_bases(versions: Iterable[RecordRow]) -> Value:
    codes = (code for version in versions for code in version.body.get("legal_bases", ()))
    return texts(map(legal_basis_words, codes), "no dataset version with data about you is on the ledger")


def _categories(*groups: Iterable[RecordRow]) -> Value:
    found = (str(name) for group in groups for row in group for name in row.body.get("categories", ()))
    return texts(found, "no record names a category")


def _permitted_recipients(accesses: Iterable[Access]) -> tuple[str, ...]:
    return tuple(sorted({access.requester_msp for access in accesses if access.outcome == "permit"}))


def _decisions(model_versions: Sequence[RecordRow]) -> Value:
    if not model_versions:
        return Unavailable(
            "the ledger records no model made from data about you, and no use of models on persons"
        )
    return Unavailable(
        "the ledger records that models were made from data about you (see the table of model versions), "
        "not whether one is used to decide about persons"
    )


def _texts(rows: Iterable[RecordRow], name: str) -> Value:
    return texts((str(row.body.get(name) or "") for row in rows), NOT_ON_LEDGER)
