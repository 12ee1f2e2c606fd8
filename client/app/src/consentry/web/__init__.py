"""The trail for compliance officers: pages that an organization serves to its own officers only."""
