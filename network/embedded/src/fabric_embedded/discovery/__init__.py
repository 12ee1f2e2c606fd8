"""Fabric's discovery service: who is on the channel, what it consists of, who can endorse."""
