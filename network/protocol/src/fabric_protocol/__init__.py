"""The rules of Hyperledger Fabric without input or output.

Identities, policies, channel configuration, transactions, simulation, validation, blocks.
"""
