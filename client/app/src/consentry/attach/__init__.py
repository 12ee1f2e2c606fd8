"""Use a Fabric network that runs already: another tool's connection profile, checked, gives network.json."""

from consentry.attach.attachment import Attachment, attach
from consentry.attach.connection_profile import ConnectionProfile, read_connection_profiles
from consentry.attach.findings import Finding, State

__all__ = ["Attachment", "ConnectionProfile", "Finding", "State", "attach", "read_connection_profiles"]
