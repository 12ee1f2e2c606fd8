"""What a chaincode offers, in the JSON form that tools of Fabric's contract APIs read.

The form is the "Hyperledger Fabric Contract Definition JSON Schema" (``contract-schema.json`` of
fabric-contract-api): contracts, their transactions with the schemas of parameters and results, and the types
that they name. It follows from annotations alone, so every endorser gives the same bytes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Final, get_type_hints

from fabric_shim.canonical import encode
from fabric_shim.contract import MARK, Context, Contract, Kind, evaluation
from fabric_shim.schemas import Schemas

_TAGS: Final[Mapping[Kind, list[str]]] = {
    "transaction": ["SUBMIT", "submitTx"],
    "evaluation": ["EVALUATE", "evaluateTx"],
}


class SystemContract(Contract):
    """The contract that every chaincode has; clients ask it ``org.hyperledger.fabric:GetMetadata``.

    Args:
        contracts: the chaincode's own.
    """

    name: ClassVar[str] = "org.hyperledger.fabric"

    def __init__(self, contracts: Sequence[Contract]) -> None:
        self._contracts = (*contracts, self)

    @cached_property
    def metadata(self) -> str:
        """Canonical JSON; made when it is first asked for: most chaincode never is."""
        return encode(contract_metadata(self._contracts)).decode()

    @evaluation
    async def GetMetadata(self, ctx: Context) -> str:
        """The chaincode's contract metadata as canonical JSON."""
        return self.metadata


def contract_metadata(contracts: Sequence[Contract]) -> dict[str, Any]:
    """Metadata of contracts as a JSON object.

    Args:
        contracts: each under its name; the first one gives the chaincode's title and version.
    """
    schemas = Schemas()
    described = {contract.name: _contract(contract, schemas) for contract in contracts}
    info = _info(contracts[0])
    return {"components": {"schemas": schemas.components}, "contracts": described, "info": info}


def marked_functions(contract_type: type[Contract]) -> dict[str, Kind]:
    """Names of the callable functions of a contract, in order, with how each is marked."""
    marks = {
        name: getattr(inspect.getattr_static(contract_type, name), MARK, None) for name in dir(contract_type)
    }
    return {name: kind for name, kind in marks.items() if kind}


def _contract(contract: Contract, schemas: Schemas) -> dict[str, Any]:
    transactions = [
        _transaction(getattr(contract, name), name, kind, schemas)
        for name, kind in marked_functions(type(contract)).items()
    ]
    return {"info": _info(contract), "name": contract.name, "transactions": transactions}


def _info(contract: Contract) -> dict[str, str]:
    package = sys.modules.get(type(contract).__module__.partition(".")[0])
    info = {"title": contract.name, "version": str(getattr(package, "__version__", ""))}
    documentation = type(contract).__doc__
    if documentation:
        info["description"] = inspect.cleandoc(documentation).partition("\n\n")[0].replace("\n", " ")
    return info


def _transaction(function: Any, name: str, kind: Kind, schemas: Schemas) -> dict[str, Any]:
    hints = get_type_hints(function, include_extras=True)
    parameters = [
        {
            "name": parameter.name,
            "required": parameter.default is parameter.empty,
            "schema": schemas.of(hints[parameter.name]),
        }
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    described: dict[str, Any] = {"name": name, "parameters": parameters, "tag": _TAGS[kind]}
    result = hints.get("return", type(None))
    if result is not type(None):
        described["returns"] = schemas.of(result)
    return described
