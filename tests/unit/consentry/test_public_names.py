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
    assert loads(module, "pandas") == []


def test_connecting_loads_what_it_needs_alone() -> None:
    """A program waits for its imports: the HTTP client and the databases come with their first use."""
    assert loads("consentry.ledger", "pandas", "numpy", "httpx", "sqlalchemy", "rich", "typer") == []


def loads(module: str, *names: str) -> list[str]:
    """Which of some modules are there once a module is imported in a fresh interpreter."""
    program = f"import sys, {module}; print(*[name for name in {names} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=True, capture_output=True, text=True
    )
    return done.stdout.split()
