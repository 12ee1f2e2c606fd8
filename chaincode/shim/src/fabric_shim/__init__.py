"""Chaincode for Hyperledger Fabric in Python: stub, contract base and chaincode-as-a-service server."""
