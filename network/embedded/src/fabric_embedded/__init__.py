"""A Fabric channel in one process: SQLite ledger, ordering, endorsement, Gateway and CA services."""
