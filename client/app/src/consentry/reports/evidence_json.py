"""A report's evidence as JSON, written and read back."""

import base64
from typing import Any

from consentry.reports.evidence import ChainEvidence, Evidence, LedgerWrite
from consentry_records.chains import HeadProof

_LARGEST = 2**53
_WRITE = ("block", "position", "transaction_id", "recorded_at", "kind", "record_id", "endorsed")


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """The evidence as JSON-ready values; the rows' references stand with their tables."""
    return {
        "writes": [_write(write) for write in evidence.writes],
        "blocks": {str(number): evidence.blocks[number] for number in sorted(evidence.blocks)},
        "manifest": None
        if evidence.manifest is None
        else {name: None if found is None else list(found) for name, found in evidence.manifest.items()},
        "chains": [_chain(chain) for chain in evidence.chains],
        "proofs": None if evidence.proofs is None else base64.b64encode(evidence.proofs).decode(),
    }


def evidence_from_json(document: dict[str, Any]) -> Evidence:
    """What `evidence_to_json` gave.

    Raises:
        KeyError, TypeError, ValueError: it is of another form.
    """
    manifest, proofs = document["manifest"], document["proofs"]
    return Evidence(
        writes=tuple(_read_write(write) for write in document["writes"]),
        blocks={int(number): str(found) for number, found in document["blocks"].items()},
        manifest=None
        if manifest is None
        else {name: None if found is None else tuple(found) for name, found in manifest.items()},
        chains=tuple(_read_chain(chain) for chain in document["chains"]),
        proofs=None if proofs is None else base64.b64decode(proofs, validate=True),
    )


def _write(write: LedgerWrite) -> dict[str, Any]:
    found = {name: getattr(write, name) for name in _WRITE}
    try:
        return found | {"value": write.value.decode("utf-8")}
    except UnicodeDecodeError:
        # Honest contracts write text; what others wrote is shown as it is.
        return found | {"value_hex": write.value.hex()}


def _read_write(document: dict[str, Any]) -> LedgerWrite:
    fields = {name: document[name] for name in _WRITE}
    types = {name: type(value) for name, value in fields.items()}
    if types != dict.fromkeys(_WRITE, str) | {"block": int, "position": int, "endorsed": bool}:
        raise TypeError("a write has a field of another type")
    if not (0 <= fields["block"] < _LARGEST and 0 <= fields["position"] < _LARGEST):
        raise ValueError("a write is at no place of a ledger")
    value = document["value"].encode() if "value" in document else bytes.fromhex(document["value_hex"])
    return LedgerWrite(**fields, value=value)


def _chain(chain: ChainEvidence) -> dict[str, Any]:
    proof = chain.proof
    return {
        "name": chain.name,
        "custodian": chain.custodian,
        "epochs": [{"number": number, "writes": list(found)} for number, found in chain.epochs],
        "open": list(chain.open),
        "proof": None
        if proof is None
        else {
            "position": proof.position,
            "size": proof.size,
            "path": [node.hex() for node in proof.path],
            "bucket_path": [node.hex() for node in proof.bucket_path],
        },
    }


def _read_chain(document: dict[str, Any]) -> ChainEvidence:
    proof = document["proof"]
    if type(document["name"]) is not str or type(document["custodian"]) is not str:
        raise TypeError("a chain has a field of another type")
    return ChainEvidence(
        name=document["name"],
        custodian=document["custodian"],
        epochs=tuple((int(epoch["number"]), tuple(epoch["writes"])) for epoch in document["epochs"]),
        open=tuple(document["open"]),
        proof=None
        if proof is None
        else HeadProof(
            position=int(proof["position"]),
            size=int(proof["size"]),
            path=tuple(map(bytes.fromhex, proof["path"])),
            bucket_path=tuple(map(bytes.fromhex, proof["bucket_path"])),
        ),
    )
