"""The verifier as a program of its own."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .refusal import ProofRefused
from .verifying import describe, verify_proof

PROVED, REFUSED, UNREADABLE, HOLDS = 0, 1, 2, 3
_EPILOG = "Exit status: 0 proved, 1 refused, 2 the file cannot be read, 3 it holds but is not proved."


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one proof file and say what it proves.

    Args:
        arguments: of the command line; by default the process's own.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(description="Check a proof file of a Consentry ledger.", epilog=_EPILOG)
    parser.add_argument("file", type=Path)
    parser.add_argument("--anchor", help="hash of the genesis header, known from outside the ledger")
    parser.add_argument("--organizations", type=int, help="how many have to state it (default: a majority)")
    parser.add_argument("--json", action="store_true", help="print what is proved as JSON")
    given = parser.parse_args(arguments)
    try:
        proof = verify_proof(given.file.read_bytes(), given.anchor, given.organizations)
    except OSError as error:
        sys.stderr.write(f"{given.file} cannot be read: {error.strerror}.\n")
        return UNREADABLE
    except ProofRefused as refusal:
        sys.stdout.write(f"Refused ({refusal.code}): {refusal}.\n")
        return REFUSED
    sys.stdout.write((json.dumps(proof.to_dict(), indent=2) if given.json else describe(proof)) + "\n")
    return PROVED if proof.is_proved else HOLDS
