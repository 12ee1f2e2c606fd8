"""A client of Hyperledger Fabric's Gateway service."""
