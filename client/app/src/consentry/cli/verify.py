"""``consentry verify``: re-prove the whole chain."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.errors import ExitStatus
from consentry.cli.output import AsJson, examples, say, show_json, show_table
from consentry.cli.verify_report import check_report
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.verification import BlockSource, VerificationResult


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples(
        "consentry --as northgate/dpo verify",
        "consentry --as northgate/dpo verify --organization northgate --organization riverside",
        "consentry verify --blocks exported/ --anchor 7b6727f8…",
        "consentry verify --blocks northgate/ --blocks riverside/ --anchor anchor.txt",
        "consentry --as northgate/dpo verify --checkpoint verified.jsonl",
        "consentry --as regulator/officer verify grant.proof",
        "consentry --as regulator/officer verify report.json",
        "",
        "Exit status: 0 proved, 1 a difference was found or a proof refused, 3 it holds but is not proved:",
        "not anchored, without enough organizations' statements, or (reports) not complete.",
    )
    app.command("verify", epilog=epilog)(verify)


def verify(
    ctx: typer.Context,
    proofs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Proof files and reports in JSON to check instead of blocks."
        ),
    ] = None,
    blocks: Annotated[
        list[Path] | None,
        typer.Option(help="Directory of NNNNNN.block files; may be repeated. Default: the live peers."),
    ] = None,
    organization: Annotated[
        list[str] | None, typer.Option(help="Only this organization's live peer; may be repeated.")
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            help="Hash of the genesis header, or a file that holds it. Default: the one that the "
            "organization named by --as keeps."
        ),
    ] = None,
    through: Annotated[int | None, typer.Option(help="Block that every copy must at least reach.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps how far a run without differences came; the next one goes on from there."
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many check signatures at once. Default: one a core.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Re-prove every block of every organization's copy from the anchor, or check proof files.

    A report is composed again from the writes that it carries; these and its chains are compared with the
    own peer's blocks, or with the proofs inside. One row left out, added, moved or altered: refused.

    Without files the whole channel is proved again, and the first difference is named.
    """
    from consentry.cli.progress import counted
    from consentry.verification import Verdict, Verifier, available_cores, read_checkpoint, write_checkpoint

    context = command_context(ctx)
    pinned = _anchor(context, anchor)
    if proofs:
        raise typer.Exit(_check_files(context, proofs, pinned, as_json))
    begin = read_checkpoint(checkpoint) if checkpoint else None
    verifier = Verifier()
    with ExitStack() as opened, counted("blocks proved", None) as progress:
        sources = _sources(context, opened, blocks or [], organization or [])
        result = verifier.verify(
            sources,
            pinned,
            lambda done: progress(done, 0),
            through=through,
            begin=begin,
            processes=processes or available_cores(),
        )
    _show(result, as_json)
    if result.verdict is Verdict.DIFFERS:
        raise typer.Exit(ExitStatus.REFUSED)
    if checkpoint:
        write_checkpoint(checkpoint, verifier.part)
    if result.verdict is Verdict.CONSISTENT_NOT_ANCHORED:
        raise typer.Exit(ExitStatus.NOT_ANCHORED)


def _check_files(context: CommandContext, files: list[Path], anchor: str | None, as_json: bool) -> int:
    """Check files one after the other; the exit status of the worst."""
    from consentry.proofs import ProofRefused, describe, verify_proof

    status = int(ExitStatus.OK)
    for file in files:
        data = _read(file)
        if data.lstrip()[:1] == b"{":
            status = max(status, check_report(context, file, data, anchor, as_json))
            continue
        try:
            proof = verify_proof(data, anchor)
        except ProofRefused as refusal:
            raise InputRejected(
                "PROOF_REFUSED", f"{file} proves nothing ({refusal.code}): {refusal}."
            ) from None
        if as_json:
            show_json(proof)
        else:
            say(f"{file}: {describe(proof)}")
        if not proof.is_proved:
            status = max(status, int(ExitStatus.NOT_ANCHORED))
    return status


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputRejected("PROOF_UNREADABLE", f"{file} cannot be read: {error.strerror}.") from error


def _sources(
    context: CommandContext, opened: ExitStack, directories: list[Path], organizations: list[str]
) -> list[BlockSource]:
    from consentry.verification import DirectorySource
    from consentry.verification.peers import live_peers

    if directories and organizations:
        raise InputRejected("SOURCES_INVALID", "Name either --blocks or --organization, not both.")
    if not (directories or context.who):
        raise InputRejected(
            "SOURCES_INVALID",
            "Name exported blocks with --blocks DIRECTORY, "
            "or say with --as ORGANIZATION/LABEL who asks live peers.",
        )
    if directories:
        return [DirectorySource(directory) for directory in directories]
    return list(opened.enter_context(live_peers(context.profile, context.identity, organizations)))


def _anchor(context: CommandContext, given: str | None) -> str | None:
    if given is None:
        return context.kept_anchor()
    path = Path(given)
    try:
        return path.read_text(encoding="ascii").strip() if path.is_file() else given
    except (OSError, UnicodeError) as error:
        raise InputRejected("ANCHOR_INVALID", f"{path} cannot be read as an anchor.") from error


def _show(result: VerificationResult, as_json: bool) -> None:
    if as_json:
        show_json(result)
        return
    say(result.sentence)
    rows = [
        (source.name, source.blocks, source.difference.sentence if source.difference else "none")
        for source in result.sources
    ]
    show_table(("copy", "blocks", "difference"), rows)
    show_table(("validation code", "transactions"), sorted(result.codes.items()))
