"""What every command is given: which network, and who acts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from consentry.errors import ConfigurationError, InputRejected

if TYPE_CHECKING:
    from consentry.ledger import Ledger
    from consentry.profile import NetworkProfile, OrganizationProfile
    from consentry.wallet import WalletIdentity

DEFAULT_DIRECTORY = Path(".consentry/demo")


@dataclass
class CommandContext:
    """Global options of one run of the command.

    Attributes:
        directory: the network's directory.
        who: ``organization/label`` of the wallet identity that acts; empty if none was named.
        index: SQLAlchemy URL of the trail index; empty for ``index.sqlite`` in the directory.
        local: whether the index is read as it stands, without asking a peer or recording the read.
    """

    directory: Path
    who: str
    index: str = ""
    local: bool = False

    @cached_property
    def profile(self) -> NetworkProfile:
        """The network's profile.

        Raises:
            ConfigurationError: NETWORK_MISSING if there is none.
        """
        from consentry.profile import FILE_NAME, NetworkProfile

        if not (self.directory / FILE_NAME).is_file():
            raise ConfigurationError(
                "NETWORK_MISSING",
                f"{self.directory} has no {FILE_NAME}; start a network with `consentry network up`, "
                "or name another directory with --network.",
            )
        return NetworkProfile.load(self.directory)

    @property
    def organization(self) -> OrganizationProfile:
        """The organization of who acts."""
        return self.profile.organization_named(self._named()[0])

    @cached_property
    def identity(self) -> WalletIdentity:
        """Who acts.

        Raises:
            InputRejected: IDENTITY_MISSING, or the wallet has no such identity.
        """
        from consentry.acting import wallet_identity

        return wallet_identity(self.profile, self.who, datetime.now(UTC), os.environ)

    def connect(self) -> Ledger:
        """Connect to the peer of who acts; a context manager."""
        from consentry.ledger import connect

        return connect(self.profile, self.identity, index=self.index)

    @property
    def index_url(self) -> str:
        """Where the trail index is."""
        return self.index or self.profile.index_url

    def kept_anchor(self) -> str | None:
        """The anchor that the own organization keeps outside the ledger; None if none, or if nobody acts."""
        from consentry.profile import kept_anchor_in

        # Exported blocks are verified without a network's profile, too.
        return kept_anchor_in(self.directory, self._named()[0]) if self.who else None

    def _named(self) -> tuple[str, str]:
        from consentry.acting import split_name

        return split_name(self.who)


def command_context(ctx: typer.Context) -> CommandContext:
    """The global options, as the main command set them."""
    found = ctx.find_object(CommandContext)
    if found is None:
        raise InputRejected("CONTEXT_MISSING", "This command runs under `consentry` only.")
    return found
