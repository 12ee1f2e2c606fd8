"""Record types, canonical bytes and access rules of the Consentry ledger; no input or output."""
