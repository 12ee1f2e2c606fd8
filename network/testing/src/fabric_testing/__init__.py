"""An in-memory Fabric ledger for tests of chaincode written with fabric_shim."""

from fabric_testing.errors import (
    CommitError,
    EndorsementError,
    LedgerError,
    LedgerUsageError,
    ReplayDifferenceError,
    ReplayFailedError,
)
from fabric_testing.ledger import DEFAULT_TIME, Ledger
from fabric_testing.organizations import Signatory
from fabric_testing.recording import Recorder, recording
from fabric_testing.replay import ReplayReport, replay
from fabric_testing.results import EndorsedTransaction, Event, TestResult

__all__ = [
    "DEFAULT_TIME",
    "CommitError",
    "EndorsedTransaction",
    "EndorsementError",
    "Event",
    "Ledger",
    "LedgerError",
    "LedgerUsageError",
    "Recorder",
    "ReplayDifferenceError",
    "ReplayFailedError",
    "ReplayReport",
    "Signatory",
    "TestResult",
    "recording",
    "replay",
]
