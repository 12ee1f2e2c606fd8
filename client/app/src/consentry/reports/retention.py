"""How long reports and logs have to be kept, by which law, and where that conflicts with erasing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consentry_records.instants import months_after


@dataclass(frozen=True)
class RetentionRule:
    """One duty to keep: for how many months, and by which law."""

    months: int
    article: str


_AI_LOGS = RetentionRule(6, "AI Act Art. 19(1), 26(6): logs, at least six months")
_ACCESS_LOGS = RetentionRule(12, "EHDS Art. 73(1)(e): access logs, at least one year")
_ACCESS_INFORMATION = RetentionRule(36, "EHDS Art. 9(3): information on accesses, at least three years")
_HIPAA = RetentionRule(72, "45 CFR 164.316(b)(2), 164.528: documentation, six years")
_TECHNICAL = RetentionRule(120, "AI Act Art. 18: technical documentation, ten years")
_ACCOUNTABILITY = RetentionRule(
    36, "GDPR Art. 5(2): accountability; no period is laid down, three years kept here"
)

RULES: Mapping[str, tuple[RetentionRule, ...]] = MappingProxyType(
    {
        "gdpr-7": (_ACCOUNTABILITY,),
        "gdpr-15": (_ACCOUNTABILITY, _ACCESS_INFORMATION),
        "gdpr-17": (_ACCOUNTABILITY,),
        "gdpr-30": (_ACCOUNTABILITY,),
        "gdpr-33": (_ACCOUNTABILITY,),
        "hipaa-164-528": (_HIPAA,),
        "ehds-9": (_ACCESS_INFORMATION,),
        "ehds-73": (_ACCESS_LOGS,),
        "ai-act-12": (_AI_LOGS,),
        "ai-act-annex-iv": (_TECHNICAL,),
    }
)
"""Kind of report → duties to keep it."""

ABOUT_SUBJECTS = frozenset({"gdpr-7", "gdpr-15", "gdpr-17", "hipaa-164-528", "ehds-9"})
CONFLICT = (
    "It concerns a data subject: erasure (GDPR Art. 17) may be asked for earlier. While a duty above holds, "
    "Art. 17(3)(b) is the exception; afterwards it has to go."
)


@dataclass(frozen=True)
class Retention:
    """Until when a report has to be kept.

    Attributes:
        keep_until: instant; before it the report may not be deleted.
        articles: the duties, longest first.
        conflict: where erasing it earlier may be asked for; empty if nowhere.
    """

    keep_until: str
    articles: tuple[str, ...]
    conflict: str


def retention_of(kind: str, generated_at: str) -> Retention:
    """Until when a report of a kind has to be kept.

    Args:
        kind: the report's kind, e.g. ``gdpr-30``.
        generated_at: instant at which it was made.

    Raises:
        KeyError: there is no such report.
    """
    rules = sorted(RULES[kind], key=lambda rule: -rule.months)
    return Retention(
        keep_until=months_after(generated_at, rules[0].months),
        articles=tuple(rule.article for rule in rules),
        conflict=CONFLICT if kind in ABOUT_SUBJECTS else "",
    )
