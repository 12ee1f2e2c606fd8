"""What officers sign: actions in bytes, the same in words, and the refusal of what words are lacking for."""

from consentry.web.actions.action import Action, Call, proposed_call
from consentry.web.actions.forms import FORMS, RATIONALE
from consentry.web.actions.refusal import ActionRefused
from consentry.web.actions.safe_text import visible, visible_lines
from consentry.web.actions.statement import Part, Row, Statement, Words, described
from consentry.web.actions.values import CODED, instant

__all__ = [
    "CODED",
    "FORMS",
    "RATIONALE",
    "Action",
    "ActionRefused",
    "Call",
    "Part",
    "Row",
    "Statement",
    "Words",
    "described",
    "instant",
    "proposed_call",
    "visible",
    "visible_lines",
]
