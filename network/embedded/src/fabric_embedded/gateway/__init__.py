"""Fabric's Gateway service of one organization."""
