"""What the law asks for and no ledger has: an organization states it in a file of its own.

Names and contacts stay off the ledger (DESIGN §8). A statement from the file is marked as one, so that a
reader can tell it from what the ledger proves.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from consentry.errors import InputRejected
from consentry.reports.values import ReportField, Unavailable, Value

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "controller_contact": "the controller's name and contact",
        "joint_controllers": "joint controllers",
        "representative": "the controller's representative",
        "dpo_contact": "the data protection officer's name and contact",
        "authority": "the competent supervisory authority",
        "subject_categories": "categories of data subjects",
        "retention": "how long data are kept, or by what criteria that is decided",
        "third_countries": "transfers to third countries",
        "safeguards": "safeguards for these transfers",
        "security_measures": "technical and organisational measures (GDPR Art. 32(1))",
        "source": "where the data come from",
        "automated_decisions": "automated decisions, their logic and consequences",
        "recipient_contacts": "names and addresses of recipients",
        "provider": "the AI system's provider",
        "intended_purpose": "the AI system's intended purpose",
        "hardware": "hardware that the AI system runs on",
        "instructions": "instructions for its deployer",
        "design_choices": "design choices, assumptions and logic",
        "data_preparation": "how data were selected, labelled and cleaned",
        "bias_examination": "examination for bias, and gaps in the data",
        "human_oversight": "human oversight measures",
        "limitations": "limits of accuracy, by group of persons",
        "risk_management": "the risk management system",
        "cybersecurity": "cybersecurity measures",
        "lifecycle_changes": "changes through the lifecycle",
        "standards": "harmonised standards applied",
        "declaration": "the EU declaration of conformity",
        "post_market_plan": "the post-market monitoring plan",
    }
)
"""What a file of details can state, and what each key means."""

_MOST_BYTES = 1_000_000


class Details:
    """What an organization states about itself.

    Args:
        stated: key → text.
    """

    MARK = "stated by the organization, not by the ledger"

    def __init__(self, stated: Mapping[str, str] | None = None) -> None:
        self._stated = dict(stated or {})

    @classmethod
    def read(cls, path: Path) -> "Details":
        """Read a YAML or JSON file of keys and texts.

        Raises:
            InputRejected: DETAILS_UNREADABLE, or DETAILS_INVALID for another form or an unknown key.
        """
        # Here, for reports need it only where a file is given.
        import yaml

        try:
            if path.stat().st_size > _MOST_BYTES:
                raise InputRejected("DETAILS_INVALID", f"{path} is larger than {_MOST_BYTES:,} bytes.")
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            raise InputRejected("DETAILS_UNREADABLE", f"{path} cannot be read as text.") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise InputRejected("DETAILS_INVALID", f"{path} is neither YAML nor JSON.") from error
        return cls(_checked(path, found))

    def field(self, key: str, label: str, article: str, otherwise: str) -> ReportField:
        """The statement on one key, marked as the organization's own word; unavailable where there is none.

        Args:
            key: one of ``KEYS``.
            label: what readers see.
            article: the law that asks for it.
            otherwise: why it is unavailable where nothing is stated.
        """
        return self.field_or(key, label, article, Unavailable(otherwise))

    def field_or(self, key: str, label: str, article: str, otherwise: Value) -> ReportField:
        """As `field`, with what the ledger itself says where nothing is stated."""
        text = self._stated.get(key)
        return ReportField(key, label, article, otherwise if text is None else (text, self.MARK))


def _checked(path: Path, found: object) -> dict[str, str]:
    fits = isinstance(found, dict) and all(
        isinstance(key, str) and isinstance(text, str) and text.strip() for key, text in found.items()
    )
    if not isinstance(found, dict) or not fits:
        raise InputRejected("DETAILS_INVALID", f"{path} has to hold keys with texts, e.g. dpo_contact: …")
    unknown = sorted(set(found) - set(KEYS))
    if unknown:
        raise InputRejected(
            "DETAILS_INVALID",
            f"{path} states {unknown[0]!r}, which no report uses; known are {', '.join(KEYS)}.",
        )
    return {key: text.strip() for key, text in found.items()}
