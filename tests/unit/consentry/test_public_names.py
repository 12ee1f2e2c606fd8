"""What `consentry` offers at its top, and what starting a service must not load."""

import subprocess
import sys

import pytest

import consentry

NAMES = ["AccessDenied", "ConsentryError", "Ledger", "LedgerRefused", "Wallet", "WalletIdentity", "connect"]


def test_the_public_names_are_these() -> None:
    assert sorted(consentry.__all__) == NAMES
    assert all(getattr(consentry, name).__name__ == name for name in NAMES)


def test_other_names_are_missing() -> None:
    with pytest.raises(AttributeError, match="no attribute 'something'"):
        _ = consentry.something


@pytest.mark.parametrize(
    "module", ["consentry", "consentry.ledger", "consentry.decider", "consentry.ca_client"]
)
def test_a_service_starts_without_pandas(module: str) -> None:
    program = f"import sys, {module}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
