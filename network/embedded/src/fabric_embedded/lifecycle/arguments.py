"""Arguments of `_lifecycle` functions as definitions, with Fabric's defaults and checks (`scc.go`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from google.protobuf.message import DecodeError

from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.collection_rules import check_collections
from fabric_protocol.definitions import Definition
from fabric_protocol.errors import GO_DECODING
from fabric_protocol.policies import application_policy

if TYPE_CHECKING:
    from fabric_protocol.msp import MspManager

_NAME: Final = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")
_VERSION: Final = re.compile(r"[A-Za-z0-9_.+-]+")
_SYSTEM_NAMES: Final = frozenset({"cscc", "escc", "lscc", "qscc", "vscc"})
_DEFAULT_ENDORSEMENT_PLUGIN: Final = "escc"
_DEFAULT_VALIDATION_PLUGIN: Final = "vscc"
_DEFAULT_POLICY: Final = "/Channel/Application/Endorsement"
_Message = TypeVar("_Message")


def parse_arguments(message: type[_Message], function: str, data: bytes) -> _Message:
    """Read a function's one argument.

    Raises:
        ChaincodeError: ARGUMENT_INVALID.
    """
    try:
        return message.FromString(data)  # type: ignore[attr-defined, no-any-return]
    except DecodeError as error:
        raise ChaincodeError(
            "ARGUMENT_INVALID",
            f"could not decode input arg for *lifecycle.Invocation.{function}: {GO_DECODING}",
        ) from error


def requested_definition(arguments: Any) -> Definition:
    """The definition that approve, commit and check-readiness arguments name, with defaults filled in."""
    return Definition(
        name=arguments.name,
        sequence=arguments.sequence,
        version=arguments.version,
        validation_parameter=arguments.validation_parameter or application_policy(_DEFAULT_POLICY),
        endorsement_plugin=arguments.endorsement_plugin or _DEFAULT_ENDORSEMENT_PLUGIN,
        validation_plugin=arguments.validation_plugin or _DEFAULT_VALIDATION_PLUGIN,
        init_required=arguments.init_required,
        collections=arguments.collections.SerializeToString(deterministic=True),
    )


def check_names(arguments: Any) -> None:
    """Check name and version of what approve and commit arguments ask for.

    Raises:
        ChaincodeError: DEFINITION_INVALID, with Fabric's text.
    """
    if not _NAME.fullmatch(arguments.name):
        raise _invalid(
            f"invalid chaincode name '{arguments.name}'. Names can only consist of alphanumerics, "
            "'_', and '-' and can only begin with alphanumerics"
        )
    if arguments.name in _SYSTEM_NAMES:
        raise _invalid(f"chaincode name '{arguments.name}' is the name of a system chaincode")
    if not _VERSION.fullmatch(arguments.version):
        raise _invalid(
            f"invalid chaincode version '{arguments.version}'. Versions can only consist of "
            "alphanumerics, '_', '-', '+', and '.'"
        )


def check_definition(arguments: Any, msps: MspManager, committed: Callable[[], Definition | None]) -> None:
    """Check what approve and commit arguments ask for.

    Parameters:
        arguments: of the function.
        msps: of the channel.
        committed: reads the definition in force under this name; None for none.

    Raises:
        ChaincodeError: DEFINITION_INVALID, with Fabric's text where it has one.
    """
    check_names(arguments)
    check_collections(arguments.collections, msps, committed)


def _invalid(text: str) -> ChaincodeError:
    return ChaincodeError("DEFINITION_INVALID", f"error validating chaincode definition: {text}")
