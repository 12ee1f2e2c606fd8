"""The verifier as one file, run alone, and on blocks recorded from a real SmartBFT network."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from support.chains import Chain
from support.proof_files import altered, prove

import consentry.proofs.checking
from consentry.errors import LedgerUnreachable
from consentry.proofs import ProofRefused, make_proof, verify_proof, write_verifier
from consentry.proofs.checking.block import Statement
from consentry.verification import DirectorySource
from consentry.verification.proved_block import claimed_ids

RECORDED = Path(__file__).parents[2] / "fixtures" / "fabric-bft"
RECORDED_ANCHOR = "7b6727f85b0147f11bd7f511eebc605c1e1658b7c474eea1da9695a8b184887f"
KEY = "consent/consent-1"


@pytest.fixture(scope="module")
def chain() -> Chain:
    made = Chain()
    made.write({KEY: b'{"state":"given"}'})
    return made


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verifier") / "verify_proof.pyz"
    write_verifier(path)
    return path


def _run(verifier: Path, arguments: Iterable[str | Path]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(verifier), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_it_imports_nothing_but_python_and_cryptography() -> None:
    allowed = {*sys.stdlib_module_names, "cryptography"}
    for module in Path(consentry.proofs.checking.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                assert {name.name.partition(".")[0] for name in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert str(node.module).partition(".")[0] in allowed
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1


def test_the_same_release_writes_the_same_file(verifier: Path, tmp_path: Path) -> None:
    write_verifier(tmp_path / "again.pyz")
    assert (tmp_path / "again.pyz").read_bytes() == verifier.read_bytes()


def test_run_alone_it_proves_a_record(chain: Chain, verifier: Path, tmp_path: Path) -> None:
    file = tmp_path / "consent.proof"
    file.write_bytes(prove(chain, 2, KEY).data)
    done = _run(verifier, [file, "--anchor", chain.anchor])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Proved: {KEY} of consentry on channel consentry was written in block 2")
    assert 'record: {"state":"given"}' in done.stdout
    assert _run(verifier, [file]).returncode == 3
    as_json = _run(verifier, [file, "--anchor", chain.anchor, "--json"])
    assert json.loads(as_json.stdout)["attested_by"] == sorted(chain.organizations)


def test_run_alone_it_refuses(chain: Chain, verifier: Path, tmp_path: Path) -> None:
    file = tmp_path / "altered.proof"
    data = prove(chain, 2, KEY).data
    file.write_bytes(altered(data, lambda content: content["claim"].update(key="consent/consent-2")))
    done = _run(verifier, [file, "--anchor", chain.anchor])
    assert done.returncode == 1
    assert done.stdout == (
        "Refused (CLAIM): the transaction does not write 'consent/consent-2' of consentry.\n"
    )
    assert _run(verifier, [tmp_path / "missing.proof"]).returncode == 2
    assert _run(verifier, []).returncode == 2


def _proof_of_recorded(number: int, namespace: str, key: str) -> bytes:
    blocks = list(DirectorySource(RECORDED, prefix="peer-").blocks())

    def nobody(_msp_id: str, _number: int) -> Statement:
        raise LedgerUnreachable("STATEMENT_MISSING", "a recording answers no questions")

    return make_proof(
        blocks.__getitem__,
        nobody,
        ["Org1MSP", "Org2MSP"],
        channel="mychannel",
        block=number,
        transaction_id=claimed_ids(common_pb2.Block.FromString(blocks[number]))[0],
        namespace=namespace,
        key=key,
    ).data


def test_blocks_of_a_real_network_prove_order_by_their_quorum() -> None:
    found = verify_proof(_proof_of_recorded(3, "ccdata", "k1"), RECORDED_ANCHOR)
    assert not found.is_proved
    assert (found.anchored, found.valid, found.value) == (True, None, b"v1")
    assert found.signed_by == ("Org1MSP", "Org2MSP")
    assert "ordering only, not validity (0 of 2 organizations' statements)" in found.sentence


def test_a_real_block_without_its_quorum_is_refused() -> None:
    def cut(content: Any) -> None:
        metadata = common_pb2.Metadata.FromString(bytes.fromhex(content["block"]["signatures"]))
        del metadata.signatures[-1]
        content["block"]["signatures"] = metadata.SerializeToString().hex()

    with pytest.raises(ProofRefused) as refused:
        verify_proof(altered(_proof_of_recorded(3, "ccdata", "k1"), cut), RECORDED_ANCHOR)
    assert refused.value.code == "ORDERER_SIGNATURES"
