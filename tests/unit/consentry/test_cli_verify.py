"""`consentry verify` on exported blocks."""

import json
from pathlib import Path

import pytest
from support.chains import Chain
from support.proof_files import prove

from consentry.cli.main import run


@pytest.fixture(scope="module")
def chain() -> Chain:
    made = Chain()
    made.write({"key": b"value"})
    return made


@pytest.fixture
def exported(chain: Chain, tmp_path: Path) -> Path:
    target = tmp_path / "blocks"
    target.mkdir()
    for number, data in enumerate(chain.blocks):
        (target / f"{number:06d}.block").write_bytes(data)
    return target


def test_an_anchored_chain_is_proved(
    chain: Chain, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anchor = tmp_path / "anchor.txt"
    anchor.write_text(chain.anchor + "\n")
    assert run(["verify", "--blocks", str(exported), "--anchor", str(anchor)]) == 0
    assert capsys.readouterr().out.startswith(
        f"3 blocks with 3 transactions of channel consentry are proved from the anchor {chain.anchor}.\n"
    )
    assert run(["verify", "--blocks", str(exported), "--anchor", chain.anchor, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["blocks"], answer["differences"]) == ("proved", 3, [])
    assert answer["codes"] == {"VALID": 3}


def test_without_an_anchor_the_status_says_so(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--blocks", str(exported), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["verdict"] == "consistent, not anchored"


def test_the_anchor_that_the_own_organization_keeps_is_used(
    chain: Chain, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "northgate.txt").write_text(chain.anchor)
    command = ["--network", str(tmp_path), "--as", "northgate/dpo", "verify", "--blocks", str(exported)]
    assert run(command) == 0
    assert "are proved from the anchor" in capsys.readouterr().out


def test_a_difference_ends_with_status_1_and_is_named(
    chain: Chain, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = bytearray(chain.blocks[2])
    stored[len(stored) // 2] ^= 0x20
    (exported / "000002.block").write_bytes(bytes(stored))
    assert run(["verify", "--blocks", str(exported), "--anchor", chain.anchor]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(
        f"{exported}: Block 2: the stored transactions are not those of its header (data hash).\n"
    )


def test_a_forged_chain_is_another_channel(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--blocks", str(exported), "--anchor", "0" * 64, "--json"]) == 1
    (difference,) = json.loads(capsys.readouterr().out)["differences"]
    assert (difference["kind"], difference["block"]) == ("ANCHOR", 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--blocks", "{empty}"], "BLOCKS_NOT_FOUND"),
        (["--blocks", "{blocks}", "--blocks", "{blocks}"], "SOURCES_INVALID"),
        (["--blocks", "{blocks}", "--organization", "northgate"], "SOURCES_INVALID"),
        (["--blocks", "{blocks}", "--anchor", "nonsense"], "ANCHOR_INVALID"),
        ([], "SOURCES_INVALID"),
    ],
)
def test_what_cannot_be_verified_is_refused_in_one_sentence(
    exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"blocks": exported, "empty": tmp_path / "empty"}
    given = [argument.format(**places) for argument in arguments]
    assert run(["--network", str(tmp_path), "verify", *given]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith(f"Error ({code}): ")
    assert shown.err.count("\n") == 1


def test_blocks_that_end_before_the_height_reached_are_a_difference(
    chain: Chain, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", "--blocks", str(exported), "--anchor", chain.anchor, "--through"]
    assert run([*command, "2"]) == 0
    assert run([*command, "3"]) == 1
    assert "Block 3 is missing" in capsys.readouterr().out


def test_a_checkpoint_lets_the_next_run_go_on(
    chain: Chain, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, last = tmp_path / "verified.jsonl", exported / "000002.block"
    command = ["verify", "--blocks", str(exported), "--anchor", chain.anchor, "--checkpoint", str(kept)]
    data = last.read_bytes()
    last.unlink()
    assert run([*command, "--processes", "1"]) == 0
    last.write_bytes(data)
    capsys.readouterr()
    assert run([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["resumed_at"], answer["blocks"], answer["codes"]) == (2, 3, {"VALID": 3})


def test_a_difference_leaves_the_checkpoint_as_it_was(chain: Chain, exported: Path, tmp_path: Path) -> None:
    kept = tmp_path / "verified.jsonl"
    command = ["verify", "--blocks", str(exported), "--anchor", chain.anchor, "--checkpoint", str(kept)]
    last = exported / "000002.block"
    data = last.read_bytes()
    last.write_bytes(data[:-1] + b"\x00")
    assert run(command) == 1
    assert not kept.exists()
    last.write_bytes(data)
    assert run(command) == 0
    before = kept.read_bytes()
    (exported / "000003.block").write_bytes(data)
    assert run(command) == 1
    assert kept.read_bytes() == before


def test_proof_files_are_checked_and_the_worst_gives_the_status(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stated, unstated = tmp_path / "stated.proof", tmp_path / "unstated.proof"
    stated.write_bytes(prove(chain, 2, "key").data)
    unstated.write_bytes(prove(chain, 2, "key", ()).data)
    assert run(["verify", str(stated), "--anchor", chain.anchor]) == 0
    assert capsys.readouterr().out.startswith(f"{stated}: Proved: key of consentry on channel consentry")
    assert run(["verify", str(stated), str(unstated), "--anchor", chain.anchor]) == 3
    assert "ordering only, not validity (0 of 3 organizations' statements)" in capsys.readouterr().out
    assert run(["verify", str(stated), "--anchor", "0" * 64]) == 1
    assert f"Error (PROOF_REFUSED): {stated} proves nothing (ANCHOR)" in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "missing.proof")]) == 1
    assert "Error (PROOF_UNREADABLE)" in capsys.readouterr().err


def test_the_verifier_comes_as_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "verify_proof.pyz"
    assert run(["proof", "verifier", str(target)]) == 0
    assert str(target) in capsys.readouterr().out
    assert target.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    assert run(["proof", "verifier", str(tmp_path)]) == 1
    assert "Error (FILE_UNWRITABLE)" in capsys.readouterr().err
