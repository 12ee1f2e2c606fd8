"""The demo itself, as `make demo` runs it."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest
from support.installed_command import CONSENTRY, SECONDS, DemoRun
from support.present_files import each

STEPS = (
    "0. A consortium of three hospitals and a regulator",
    "1. Hospitals import their patients' consents",
    "2. Hospitals register their datasets",
    "3. Access is requested and granted",
    "4. Attempts at access",
    "5. A model is trained under the permits",
    "6. A patient withdraws",
    "7. A compliance officer asks the trail",
    "8. The trail is proved, and tampering is found",
)


def test_the_demo_ends_well_and_tells_every_step(demo_run: DemoRun) -> None:
    assert demo_run.status == 0, demo_run.output[-6000:]
    for step in STEPS:
        assert step in demo_run.output
    assert "Summary" in demo_run.output
    assert demo_run.output.count("✓") >= 25


@pytest.mark.optional_tool("bubblewrap")
def test_the_demo_trains_beside_the_rows(demo_run: DemoRun) -> None:
    assert "runs in a sandbox that a hostile one did not leave" in demo_run.output
    assert "so the rows go to the researcher" not in demo_run.output


def test_the_demo_leaves_a_network_that_the_command_line_goes_on_using(demo_run: DemoRun) -> None:
    nodes = json.loads(demo_run.consentry("network", "status", "--json"))
    assert {node["state"] for node in nodes} == {"running"}
    result = json.loads(demo_run.consentry("--as", "regulator/officer", "verify", "--json"))
    assert result["verdict"] == "proved"


def test_nothing_personal_is_in_blocks_logs_output_or_run_files(demo_run: DemoRun) -> None:
    secrets = _pseudonyms_salts_and_keys(demo_run.directory)
    assert len(secrets) > 569 * 3
    seen = each(demo_run.directory, lambda path: _found(secrets, path.read_bytes(), path.name))
    places = {path: found for path, found in seen.items() if not _is_custodians_own(demo_run.directory, path)}
    ledger = {"embedded": "ledger.sqlite", "fabric": "blockfile_000000"}[demo_run.engine]
    assert any(path.name == ledger for path in places)
    assert any(path.suffix == ".log" for path in places)
    assert set().union(*places.values()) == set()
    printed = _found(secrets, demo_run.output.encode(), "the demo's output")
    assert not printed


def test_no_key_or_secret_file_is_readable_by_others(demo_run: DemoRun) -> None:
    others = stat.S_IRWXG | stat.S_IRWXO
    seen = each(demo_run.directory, lambda path: bool(path.stat().st_mode & others) and _holds_a_secret(path))
    assert [path for path, is_exposed in seen.items() if is_exposed] == []


def test_the_report_for_the_patient_is_complete_up_to_a_block(demo_run: DemoRun) -> None:
    report = json.loads((demo_run.directory / "reports" / "subject-access.json").read_text())
    html = (demo_run.directory / "reports" / "subject-access.html").read_text()
    assert "Art. 15" in html
    assert re.search(r"block \d+", html)
    assert "modelversion-" in json.dumps(report)


def test_a_directory_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        [CONSENTRY, "--network", str(tmp_path), "demo"], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 1
    assert "DIRECTORY_IN_USE" in done.stdout + done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def _pseudonyms_salts_and_keys(directory: Path) -> set[bytes]:
    """Every secret of every subject register, as raw bytes, text and hex."""
    secrets: set[bytes] = set()
    for register in (directory / "custody").glob("*/subjects.sqlite"):
        with sqlite3.connect(register) as database:
            for row in database.execute("SELECT pseudonym, salt, key FROM subjects"):
                for value in row:
                    raw = value.encode() if isinstance(value, str) else bytes(value)
                    secrets |= {raw, raw.hex().encode()}
        database.close()
    return secrets


def _found(secrets: set[bytes], content: bytes, where: str) -> set[str]:
    """Where a secret stands; the secret itself is not repeated."""
    return {where} if any(secret in content for secret in secrets) else set()


def _is_custodians_own(directory: Path, path: Path) -> bool:
    """The custodian's register, and the report that is handed to the patient."""
    return path.relative_to(directory).parts[0] in {"custody", "reports"}


def _holds_a_secret(path: Path) -> bool:
    content = path.read_bytes()
    return b"PRIVATE KEY" in content or path.suffix == ".sqlite" or "registrar" in path.name
