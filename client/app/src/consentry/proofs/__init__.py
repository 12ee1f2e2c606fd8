"""Proof files: one record of the ledger, provable to somebody who has nothing but a pinned genesis hash."""

from consentry.proofs.archive import write_verifier
from consentry.proofs.checking import BlockBundle, Proof, ProofRefused, describe, verify_proof
from consentry.proofs.making import MadeProof, make_bundle, make_proof
from consentry.proofs.statements import ask_for_statement, read_statement

__all__ = [
    "BlockBundle",
    "MadeProof",
    "Proof",
    "ProofRefused",
    "ask_for_statement",
    "describe",
    "make_bundle",
    "make_proof",
    "read_statement",
    "verify_proof",
    "write_verifier",
]
