"""The ledger on disk: SQLite files for what is public and, one for each organization, for what is private."""
