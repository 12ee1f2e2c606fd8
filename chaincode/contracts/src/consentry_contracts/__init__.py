"""The contracts of the Consentry ledger: consents, datasets, grants, access decisions, training and models."""
