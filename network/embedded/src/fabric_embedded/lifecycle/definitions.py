"""What `_lifecycle` reads and writes: approvals in implicit collections, definitions in public state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from fabric_embedded.errors import ChaincodeError
from fabric_protocol.collections import IMPLICIT_PREFIX
from fabric_protocol.definitions import (
    APPROVAL_DATATYPE,
    LIFECYCLE_NAMESPACE,
    Approval,
    Definition,
    approval_keys,
    approval_writes,
    definition_keys,
    definition_writes,
    field_key,
    metadata_key,
    parse_approval,
    parse_definition,
    sequence_from,
    source_keys,
    source_writes,
)

if TYPE_CHECKING:
    from fabric_protocol.simulation import Simulator

_EARLIER_LIFECYCLE = "lscc"


class DefinitionStore:
    """Definitions and approvals as one simulation sees them; whatever is asked for enters its read set.

    Parameters:
        simulator: of the transaction.
        msp_id: of the peer's organization, whose approvals it may read and write.
    """

    def __init__(self, simulator: Simulator, msp_id: str) -> None:
        self._simulator = simulator
        self._msp_id = msp_id

    def sequence(self, name: str) -> int:
        """Sequence of the definition in force; 0 for none."""
        return sequence_from(self._public(field_key(name, "Sequence")) or b"")

    def definition(self, name: str) -> Definition | None:
        """The definition in force."""
        metadata, *fields = definition_keys(name)
        found = self._public(metadata)
        if found is None:
            return None
        return parse_definition(name, {metadata: found, **{key: self._public(key) or b"" for key in fields}})

    def checked_definition(self, name: str) -> Definition | None:
        """The definition in force, as the check of a new one reads it (`scc.go · validateInput`).

        Where there is none, a chaincode of Fabric's 1.x lifecycle is looked for, which no channel here has;
        that look is part of the read set that endorsers sign.
        """
        found = self.definition(name)
        if found is None:
            self._simulator.get_state(_EARLIER_LIFECYCLE, name)
        return found

    def is_approved(self, definition: Definition, msp_id: str) -> bool:
        """Whether an organization approved exactly this definition, by the hashes on the channel."""
        return not self.mismatches(definition, msp_id)

    def mismatches(self, definition: Definition, msp_id: str) -> tuple[str, ...]:
        """Names of the fields of an organization's approval that differ from this definition's.

        Where there is no approval of this sequence at all, the name of the whole (`serializer.go ·
        IsSerialized`).
        """
        writes = approval_writes(definition)
        different = [
            key for key, value in writes.items() if self._private_hash(key, msp_id) != sha256(value).digest()
        ]
        if next(iter(writes)) in different:
            return (APPROVAL_DATATYPE,)
        return tuple(key.rsplit("/", 1)[1] for key in different)

    def approvals(self, definition: Definition, msp_ids: Iterable[str]) -> dict[str, bool]:
        """Which organizations approved exactly this definition."""
        return {msp_id: self.is_approved(definition, msp_id) for msp_id in msp_ids}

    def approve(self, definition: Definition, package_id: str) -> None:
        """Write this organization's approval.

        Raises:
            ChaincodeError: SEQUENCE_INVALID, DEFINITION_CHANGED, APPROVAL_UNCHANGED, with Fabric's text.
        """
        current = self.sequence(definition.name)
        self._check_sequence(definition, current)
        is_unchanged = self._is_repeated(definition, package_id)
        if is_unchanged and definition.sequence == current:
            raise ChaincodeError(
                "APPROVAL_UNCHANGED",
                f"attempted to redefine the current committed sequence ({current}) for namespace "
                f"{definition.name}",
            )
        if is_unchanged:
            raise ChaincodeError(
                "APPROVAL_UNCHANGED",
                f"attempted to redefine uncommitted sequence ({definition.sequence}) for namespace "
                f"{definition.name} with unchanged content",
            )
        self._keep_private(approval_writes(definition))
        self._keep_private(source_writes(definition.name, definition.sequence, package_id))

    def commit(self, definition: Definition, msp_ids: Iterable[str]) -> None:
        """Put a definition in force, if this organization has approved it.

        Raises:
            ChaincodeError: SEQUENCE_INVALID, NOT_APPROVED, with Fabric's text.
        """
        approvals = self.readiness(definition, msp_ids)
        self._keep_public(definition_writes(definition))
        if not approvals[self._msp_id]:
            raise ChaincodeError(
                "NOT_APPROVED", f"chaincode definition not agreed to by this org ({self._msp_id})"
            )

    def readiness(self, definition: Definition, msp_ids: Iterable[str]) -> dict[str, bool]:
        """Which organizations approved a definition that could be committed next.

        Raises:
            ChaincodeError: SEQUENCE_INVALID.
        """
        current = self.sequence(definition.name)
        if definition.sequence != current + 1:
            raise ChaincodeError(
                "SEQUENCE_INVALID",
                f"requested sequence is {definition.sequence}, but new definition must be sequence "
                f"{current + 1}",
            )
        return self.approvals(definition, msp_ids)

    def names(self) -> list[str]:
        """Names of all chaincodes that are defined, sorted."""
        prefix = metadata_key("")
        found = self._simulator.scan(LIFECYCLE_NAMESPACE, prefix, prefix + "\x7f")
        return [entry.key.removeprefix(prefix) for entry in found]

    def own_approval(self, name: str, sequence: int) -> Approval | None:
        """What this organization approved.

        Parameters:
            name: of the chaincode.
            sequence: 0 is the newest: the one after the definition in force if it is approved, else that one.
        """
        if sequence:
            return self._approval(name, sequence)
        current = self.sequence(name)
        return self._approval(name, current + 1) or self._approval(name, current)

    def own_approvals(self) -> list[Approval]:
        """All that this organization approved and that still is on its disk, by name and sequence."""
        prefix = metadata_key("")
        found = self._simulator.scan_private(
            LIFECYCLE_NAMESPACE, IMPLICIT_PREFIX + self._msp_id, prefix, prefix + "\x7f"
        )
        split = [entry.key.removeprefix(prefix).rpartition("#") for entry in found]
        numbered = sorted((name, int(sequence)) for name, _, sequence in split)
        approvals = [self._approval(name, sequence) for name, sequence in numbered]
        return [approval for approval in approvals if approval is not None]

    def _approval(self, name: str, sequence: int) -> Approval | None:
        values = self._read_private(approval_keys(name, sequence))
        if not values:
            return None
        return parse_approval(name, sequence, values | self._read_private(source_keys(name, sequence)))

    def _is_repeated(self, definition: Definition, package_id: str) -> bool:
        """Whether this organization approved exactly this already (`lifecycle.go · isAttemptToRedefine`)."""
        name, sequence = definition.name, definition.sequence
        if self._read_private(approval_keys(name, sequence)) != approval_writes(definition):
            return False
        return self._read_private(source_keys(name, sequence)) == source_writes(name, sequence, package_id)

    def _check_sequence(self, definition: Definition, current: int) -> None:
        asked = definition.sequence
        if asked == current == 0:
            raise ChaincodeError(
                "SEQUENCE_INVALID", "requested sequence is 0, but first definable sequence number is 1"
            )
        if asked < current:
            raise ChaincodeError(
                "SEQUENCE_INVALID",
                f"currently defined sequence {current} is larger than requested sequence {asked}",
            )
        if asked > current + 1:
            raise ChaincodeError(
                "SEQUENCE_INVALID",
                f"requested sequence {asked} is larger than the next available sequence number {current + 1}",
            )
        in_force = self.definition(definition.name) if asked == current else None
        if in_force is not None and in_force != definition:
            raise ChaincodeError(
                "DEFINITION_CHANGED",
                f"attempted to redefine the current committed sequence ({current}) for namespace "
                f"{definition.name} with different parameters: {_difference(in_force, definition)}",
            )

    # Fabric's serializer reads a structure's metadata first, its fields only where there are any, and
    # writes what
    # differs; all of it is in the read set (`serializer.go · Deserialize, Serialize`).

    def _read_private(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Own private values under the keys of a structure, its metadata's first; empty without it."""
        metadata, *fields = keys
        found = self._private(metadata)
        return (
            {} if found is None else {metadata: found, **{key: self._private(key) or b"" for key in fields}}
        )

    def _keep_private(self, writes: Mapping[str, bytes]) -> None:
        existing = self._read_private(tuple(writes))
        for key, value in writes.items():
            if existing.get(key) != value:
                collection = IMPLICIT_PREFIX + self._msp_id
                self._simulator.put_private(LIFECYCLE_NAMESPACE, collection, key, value)

    def _keep_public(self, writes: Mapping[str, bytes]) -> None:
        metadata, *fields = writes
        existing = {metadata: self._public(metadata)}
        if existing[metadata] is not None:
            existing |= {key: self._public(key) for key in fields}
        for key, value in writes.items():
            if existing.get(key) != value:
                self._simulator.put_state(LIFECYCLE_NAMESPACE, key, value)

    def _private(self, key: str) -> bytes | None:
        return self._simulator.get_private(LIFECYCLE_NAMESPACE, IMPLICIT_PREFIX + self._msp_id, key)

    def _private_hash(self, key: str, msp_id: str) -> bytes | None:
        return self._simulator.get_private_hash(LIFECYCLE_NAMESPACE, IMPLICIT_PREFIX + msp_id, key)

    def _public(self, key: str) -> bytes | None:
        return self._simulator.get_state(LIFECYCLE_NAMESPACE, key)


def _difference(in_force: Definition, asked: Definition) -> str:
    """The first field that differs, as Fabric says it (`lifecycle.go · ChaincodeParameters.Equal`)."""
    fields = {
        "Version": (in_force.version, asked.version),
        "EndorsementPlugin": (in_force.endorsement_plugin, asked.endorsement_plugin),
        "InitRequired": (str(in_force.init_required).lower(), str(asked.init_required).lower()),
        "ValidationPlugin": (in_force.validation_plugin, asked.validation_plugin),
        "ValidationParameter": (in_force.validation_parameter.hex(), asked.validation_parameter.hex()),
    }
    for name, (expected, passed) in fields.items():
        if expected != passed:
            return f"expected {name} '{expected}' does not match passed {name} '{passed}'"
    return "Collections do not match"
