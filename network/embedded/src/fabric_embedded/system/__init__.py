"""System chaincodes that answer questions: `qscc` about the ledger, `cscc` about the channel."""
