"""``consentry verify REPORT.json``."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from consentry.cli.context import CommandContext
from consentry.cli.errors import ExitStatus
from consentry.cli.output import say, show_json
from consentry.errors import InputRejected


def check_report(context: CommandContext, file: Path, data: bytes, anchor: str | None, as_json: bool) -> int:
    """Check a report in JSON; the exit status.

    It is compared with the proofs inside where it carries any, else with the index of whoever acts.

    Raises:
        InputRejected: REPORT_REFUSED, with the first thing that does not hold.
    """
    from consentry.cli.index_access import open_trail
    from consentry.reports.bundle_witness import BundleWitness
    from consentry.reports.index_witness import IndexWitness
    from consentry.reports.verifying import ReportRefused, Witness, read_report, verify_report

    try:
        with ExitStack() as opened:
            witness: Witness | None = None
            if read_report(data).evidence.proofs is not None:
                witness = BundleWitness(anchor)
            elif context.who:
                witness = IndexWitness(opened.enter_context(open_trail(context)))
            verdict = verify_report(data, witness)
    except ReportRefused as refusal:
        raise InputRejected(
            "REPORT_REFUSED", f"{file} does not hold ({refusal.code}): {refusal.message}"
        ) from None
    if as_json:
        show_json(verdict)
    else:
        say(f"{file}: {verdict.sentence}")
    return int(ExitStatus.OK if verdict.is_proved else ExitStatus.NOT_ANCHORED)
