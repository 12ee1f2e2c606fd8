"""From a function's name on the wire to a marked method, and from its outcome to a response."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, get_type_hints

from fabric_shim.contract import Context, Contract, Kind
from fabric_shim.errors import ConfigurationError, ContractError
from fabric_shim.metadata import SystemContract, marked_functions
from fabric_shim.outcomes import Outcome, encode_result, failure
from fabric_shim.parameters import ArgumentRefusedError, Decoder, argument_decoder
from fabric_shim.stub import Stub


class TransactionStub(Stub, Protocol):
    """The stub as the runtime sees it."""

    def refuse_writes(self) -> None:
        """Refuse writes and events from now on: the function is marked ``@evaluation``."""
        ...


class Chaincode(Protocol):
    """What runs transactions; ``Router`` is the one for contracts."""

    async def invoke(self, stub: TransactionStub) -> Outcome:
        """Run one transaction. Must not raise except when cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function: its name, its decoder, and whether it may be left out."""

    name: str
    decode: Decoder
    required: bool


@dataclass(frozen=True, slots=True)
class Route:
    """One callable function."""

    name: str
    kind: Kind
    contract: Contract
    function: Callable[..., Awaitable[Any]]
    parameters: tuple[Parameter, ...]
    required: int
    has_before: bool
    has_after: bool


class Router:
    """Runs the marked functions of some contracts.

    Attributes:
        contracts: as they were given.

    Raises:
        ConfigurationError: no contract, a name that is empty, doubled or holds a colon, no marked function,
            or a parameter that cannot be decoded.
    """

    def __init__(self, contracts: Sequence[Contract]) -> None:
        if not contracts:
            raise ConfigurationError("got no contract, expected at least one")
        self.contracts = tuple(contracts)
        self._routes: dict[bytes, Route] = {}
        for contract in contracts:
            self._add(contract)
        self._add(SystemContract(contracts))

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of all callable functions, sorted; ``org.hyperledger.fabric:GetMetadata`` is one."""
        return tuple(sorted(route.name for route in self._routes.values()))

    def _add(self, contract: Contract) -> None:
        if not contract.name or ":" in contract.name:
            raise ConfigurationError(
                f"{type(contract).__name__}.name is {contract.name!r}, expected a name without colon"
            )
        marked = marked_functions(type(contract))
        if not marked:
            raise ConfigurationError(
                f"contract {contract.name!r} has no @transaction or @evaluation function"
            )
        for name, kind in marked.items():
            route = _route(contract, name, kind)
            if route.name.encode() in self._routes:
                raise ConfigurationError(f"two contracts are named {contract.name!r}; give each its own name")
            self._routes[route.name.encode()] = route

    async def invoke(self, stub: TransactionStub) -> Outcome:
        """Run the function that the first argument names; every exception becomes an error response."""
        contract: Contract | None = None
        try:
            route = self._find(stub.arguments)
            contract = route.contract
            if route.kind == "evaluation":
                stub.refuse_writes()
            return Outcome(200, "", await _call(route, stub))
        except (Exception, SystemExit) as error:
            return failure(error, contract, stub.transaction_id)

    def _find(self, arguments: Sequence[bytes]) -> Route:
        route = self._routes.get(arguments[0]) if arguments else None
        if route is None:
            raise ContractError(
                "FUNCTION_NOT_FOUND",
                "the chaincode has no such function; names are written contract:function",
                status=404,
            )
        return route


def _route(contract: Contract, name: str, kind: Kind) -> Route:
    wire_name = f"{contract.name}:{name}"
    function = getattr(contract, name)
    hints = get_type_hints(function)
    parameters = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.name not in hints:
            raise ConfigurationError(
                f"{wire_name}: parameter {parameter.name!r} needs an annotation and a name"
            )
        required = parameter.default is parameter.empty
        parameters.append(Parameter(parameter.name, argument_decoder(hints[parameter.name]), required))
    return Route(
        name=wire_name,
        kind=kind,
        contract=contract,
        function=function,
        parameters=tuple(parameters),
        required=sum(parameter.required for parameter in parameters),
        has_before=type(contract).before is not Contract.before,
        has_after=type(contract).after is not Contract.after,
    )


async def _call(route: Route, stub: Stub) -> bytes:
    context = Context(stub, route.name, route.kind)
    values = _decode(route, stub.arguments)
    if route.has_before:
        await route.contract.before(context)
    result = await route.function(context, *values)
    if route.has_after:
        await route.contract.after(context, result)
    return encode_result(result)


def _decode(route: Route, arguments: Sequence[bytes]) -> list[Any]:
    given = len(arguments) - 1
    if not route.required <= given <= len(route.parameters):
        raise ContractError(
            "ARGUMENT_INVALID",
            f"got {given} arguments, expected {_expected_count(route)}",
            {"function": route.name},
        )
    values = []
    for parameter, argument in zip(route.parameters, arguments[1:], strict=False):
        try:
            values.append(parameter.decode(argument))
        except Exception as error:
            raise _refused(route, parameter, error) from error
    return values


def _expected_count(route: Route) -> str:
    most = len(route.parameters)
    return str(most) if route.required == most else f"{route.required} to {most}"


def _refused(route: Route, parameter: Parameter, error: Exception) -> ContractError:
    if isinstance(error, ContractError):
        return error
    translated = route.contract.translate_error(error)
    if translated is not None:
        return translated
    # Any other exception may quote the argument, which may be personal: its text goes nowhere.
    detail = str(error) if isinstance(error, ArgumentRefusedError) else "it does not have the expected form"
    return ContractError(
        "ARGUMENT_INVALID",
        f"argument {parameter.name}: {detail}",
        {"function": route.name, "parameter": parameter.name},
    )
