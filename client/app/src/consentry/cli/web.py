"""``consentry web``: the pages for compliance officers, and how one signs in to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, note, show_json

if TYPE_CHECKING:
    from consentry.https_serving import Certificate
    from consentry.ledger import Ledger
    from consentry.web.settings import ReportFiles

app = typer.Typer(name="web", no_args_is_help=True, help="The trail as pages for compliance officers.")


@app.command(
    epilog=examples(
        "consentry --as northgate/service web serve",
        "consentry --as northgate/service web serve --host 0.0.0.0 --port 8443 \\",
        "    --url https://trail.northgate.example --certificate web.pem --key web.key",
    )
)
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8443,
    url: Annotated[
        str | None, typer.Option(help="How browsers reach it (default: https://HOST:PORT).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate (default: one made for trials).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the TLS certificate.")] = None,
    client_certificates: Annotated[
        bool,
        typer.Option(
            "--client-certificates", help="Let browsers sign in by certificates of the organization, too."
        ),
    ] = False,
    schedule: Annotated[
        Path | None, typer.Option(help="Schedule of reports that officers may look at (YAML).")
    ] = None,
    details: Annotated[
        Path | None,
        typer.Option(help="YAML file with what no ledger has; `report details` lists the keys."),
    ] = None,
) -> None:
    """Serve the own organization's officers until stopped (SIGTERM or Ctrl-C).

    Only its members can sign in. What they are shown of persons is recorded on the ledger.
    """
    from consentry.errors import InputRejected
    from consentry.web.settings import ReportFiles

    if (certificate is None) != (key is None):
        raise InputRejected("OPTIONS_INCOMPLETE", "give --certificate and --key together")
    context = command_context(ctx)
    given = (certificate, key) if certificate is not None and key is not None else None
    with context.connect() as ledger:
        _serve(
            context,
            ledger,
            host,
            port,
            url,
            given,
            ReportFiles(schedule=schedule, details=details),
            client_certificates=client_certificates,
        )


@app.command("sign-in", epilog=examples("consentry --as northgate/dpo web sign-in sign-in-1.eyJjaGFubmVs…"))
def sign_in(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="The code that the sign-in page shows.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign a sign-in page's code with the wallet's key; the answer goes into that page.

    Nothing is sent. Whoever gets the answer is signed in as you at the address shown: paste it there only.
    """
    from datetime import UTC, datetime

    from consentry.errors import InputRejected
    from consentry.web.challenges import Challenge, signed_answer

    challenge = Challenge.from_code(code)
    identity = command_context(ctx).identity
    ends = datetime.fromtimestamp(challenge.expires_at, UTC)
    if ends <= datetime.now(UTC):
        raise InputRejected("SIGN_IN_CODE_EXPIRED", "the code has expired; show a new one and sign that")
    note(f"Sign in at  {challenge.origin}")
    note(f"channel     {challenge.channel}")
    note(f"as          {identity.enrolment_id} of {identity.msp_id} ({', '.join(sorted(identity.roles))})")
    note(f"good until  {ends:%H:%M:%S} UTC, once")
    if not yes:
        typer.confirm("Is that the address in your browser", abort=True, err=True)
    answer = signed_answer(challenge, identity)
    if as_json:
        show_json({"origin": challenge.origin, "answer": answer})
        return
    typer.echo(answer)


def _serve(
    context: CommandContext,
    ledger: Ledger,
    host: str,
    port: int,
    url: str | None,
    given: tuple[Path, Path] | None,
    report_files: ReportFiles,
    *,
    client_certificates: bool,
) -> None:
    from consentry.web.places import client_roots, trial_certificate
    from consentry.web.serving import free_port, origin_of, serve
    from consentry.web.signing.address import WebAddress

    actual = port or free_port(host)
    origin = origin_of(url or f"https://{f'[{host}]' if ':' in host else host}:{actual}")
    directory = context.profile.directory / "web" / context.organization.name
    tls = _certificate(given) if given is not None else trial_certificate(directory, host)
    roots = client_roots(directory, ledger) if client_certificates else None

    def announce(_port: int) -> None:
        address = WebAddress(origin, tls.roots.read_text(encoding="ascii"))
        path = address.write(context.profile, context.organization.name)
        note(f"serving the trail of {ledger.identity.msp_id} at {origin}; signers need {path}")

    serve(
        ledger,
        origin,
        host,
        actual,
        tls,
        announce,
        client_roots=roots,
        report_files=report_files,
    )


def _certificate(given: tuple[Path, Path]) -> Certificate:
    from consentry.https_serving import Certificate

    return Certificate(*given, roots=given[0])
