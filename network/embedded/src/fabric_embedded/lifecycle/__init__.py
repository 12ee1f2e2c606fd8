"""Chaincode definitions: the system chaincode `_lifecycle`, and the first deployment through it."""
