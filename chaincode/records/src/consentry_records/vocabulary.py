"""Codes for purposes, restrictions, DUO terms and legal bases, and which purpose covers which.

Purposes of care are HL7 PurposeOfUse (terminology.hl7.org, v3-ActReason); uses for research are terms of the
Data Use Ontology (EBISPOT/DUO, duo.csv). A code that the rules cannot check is not in a catalogue that the
rules decide by: a restriction that nobody enforces would be a promise without a keeper.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

TREATMENT = "TREAT"
EMERGENCY_TREATMENT = "ETREAT"
PUBLIC_HEALTH = "PUBHLTH"
CLINICAL_TRIAL = "CLINTRCH"
PATIENT_REQUEST = "PATRQT"
PAYMENT = "HPAYMT"
OPERATIONS = "HOPERAT"
GENERAL_RESEARCH = "DUO:0000042"
BIOMEDICAL_RESEARCH = "DUO:0000006"
DISEASE_RESEARCH = "DUO:0000007"
NON_COMMERCIAL = "DUO:0000046"
ETHICS_APPROVAL = "DUO:0000021"

PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        TREATMENT: "treatment",
        PAYMENT: "payment for care",
        OPERATIONS: "operations of care",
        EMERGENCY_TREATMENT: "emergency treatment",
        PATIENT_REQUEST: "request of the patient",
        PUBLIC_HEALTH: "public health",
        CLINICAL_TRIAL: "clinical trial research",
        GENERAL_RESEARCH: "general research use",
        BIOMEDICAL_RESEARCH: "health, medical or biomedical research",
        DISEASE_RESEARCH: "disease-specific research",
    }
)
"""Purposes that a consent, request, grant or attempt can name."""

CONSENT_RESTRICTIONS: Mapping[str, str] = MappingProxyType({NON_COMMERCIAL: "non-commercial use only"})
"""Restrictions that a consent can carry; every decision checks them."""

RESTRICTIONS: Mapping[str, str] = MappingProxyType(
    {NON_COMMERCIAL: "non-commercial use only", ETHICS_APPROVAL: "ethics approval required"}
)
"""Restrictions that a request or grant can carry; every decision checks them."""

PRIMARY_PURPOSES = (TREATMENT, EMERGENCY_TREATMENT, PAYMENT, OPERATIONS, PATIENT_REQUEST)
"""Purposes of a person's own care (primary use, EHDS Art. 2); all others are secondary use, open to opt-out
(Art. 71).
"""

RESEARCH_PURPOSES = (GENERAL_RESEARCH, BIOMEDICAL_RESEARCH, DISEASE_RESEARCH)

DUO_TERMS: Mapping[str, str] = MappingProxyType(
    {
        "DUO:0000004": "no restriction",
        GENERAL_RESEARCH: "general research use",
        BIOMEDICAL_RESEARCH: "health, medical or biomedical research",
        DISEASE_RESEARCH: "disease-specific research",
        "DUO:0000011": "population origins or ancestry research only",
        "DUO:0000012": "research-specific restrictions",
        "DUO:0000015": "no general methods research",
        "DUO:0000016": "genetic studies only",
        "DUO:0000018": "not-for-profit, non-commercial use only",
        "DUO:0000019": "publication required",
        "DUO:0000020": "collaboration required",
        ETHICS_APPROVAL: "ethics approval required",
        "DUO:0000022": "geographical restriction",
        "DUO:0000024": "publication moratorium",
        "DUO:0000025": "time limit on use",
        "DUO:0000026": "user-specific restriction",
        "DUO:0000027": "project-specific restriction",
        "DUO:0000028": "institution-specific restriction",
        "DUO:0000029": "return to database or resource",
        "DUO:0000043": "clinical care use",
        "DUO:0000044": "population origins or ancestry research prohibited",
        "DUO:0000045": "not-for-profit organisation use only",
        NON_COMMERCIAL: "non-commercial use only",
    }
)
"""Terms that describe a dataset version. What matching computes of them says the module `duo`; the others are
for a person to judge, and bind by the grant's contract.
"""

CONDITION_TERMS: Mapping[str, str] = MappingProxyType(
    {
        "DUO:0000022": "countries",
        "DUO:0000024": "publication_not_before",
        "DUO:0000026": "persons",
        "DUO:0000027": "project_members_only",
    }
)
"""Terms of a dataset which a grant meets by a condition of its own, and that condition's field."""

RESEARCH_TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "methods": "development of methods or algorithms",
        "ancestry": "population origins or ancestry",
        "genetic": "genetic studies",
    }
)
"""Kinds of research that DUO terms include or exclude; a request says which of them it includes."""

OUTPUTS: Mapping[str, str] = MappingProxyType(
    {
        "rows": "single rows reach the requester",
        "aggregate": "only aggregates or model updates reach the requester",
    }
)
"""What of the data an attempt would bring out."""

LEGAL_BASES: Mapping[str, str] = MappingProxyType(
    {
        "GDPR-6-1-a": "consent",
        "GDPR-6-1-b": "contract",
        "GDPR-6-1-c": "legal obligation",
        "GDPR-6-1-d": "vital interests",
        "GDPR-6-1-e": "task in the public interest",
        "GDPR-6-1-f": "legitimate interests",
        "GDPR-9-2-a": "explicit consent",
        "GDPR-9-2-c": "vital interests (special categories)",
        "GDPR-9-2-g": "substantial public interest",
        "GDPR-9-2-h": "health or social care",
        "GDPR-9-2-i": "public health",
        "GDPR-9-2-j": "archiving, research or statistics",
    }
)
"""GDPR Art. 6(1) bases and Art. 9(2) exceptions."""

ANY_MEMBER = "ANY_MEMBER"
ANY_HOSPITAL = "ANY_HOSPITAL"
ANY_REGULATOR = "ANY_REGULATOR"

RECIPIENT_CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {ANY_MEMBER: ("hospital", "regulator"), ANY_HOSPITAL: ("hospital",), ANY_REGULATOR: ("regulator",)}
)
"""In place of an MSP id among a consent's recipients: every member of the consortium that is of these kinds.

No MSP id has an underscore, so that no organization can take the name of a class.
"""

_COVERED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        GENERAL_RESEARCH: (BIOMEDICAL_RESEARCH, DISEASE_RESEARCH),
        BIOMEDICAL_RESEARCH: (DISEASE_RESEARCH,),
        TREATMENT: (EMERGENCY_TREATMENT,),
    }
)
NON_COMMERCIAL_TERMS = (NON_COMMERCIAL, "DUO:0000018")


def covers(purposes: Collection[str], purpose: str) -> bool:
    """Whether a purpose lies within the purposes that were allowed.

    A purpose covers itself; general research covers biomedical and disease-specific research, biomedical
    research covers disease-specific research (DUO's own hierarchy); treatment covers emergency treatment;
    nothing else covers anything, and care never covers research.
    """
    return any(allowed == purpose or purpose in _COVERED.get(allowed, ()) for allowed in purposes)


def excludes_commercial_use(terms: Collection[str]) -> bool:
    """Whether restrictions or DUO terms rule commercial use out."""
    return any(term in terms for term in NON_COMMERCIAL_TERMS)


def terms_cover(duo_terms: Collection[str], purpose: str) -> bool:
    """Whether a dataset's DUO terms leave room for a purpose.

    Where the terms name research purposes, a research purpose has to be covered by them; a purpose of care is
    left to the custodian's grant, for DUO says nothing about it.
    """
    allowed = [term for term in duo_terms if term in RESEARCH_PURPOSES]
    return purpose not in RESEARCH_PURPOSES or not allowed or covers(allowed, purpose)


def is_secondary_use(purpose: str) -> bool:
    """Whether a purpose is another one than the person's own care (EHDS Art. 2); a code that is new is."""
    return purpose not in PRIMARY_PURPOSES


def recipient_allowed(recipients: Collection[str], msp_id: str, kind: str | None) -> bool:
    """Whether recipients name an organization, or a class of its kind; `kind` is None outside the consortium.

    An organization outside the consortium is allowed by nothing.
    """
    return kind is not None and (
        msp_id in recipients or any(kind in RECIPIENT_CLASSES.get(named, ()) for named in recipients)
    )


def recipient_within(recipient: str, recipients: Collection[str], kind: str | None) -> bool:
    """Whether a recipient, one organization or a class, adds nobody to recipients.

    `kind` is the organization's, None for a class and for an organization outside the consortium.
    """
    if recipient in recipients:
        return True
    kinds = RECIPIENT_CLASSES.get(recipient, () if kind is None else (kind,))
    held = {held for named in recipients for held in RECIPIENT_CLASSES.get(named, ())}
    return bool(kinds) and held.issuperset(kinds)
