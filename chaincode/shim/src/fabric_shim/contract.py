"""What a contract author writes: a class of explicitly marked ``async`` functions.

    class Consents(Contract):
        name = "consents"

        @transaction
        async def give(self, ctx: Context, consent: Consent) -> None: ...

        @evaluation
        async def get(self, ctx: Context, consent_id: str) -> Consent: ...

On the wire the functions are ``consents:give`` and ``consents:get``. A public method without a mark is never
callable.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from fabric_shim.caller import Caller
from fabric_shim.errors import ContractError
from fabric_shim.stub import Stub

Function = TypeVar("Function", bound=Callable[..., Any])
Kind = Literal["transaction", "evaluation"]

MARK = "__fabric_kind__"
"""Attribute that the decorators set on a function."""


def transaction(function: Function) -> Function:
    """Mark an ``async def`` as callable and meant to be submitted.

    Raises:
        TypeError: the function is not an ``async def``.
    """
    return _mark(function, "transaction")


def evaluation(function: Function) -> Function:
    """Mark an ``async def`` as callable and meant to be evaluated: writes and events in it are refused.

    A client can submit it all the same; then its result is put into a block.

    Raises:
        TypeError: the function is not an ``async def``.
    """
    return _mark(function, "evaluation")


def _mark(function: Function, kind: Kind) -> Function:
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"@{kind} got {function!r}, expected an async def")
    setattr(function, MARK, kind)
    return function


@dataclass(slots=True)
class Context:
    """One call of one function; made anew for each transaction.

    Attributes:
        stub: the ledger.
        function: the function's name on the wire, ``contract:function``.
        kind: how the function is marked.
    """

    stub: Stub
    function: str
    kind: Kind

    @property
    def caller(self) -> Caller:
        """Who proposed the transaction."""
        return self.stub.caller

    @property
    def proposal_time(self) -> datetime:
        """When the proposal was made, by the clock of whoever made it (UTC)."""
        return self.stub.proposal_time

    @property
    def transaction_id(self) -> str:
        """The transaction's id: 64 lower-case hexadecimal digits."""
        return self.stub.transaction_id


class Contract:
    """Base of contracts. An instance is shared by all transactions: keep nothing in it.

    Attributes:
        name: first part of the functions' names on the wire; no colon, not empty.
    """

    name: ClassVar[str] = ""

    async def before(self, ctx: Context) -> None:
        """Run before each function, after its arguments were decoded; raise ``ContractError`` to refuse."""

    async def after(self, ctx: Context, result: Any) -> None:
        """Run after each function that returned, with its result before it is encoded."""

    def translate_error(self, error: Exception) -> ContractError | None:
        """The ``ContractError`` to answer for an exception of the domain, ``None`` if it is none of ours.

        Also asked about exceptions of ``from_dict`` while arguments are decoded.
        """
        return None
