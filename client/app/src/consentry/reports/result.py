"""What a report on one data subject's request for access holds (GDPR Art. 15), before any format.

Row types carry each column's label and the article that asks for it, so that every format states both.
"""

from dataclasses import dataclass

from consentry.reports.values import ReportField, Value, reported


@dataclass(frozen=True)
class ConsentRow:
    """One consent of the subject."""

    consent_id: Value = reported("Consent", "GDPR Art. 7(1)")
    state: Value = reported("State", "GDPR Art. 7(3)")
    purposes: Value = reported("Purposes allowed", "GDPR Art. 15(1)(a)")
    restrictions: Value = reported("Restrictions", "GDPR Art. 15(1)(a)")
    categories: Value = reported("Categories of data", "GDPR Art. 15(1)(b)")
    recipients: Value = reported("Recipients allowed", "GDPR Art. 15(1)(c)")
    period: Value = reported("Holds", "GDPR Art. 15(1)(d)")
    controller: Value = reported("Controller", "GDPR Art. 13(1)(a)")
    notice: Value = reported("Notice shown (digest)", "GDPR Art. 7(1), 13")
    recorded: Value = reported("Recorded", "GDPR Art. 5(2), 7(1)")


@dataclass(frozen=True)
class DatasetRow:
    """One dataset version that holds, or may hold, data of the subject."""

    dataset: Value = reported("Dataset version", "GDPR Art. 15(1)")
    categories: Value = reported("Categories of data", "GDPR Art. 15(1)(b)")
    legal_bases: Value = reported("Legal bases", "GDPR Art. 6, 9, 13(1)(c)")
    terms: Value = reported("Terms of use", "GDPR Art. 15(1)(a)")
    recorded: Value = reported("Registered", "GDPR Art. 5(2)")


@dataclass(frozen=True)
class AccessRow:
    """One attempt to access the data, whatever came of it."""

    when: Value = reported("When", "GDPR Art. 15(1)(c); EHDS Art. 9")
    who: Value = reported("Who", "GDPR Art. 15(1)(c); EHDS Art. 9")
    data: Value = reported("Which data", "GDPR Art. 15(1)(b); EHDS Art. 9")
    purpose: Value = reported("Purpose", "GDPR Art. 15(1)(a)")
    outcome: Value = reported("Outcome", "GDPR Art. 15(1)(c)")
    consent: Value = reported("Your consent at that time", "GDPR Art. 7(1)")
    permission: Value = reported("Under which grant", "GDPR Art. 15(1)(c)")
    sessions: Value = reported("Training sessions", "GDPR Art. 15(1)(a), (h)")
    model_versions: Value = reported("Model versions", "GDPR Art. 15(1)(a), (h)")
    record: Value = reported("On record", "GDPR Art. 5(2)")


@dataclass(frozen=True)
class SessionRow:
    """One training session that used the data."""

    session_id: Value = reported("Training session", "GDPR Art. 15(1)(a)")
    trainer: Value = reported("Who", "GDPR Art. 15(1)(c)")
    purpose: Value = reported("Purpose", "GDPR Art. 15(1)(a)")
    data: Value = reported("Which data", "GDPR Art. 15(1)(b)")
    period: Value = reported("When", "GDPR Art. 15(1)(c)")
    rounds: Value = reported("Rounds", "AI Act Art. 12")
    model_versions: Value = reported("Model versions", "GDPR Art. 15(1)(h)")


@dataclass(frozen=True)
class ModelVersionRow:
    """One model version that the data went into."""

    model_version_id: Value = reported("Model version", "GDPR Art. 15(1)(h)")
    model: Value = reported("Model", "GDPR Art. 15(1)(h)")
    owner: Value = reported("Owner", "GDPR Art. 15(1)(c)")
    made_from: Value = reported("Made from", "GDPR Art. 15(1)(h)")
    weights: Value = reported("Weights (digest)", "AI Act Annex IV(2)")
    recorded: Value = reported("Registered", "GDPR Art. 5(2)")


@dataclass(frozen=True)
class Completeness:
    """What a report rests on.

    Attributes:
        channel: the ledger's channel.
        last_block: the report is complete up to and including this block.
        header_hash: hex SHA-256 of that block's header.
        genesis_hash: hex SHA-256 of the genesis header.
        anchored: whether that was pinned from outside the ledger.
    """

    channel: str
    last_block: int
    header_hash: str
    genesis_hash: str
    anchored: bool

    @property
    def sentence(self) -> str:
        """The same for a reader."""
        proof = (
            f"every block was verified from the pinned genesis {self.genesis_hash}"
            if self.anchored
            else f"the blocks are consistent, but their genesis {self.genesis_hash} was not pinned from outside"
        )
        return (
            f"Complete up to and including block {self.last_block} of channel {self.channel} "
            f"(header {self.header_hash}); {proof}."
        )


@dataclass(frozen=True)
class SubjectAccessReport:
    """The answer to one data subject's request for access.

    Attributes:
        subject: commitment under which the custodian keeps the subject on the ledger.
        custodian: MSP id of who answers.
        generated_at: instant at which the report was made, by the clock of whoever made it.
        completeness: the block up to which it is complete, and what proves that.
        basis: how the subject's dataset versions were found, in a sentence.
        fields: what Art. 15 and the articles that it rests on ask for, one by one.
        consents: consents of the subject, oldest first.
        datasets: dataset versions with data of the subject.
        accesses: every attempt at access to them, in ledger order.
        sessions: training sessions that used them.
        model_versions: model versions that these sessions, and what followed from them, made.
        remarks: what on the ledger concerns these records and honest contracts would not have written.
    """

    subject: str
    custodian: str
    generated_at: str
    completeness: Completeness
    basis: str
    fields: tuple[ReportField, ...]
    consents: tuple[ConsentRow, ...]
    datasets: tuple[DatasetRow, ...]
    accesses: tuple[AccessRow, ...]
    sessions: tuple[SessionRow, ...]
    model_versions: tuple[ModelVersionRow, ...]
    remarks: tuple[str, ...]
