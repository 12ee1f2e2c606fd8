"""The rules of Hyperledger Fabric without input or output: identities, policies, transactions, simulation, validation, blocks."""
