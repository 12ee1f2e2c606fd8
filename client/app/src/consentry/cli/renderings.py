"""``render`` and ``visa``: consents, grants and decisions in the forms of other standards."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consentry.cli import access, consents, grants
from consentry.cli.context import command_context
from consentry.cli.output import examples, show_json

if TYPE_CHECKING:
    from consentry.renderings import VisaIssuer

PartiesOption = Annotated[
    Path | None,
    typer.Option(help="YAML file: for each MSP id name, address, contact, authority."),
]


class ConsentFormat(StrEnum):
    """Formats of consents."""

    FHIR_R5 = "fhir-r5"
    FHIR_R4B = "fhir-r4b"
    ISO_27560 = "iso-27560"
    ODRL = "odrl"


class DecisionFormat(StrEnum):
    """Formats of decisions."""

    BALP_R4B = "balp-r4b"
    BALP_R5 = "balp-r5"


@consents.app.command(
    "render",
    epilog=examples(
        "consentry --as northgate/dpo consents render consent-0123… --format fhir-r5",
        "consentry --as northgate/dpo consents render consent-0123… --format iso-27560 --private",
    ),
)
def render_consent(
    ctx: typer.Context,
    consent: Annotated[str, typer.Argument(help="Id of the consent.")],
    form: Annotated[ConsentFormat, typer.Option("--format", help="Which standard.")] = ConsentFormat.FHIR_R5,
    private: Annotated[
        bool,
        typer.Option(
            "--private", help="With the custodian's own entry, pseudonym included: for the subject alone."
        ),
    ] = False,
    parties: PartiesOption = None,
) -> None:
    """Print one consent in another standard's form (JSON); what it lacks is printed as absent, with why."""
    from consentry import renderings
    from consentry.renderings.of_ledger import consent_source

    stated = renderings.read_parties(parties) if parties is not None else None
    renderers: dict[ConsentFormat, Any] = {
        ConsentFormat.FHIR_R5: renderings.consent_as_fhir_r5,
        ConsentFormat.FHIR_R4B: renderings.consent_as_fhir_r4b,
        ConsentFormat.ISO_27560: renderings.consent_as_iso_27560,
        ConsentFormat.ODRL: renderings.consent_as_odrl,
    }
    with command_context(ctx).connect() as ledger:
        source = consent_source(ledger, consent, private=private, parties=stated)
    show_json(renderers[form](source))


@grants.app.command(
    "render", epilog=examples("consentry --as riverside/researcher grants render grant-0123… > grant.jsonld")
)
def render_grant(ctx: typer.Context, grant_id: grants.GrantId) -> None:
    """Print one grant as an ODRL agreement (JSON-LD)."""
    from consentry.renderings import grant_as_odrl

    with command_context(ctx).connect() as ledger:
        show_json(grant_as_odrl(ledger.grants.get(grant_id)))


@access.app.command(
    "render",
    epilog=examples(
        "consentry --as northgate/dpo access render attempt-0123… --format balp-r4b",
        "consentry --as northgate/dpo access render attempt-0123… --row-proof row.json",
    ),
)
def render_decision(
    ctx: typer.Context,
    attempt_id: Annotated[str, typer.Argument(help="Id of a decided attempt.")],
    form: Annotated[
        DecisionFormat, typer.Option("--format", help="Which release of FHIR.")
    ] = DecisionFormat.BALP_R4B,
    row_proof: Annotated[
        Path | None,
        typer.Option(help="File of `datasets prove-row`: makes it an event of that row's subject."),
    ] = None,
) -> None:
    """Print the decision on an attempt as IHE BALP's AuditEvent AuthZconsent (JSON), permit or denial."""
    from consentry import renderings
    from consentry.cli.json_files import read_json_object
    from consentry.renderings.of_ledger import decision_source
    from consentry.row_proofs import RowProof

    row = RowProof.from_dict(read_json_object(row_proof)) if row_proof is not None else None
    render = (
        renderings.decision_as_balp_r4b if form is DecisionFormat.BALP_R4B else renderings.decision_as_balp_r5
    )
    with command_context(ctx).connect() as ledger:
        show_json(render(decision_source(ledger, attempt_id, row)))


@access.app.command(
    epilog=examples(
        "consentry --as northgate/service access visa attempt-0123… --issuer https://visas.northgate.example",
        "consentry --as northgate/service access visa attempt-0123… --issuer https://… --lifetime 15m",
    )
)
def visa(
    ctx: typer.Context,
    attempt_id: Annotated[str, typer.Argument(help="Id of a permitted attempt.")],
    issuer: Annotated[str, typer.Option(help="URL of the issuer (iss).")],
    source: Annotated[
        str | None, typer.Option(help="URL of the custodian that decided (default: the issuer's).")
    ] = None,
    key_set_url: Annotated[
        str | None,
        typer.Option(help="URL of the issuer's key set (jku; default: ISSUER/.well-known/jwks.json)."),
    ] = None,
    lifetime: Annotated[str, typer.Option(help="How long it holds, at most to the permit's end.")] = "1h",
) -> None:
    """Issue a GA4GH visa on a permit: a JWT signed by who acts, of the custodian's organization."""
    from consentry.cli.frames import parse_duration
    from consentry.renderings.of_ledger import issue_visa

    made = _issuer(issuer, source, key_set_url, int(parse_duration(lifetime).total_seconds()))
    with command_context(ctx).connect() as ledger:
        typer.echo(issue_visa(ledger, attempt_id, made))


@access.app.command(
    "visa-keys", epilog=examples("consentry --as northgate/service access visa-keys > jwks.json")
)
def visa_keys(ctx: typer.Context) -> None:
    """Print the key set by which visas of who acts are verified, to be published at their jku (JSON)."""
    from consentry.renderings import key_set

    show_json(key_set(command_context(ctx).identity.private_key.public_key()))


def _issuer(url: str, source: str | None, key_set_url: str | None, seconds: int) -> VisaIssuer:
    from consentry.renderings import VisaIssuer

    return VisaIssuer(
        url=url,
        source=source or url,
        key_set_url=key_set_url or f"{url.rstrip('/')}/.well-known/jwks.json",
        lifetime_seconds=seconds,
    )
