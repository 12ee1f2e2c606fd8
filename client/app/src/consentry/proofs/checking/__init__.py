"""Checking proof files with nothing but Python and the library `cryptography`.

These modules import nothing else, so that an auditor can read them whole and run them alone: `consentry proof
verifier FILE` writes them into one file.

A proof file holds one block whole, the channel's configurations from the genesis block to that block, and
peers' statements. With the genesis hash pinned outside the ledger (the anchor) it proves that a transaction
wrote a record, that the orderers put it into that block, and, by the statements, that peers of enough
organizations found it valid. Orderers do not sign validity, so that without the statements the file proves
ordering only. Between two configurations nothing but their sequence numbers and the signatures under the
configuration before is checked; `consentry verify` re-proves the whole chain.
"""

from .bundles import BlockBundle
from .refusal import ProofRefused
from .verifying import Proof, describe, verify_proof

__all__ = ["BlockBundle", "Proof", "ProofRefused", "describe", "verify_proof"]
