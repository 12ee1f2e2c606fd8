"""From a pseudonym to its commitment: only its custodian's register knows the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.cli.context import CommandContext
    from consentry.index import RowManifest
    from consentry.subjects import SubjectRegister


@contextmanager
def own_register(context: CommandContext) -> Iterator[SubjectRegister | None]:
    """The register of who acts, None where there is none (an organization without data, or nobody named)."""
    from consentry.own_subjects import open_register

    path = context.profile.subject_register(context.organization.name) if context.who else None
    with open_register(path) as register:
        yield register


def read_pseudonym() -> str:
    """A pseudonym, asked for or read from standard input: on a command line other users could see it.

    Raises:
        InputRejected: SUBJECT_MISSING.
    """
    if sys.stdin.isatty():
        pseudonym = str(typer.prompt("Pseudonym", hide_input=True, err=True))
    else:
        pseudonym = sys.stdin.readline()
    if not pseudonym.strip():
        raise InputRejected("SUBJECT_MISSING", "Standard input has no pseudonym in its first line.")
    return pseudonym.strip()


def commitment_of(context: CommandContext, pseudonym: str) -> str:
    """The commitment under which a subject of the own organization is on the ledger.

    Raises:
        InputRejected: SUBJECT_UNKNOWN; the message never repeats the pseudonym.
    """
    from consentry.own_subjects import own_commitment

    with own_register(context) as register:
        return own_commitment(register, pseudonym, context.organization.name)


@contextmanager
def own_manifest(context: CommandContext) -> Iterator[RowManifest | None]:
    """The row manifests of who acts, None where there are none."""
    from consentry.index.row_manifests import manifest_of

    with own_register(context) as register:
        yield manifest_of(register) if register is not None else None
