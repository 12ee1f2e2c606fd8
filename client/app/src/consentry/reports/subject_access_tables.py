"""The tables of the report on one data subject's request for access (GDPR Art. 15)."""

from dataclasses import dataclass
from typing import Annotated

from consentry.reports.values import Reported, Value


@dataclass(frozen=True)
class ConsentRow:
    """One consent of the subject."""

    consent_id: Annotated[Value, Reported("Consent", "GDPR Art. 7(1)")]
    state: Annotated[Value, Reported("State", "GDPR Art. 7(3)")]
    purposes: Annotated[Value, Reported("Purposes allowed", "GDPR Art. 15(1)(a)")]
    restrictions: Annotated[Value, Reported("Restrictions", "GDPR Art. 15(1)(a)")]
    categories: Annotated[Value, Reported("Categories of data", "GDPR Art. 15(1)(b)")]
    recipients: Annotated[Value, Reported("Recipients allowed", "GDPR Art. 15(1)(c)")]
    period: Annotated[Value, Reported("Holds", "GDPR Art. 15(1)(d)")]
    controller: Annotated[Value, Reported("Controller", "GDPR Art. 13(1)(a)")]
    notice: Annotated[Value, Reported("Notice shown (digest)", "GDPR Art. 7(1), 13")]
    recorded: Annotated[Value, Reported("Recorded", "GDPR Art. 5(2), 7(1)")]


@dataclass(frozen=True)
class DatasetRow:
    """One dataset version that holds, or may hold, data of the subject."""

    dataset: Annotated[Value, Reported("Dataset version", "GDPR Art. 15(1)")]
    categories: Annotated[Value, Reported("Categories of data", "GDPR Art. 15(1)(b)")]
    legal_bases: Annotated[Value, Reported("Legal bases", "GDPR Art. 6, 9, 13(1)(c)")]
    terms: Annotated[Value, Reported("Terms of use", "GDPR Art. 15(1)(a)")]
    recorded: Annotated[Value, Reported("Registered", "GDPR Art. 5(2)")]


@dataclass(frozen=True)
class AccessRow:
    """One attempt to access the data, whatever came of it."""

    when: Annotated[Value, Reported("When", "GDPR Art. 15(1)(c); EHDS Art. 9")]
    who: Annotated[Value, Reported("Who", "GDPR Art. 15(1)(c); EHDS Art. 9")]
    data: Annotated[Value, Reported("Which data", "GDPR Art. 15(1)(b); EHDS Art. 9")]
    purpose: Annotated[Value, Reported("Purpose", "GDPR Art. 15(1)(a)")]
    outcome: Annotated[Value, Reported("Outcome", "GDPR Art. 15(1)(c)")]
    consent: Annotated[Value, Reported("Your consent at that time", "GDPR Art. 7(1)")]
    permission: Annotated[Value, Reported("Under which grant", "GDPR Art. 15(1)(c)")]
    sessions: Annotated[Value, Reported("Training sessions", "GDPR Art. 15(1)(a), (h)")]
    model_versions: Annotated[Value, Reported("Model versions", "GDPR Art. 15(1)(a), (h)")]
    record: Annotated[Value, Reported("On record", "GDPR Art. 5(2)")]


@dataclass(frozen=True)
class SessionRow:
    """One training session that used the data."""

    session_id: Annotated[Value, Reported("Training session", "GDPR Art. 15(1)(a)")]
    trainer: Annotated[Value, Reported("Who", "GDPR Art. 15(1)(c)")]
    purpose: Annotated[Value, Reported("Purpose", "GDPR Art. 15(1)(a)")]
    data: Annotated[Value, Reported("Which data", "GDPR Art. 15(1)(b)")]
    period: Annotated[Value, Reported("When", "GDPR Art. 15(1)(c)")]
    rounds: Annotated[Value, Reported("Rounds", "AI Act Art. 12")]
    model_versions: Annotated[Value, Reported("Model versions", "GDPR Art. 15(1)(h)")]


@dataclass(frozen=True)
class ModelVersionRow:
    """One model version that the data went into."""

    model_version_id: Annotated[Value, Reported("Model version", "GDPR Art. 15(1)(h)")]
    model: Annotated[Value, Reported("Model", "GDPR Art. 15(1)(h)")]
    owner: Annotated[Value, Reported("Owner", "GDPR Art. 15(1)(c)")]
    made_from: Annotated[Value, Reported("Made from", "GDPR Art. 15(1)(h)")]
    weights: Annotated[Value, Reported("Weights (digest)", "AI Act Annex IV(2)")]
    recorded: Annotated[Value, Reported("Registered", "GDPR Art. 5(2)")]
