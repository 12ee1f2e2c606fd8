"""Consents, data-access grants and AI-model audit trails for hospital consortia on Hyperledger Fabric."""
