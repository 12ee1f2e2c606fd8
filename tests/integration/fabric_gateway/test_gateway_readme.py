"""The README's examples, as they stand, one after the other, on both engines."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.embedded import enrolled_user

from fabric_embedded.network import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_protocol.certificates import key_pem

pytestmark = pytest.mark.integration

README = Path(__file__).parents[3] / "client" / "gateway" / "README.md"


def test_the_examples_run(
    network: EmbeddedNetwork | NativeNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = enrolled_user(network, "alpha", "reader-of-the-readme")
    peer = json.loads((network.directory / "network.json").read_text())["organizations"]["AlphaMSP"]["peers"][
        0
    ]
    names = {
        "__name__": "example",
        "endpoint": peer["endpoint"],
        "server_name": peer["server_name"],
        "tls_roots": (network.directory / peer["tls_roots"]).read_bytes(),
        "msp_id": "AlphaMSP",
        "certificate": user.certificate,
        "private_key": key_pem(user.key),  # type: ignore[arg-type]
        "channel": "testing",
        "chaincode": "basic",
        "directory": str(tmp_path),
    }
    examples = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 6
    for example in examples:
        exec(example, names)  # noqa: S102 - the README's own examples
    printed = capsys.readouterr().out
    assert "is in block" in printed
    assert "ENDORSER_TRANSACTION VALID" in printed
    assert (tmp_path / "position.json").exists()
