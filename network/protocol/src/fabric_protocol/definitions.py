"""Chaincode definitions and approvals, as the lifecycle keeps them in state.

Definitions are public, in namespace ``_lifecycle``; approvals are private, in the implicit collection of
each organization, and agree when their bytes do.

Source: Fabric ``core/chaincode/lifecycle/{lifecycle,serializer}.go``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from fabric_protos.peer import collection_pb2
from fabric_protos.peer.lifecycle import chaincode_definition_pb2, db_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import EncodingError
from fabric_protocol.state import StateReader

LIFECYCLE_NAMESPACE = "_lifecycle"
LEGACY_NAMESPACE = "lscc"
"""Namespace of Fabric 1's lifecycle, which Fabric still reads for chaincodes that it does not find."""

DEFAULT_ENDORSEMENT_PLUGIN = "escc"
DEFAULT_VALIDATION_PLUGIN = "vscc"
DEFINITION_FIELDS = ("Sequence", "EndorsementInfo", "ValidationInfo", "Collections")
APPROVAL_FIELDS = ("EndorsementInfo", "ValidationInfo", "Collections")
APPROVAL_DATATYPE = "ChaincodeParameters"

IMPLICIT_COLLECTION_PREFIX = "_implicit_org_"
"""What the name of each organization's implicit collection begins with; its MSP id follows."""

SYSTEM_CHAINCODES = frozenset({"_lifecycle", "lscc", "qscc", "cscc"})
INITIALIZED_KEY = "\x00\U0010ffffinitialized"
"""Key, in a chaincode's own namespace, of the version for which it was initialized."""

_NAMESPACES = "namespaces"
_SOURCES = "chaincode-sources"
_REMEMBERED = 64


@dataclass(frozen=True)
class Definition:
    """What the organizations of a channel agreed a chaincode to be.

    Parameters:
        name: name of the chaincode.
        sequence: number of the definition, from 1.
        version: its version, free text.
        validation_parameter: M(ApplicationPolicy), the endorsement policy.
        endorsement_plugin: Fabric's default is ``escc``.
        validation_plugin: Fabric's default is ``vscc``.
        init_required: whether a call with ``is_init`` must come first.
        collections: M(CollectionConfigPackage), empty for none.
    """

    name: str
    sequence: int
    version: str
    validation_parameter: bytes
    endorsement_plugin: str = DEFAULT_ENDORSEMENT_PLUGIN
    validation_plugin: str = DEFAULT_VALIDATION_PLUGIN
    init_required: bool = False
    collections: bytes = b""

    @cached_property
    def collection_policies(self) -> Mapping[str, bytes]:
        """Names of the explicit collections, each with its M(ApplicationPolicy), empty if it has none.

        Raises:
            EncodingError: DEFINITION_MALFORMED.
        """
        return {entry.name: _encode(entry.endorsement_policy) for entry in self._static_collections}

    @cached_property
    def blocks_to_live(self) -> Mapping[str, int]:
        """Names of the explicit collections whose data expires, each with the blocks after which it does.

        Raises:
            EncodingError: DEFINITION_MALFORMED.
        """
        return {entry.name: entry.block_to_live for entry in self._static_collections if entry.block_to_live}

    @property
    def _static_collections(self) -> list[Any]:
        try:
            package = collection_pb2.CollectionConfigPackage.FromString(self.collections)
        except DecodeError as error:
            raise EncodingError(
                "DEFINITION_MALFORMED", f"The collections of {self.name!r} do not parse."
            ) from error
        return [entry.static_collection_config for entry in package.config]


def metadata_key(name: str) -> str:
    """Key of a definition's metadata; for an approval ``name`` is ``<chaincode>#<sequence>``."""
    return f"{_NAMESPACES}/metadata/{name}"


def field_key(name: str, field: str) -> str:
    """Key of one field of a definition or approval."""
    return f"{_NAMESPACES}/fields/{name}/{field}"


@lru_cache(maxsize=_REMEMBERED)
def definition_keys(name: str) -> tuple[str, ...]:
    """All keys of a definition, the metadata's first."""
    return (metadata_key(name), *(field_key(name, field) for field in DEFINITION_FIELDS))


def approval_name(chaincode: str, sequence: int) -> str:
    """Name under which an approval of a definition is kept."""
    return f"{chaincode}#{sequence}"


@dataclass(frozen=True)
class Approval:
    """What one organization approved: a definition, and the package by which it runs it, empty for none."""

    definition: Definition
    package_id: str


def approval_keys(chaincode: str, sequence: int) -> tuple[str, ...]:
    """All keys of an approval's definition, the metadata's first."""
    name = approval_name(chaincode, sequence)
    return (metadata_key(name), *(field_key(name, field) for field in APPROVAL_FIELDS))


def read_definition(state: StateReader, name: str) -> Definition | None:
    """Definition in force.

    Parameters:
        state: committed state.
        name: name of the chaincode.

    Returns:
        The definition; None where there is none.

    Raises:
        EncodingError: DEFINITION_MALFORMED, if the state holds something else under its keys.
    """
    found = state.get_many(LIFECYCLE_NAMESPACE, definition_keys(name))
    return _parse_once(name, tuple(entry.value if entry else b"" for entry in found))


@lru_cache(maxsize=_REMEMBERED)
def _parse_once(name: str, values: tuple[bytes, ...]) -> Definition | None:
    """Every simulation and every block asks for the definitions in force, which hardly ever change."""
    return parse_definition(name, dict(zip(definition_keys(name), values, strict=True)))


def parse_definition(name: str, values: Mapping[str, bytes]) -> Definition | None:
    """Definition from the values of `definition_keys` (missing or empty for an absent key).

    Returns:
        The definition; None where its metadata is absent.

    Raises:
        EncodingError: DEFINITION_MALFORMED.
    """
    return _parse(name, name, "ChaincodeDefinition", DEFINITION_FIELDS, values)


def parse_approval(chaincode: str, sequence: int, values: Mapping[str, bytes]) -> Approval | None:
    """Approval from the values of `approval_keys` and of `package_key` (missing or empty for an absent key).

    Returns:
        The approval; None where its metadata is absent.

    Raises:
        EncodingError: DEFINITION_MALFORMED.
    """
    kept_as = approval_name(chaincode, sequence)
    definition = _parse(chaincode, kept_as, APPROVAL_DATATYPE, APPROVAL_FIELDS, values)
    if definition is None:
        return None
    package_id = package_from(values.get(package_key(chaincode, sequence), b""))
    return Approval(replace(definition, sequence=sequence), package_id)


def _parse(
    name: str, kept_as: str, expected: str, order: tuple[str, ...], values: Mapping[str, bytes]
) -> Definition | None:
    encoded_metadata = values.get(metadata_key(kept_as), b"")
    if not encoded_metadata:
        return None
    try:
        datatype = db_pb2.StateMetadata.FromString(encoded_metadata).datatype
        fields = {
            field: db_pb2.StateData.FromString(values.get(field_key(kept_as, field), b"")) for field in order
        }
        endorsement = chaincode_definition_pb2.ChaincodeEndorsementInfo.FromString(
            fields["EndorsementInfo"].Bytes
        )
        validation = chaincode_definition_pb2.ChaincodeValidationInfo.FromString(
            fields["ValidationInfo"].Bytes
        )
    except DecodeError as error:
        raise EncodingError("DEFINITION_MALFORMED", f"The definition of {name!r} does not parse.") from error
    if datatype != expected:
        raise EncodingError("DEFINITION_MALFORMED", f"not a chaincode type: {datatype} (namespace {name!r})")
    return Definition(
        name=name,
        sequence=fields["Sequence"].Int64 if "Sequence" in fields else 0,
        version=endorsement.version,
        validation_parameter=validation.validation_parameter,
        endorsement_plugin=endorsement.endorsement_plugin,
        validation_plugin=validation.validation_plugin,
        init_required=endorsement.init_required,
        collections=fields["Collections"].Bytes,
    )


@lru_cache(maxsize=_REMEMBERED)
def sequence_from(value: bytes) -> int:
    """Sequence from the value of its field; 0 for an absent one.

    Raises:
        EncodingError: DEFINITION_MALFORMED.
    """
    try:
        return int(db_pb2.StateData.FromString(value).Int64)
    except DecodeError as error:
        raise EncodingError("DEFINITION_MALFORMED", "A definition's sequence does not parse.") from error


def definition_writes(definition: Definition) -> dict[str, bytes]:
    """Keys and values of a definition, as a commit puts them into namespace ``_lifecycle``.

    Fabric leaves out what the state holds already; the caller knows the state.
    """
    fields = {"Sequence": _integer(definition.sequence), **_parameters(definition)}
    return _writes(definition.name, "ChaincodeDefinition", DEFINITION_FIELDS, fields)


def approval_writes(definition: Definition) -> dict[str, bytes]:
    """Keys and values of an approval, as it goes into an organization's implicit collection."""
    name = approval_name(definition.name, definition.sequence)
    return _writes(name, APPROVAL_DATATYPE, APPROVAL_FIELDS, _parameters(definition))


def source_writes(chaincode: str, sequence: int, package_id: str) -> dict[str, bytes]:
    """Keys and values that name the package by which an organization runs an approved definition.

    Parameters:
        chaincode: name of the chaincode.
        sequence: of the approved definition.
        package_id: ``label:hash``; empty where the organization runs none.
    """
    name = approval_name(chaincode, sequence)
    metadata = db_pb2.StateMetadata(datatype="ChaincodeLocalPackage", fields=["PackageID"])
    return {
        f"{_SOURCES}/metadata/{name}": _encode(metadata),
        f"{_SOURCES}/fields/{name}/PackageID": _text(package_id),
    }


def source_keys(chaincode: str, sequence: int) -> tuple[str, ...]:
    """All keys that name the package of an approved definition, the metadata's first."""
    return tuple(source_writes(chaincode, sequence, ""))


def package_key(chaincode: str, sequence: int) -> str:
    """Key, in an organization's implicit collection, of the package that it runs."""
    return f"{_SOURCES}/fields/{approval_name(chaincode, sequence)}/PackageID"


def package_from(value: bytes) -> str:
    """Package id from the value under `package_key`; empty for an absent one.

    Raises:
        EncodingError: DEFINITION_MALFORMED.
    """
    try:
        return str(db_pb2.StateData.FromString(value).String)
    except DecodeError as error:
        raise EncodingError("DEFINITION_MALFORMED", "A package id in state does not parse.") from error


def _parameters(definition: Definition) -> dict[str, bytes]:
    endorsement = chaincode_definition_pb2.ChaincodeEndorsementInfo(
        version=definition.version,
        init_required=definition.init_required,
        endorsement_plugin=definition.endorsement_plugin,
    )
    validation = chaincode_definition_pb2.ChaincodeValidationInfo(
        validation_plugin=definition.validation_plugin,
        validation_parameter=definition.validation_parameter,
    )
    return {
        "EndorsementInfo": _bytes(_encode(endorsement)),
        "ValidationInfo": _bytes(_encode(validation)),
        "Collections": _bytes(definition.collections),
    }


def _writes(
    name: str, datatype: str, order: tuple[str, ...], fields: Mapping[str, bytes]
) -> dict[str, bytes]:
    metadata = db_pb2.StateMetadata(datatype=datatype, fields=list(order))
    return {
        metadata_key(name): _encode(metadata),
        **{field_key(name, field): fields[field] for field in order},
    }


# Every kind of StateData belongs to a oneof, so that a zero or empty value is written out all the same.
def _integer(value: int) -> bytes:
    return _encode(db_pb2.StateData(Int64=value))


def _bytes(value: bytes) -> bytes:
    return _encode(db_pb2.StateData(Bytes=value))


def _text(value: str) -> bytes:
    return _encode(db_pb2.StateData(String=value))


def _encode(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
