"""Models registered from the command line: what is asked of the ledger, and what is refused before that."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from support.fake_ledger import FakeLedger, ask
from support.story import DIGEST, identifier

from consentry.model_signing import manifest_signature, sign_model
from consentry.provenance import description_digest

MODEL, SESSION = identifier("model", 1), identifier("session", 1)
MADE = {"model_version_id": identifier("modelversion", 1)}
REGISTER = ("models", "register-version", "risk", "--session", SESSION)
DIGESTS = ("--weights", DIGEST, "--architecture", DIGEST)


@pytest.fixture
def registering(fake_ledger: FakeLedger) -> FakeLedger:
    fake_ledger.answers["models.ensure"] = MODEL
    fake_ledger.answers["models.register_version"] = SimpleNamespace(to_dict=lambda: MADE)
    return fake_ledger


def registered(ledger: FakeLedger) -> dict[str, Any]:
    """What `register_version` was given."""
    (_, arguments, options), *_ = [call for call in ledger.calls if call[0] == "models.register_version"]
    assert arguments == (MODEL,)
    return options


def test_a_model_is_registered(fake_ledger: FakeLedger, capsys: pytest.CaptureFixture[str]) -> None:
    fake_ledger.answers["models.register"] = SimpleNamespace(model_id=MODEL)
    assert ask(capsys, "models", "register", "risk") == f"{MODEL} is the model risk.\n"


def test_a_version_is_registered_by_digests(
    registering: FakeLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = ask(
        capsys, *REGISTER, *DIGESTS, "--metric", "auc=0.90", "--metric", "rows=12", "--parent", "p", "--json"
    )
    assert json.loads(shown) == MADE
    assert registered(registering) == {
        "weights": DIGEST,
        "architecture": DIGEST,
        "sessions": [SESSION],
        "metrics": {"auc": "0.90", "rows": "12"},
        "parent": "p",
        "test_set_digest": None,
        "signature": None,
    }


def test_a_version_is_registered_from_files(
    registering: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "weights.npz", layer=np.arange(3.0))
    architecture = {"kind": "logistic", "rate": 0.1}
    (tmp_path / "architecture.json").write_text(json.dumps(architecture))
    (tmp_path / "metrics.json").write_text('{"auc": 0.12345678901234567890, "rows": 12}')
    ask(
        capsys,
        *REGISTER,
        *("--weights", str(tmp_path / "weights.npz")),
        *("--architecture", str(tmp_path / "architecture.json")),
        *("--metrics", str(tmp_path / "metrics.json")),
    )
    given = registered(registering)
    assert given["weights"]["layer"].tolist() == [0.0, 1.0, 2.0]
    assert description_digest(given["architecture"]) == description_digest(architecture)
    assert given["metrics"] == {"auc": "0.12345678901234567890", "rows": "12"}


def test_a_version_is_registered_with_its_signing_bundle(
    registering: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    private, public, bundle = tmp_path / "key.pem", tmp_path / "public.pem", tmp_path / "bundle.json"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "weights.bin").write_bytes(b"weights")
    sign_model(tmp_path / "weights.bin", private, bundle)
    ask(capsys, *REGISTER, *DIGESTS, "--bundle", str(bundle), "--public-key", str(public))
    assert registered(registering)["signature"] == manifest_signature(bundle, public)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((*DIGESTS, "--metric", "auc"), "expected NAME=NUMBER"),
        ((*DIGESTS, "--metric", "=1"), "expected NAME=NUMBER"),
        ((*DIGESTS, "--metric", "auc=1", "--metric", "auc=2"), "auc is given twice"),
        ((*DIGESTS, "--metrics", "absent.json"), "--metrics: got absent.json"),
        ((*DIGESTS, "--bundle", "absent"), "--public-key together"),
        (("--weights", "absent.npz", "--architecture", DIGEST), "--weights: got absent.npz"),
        (("--weights", DIGEST, "--architecture", "absent.json"), "--architecture: got absent.json"),
    ],
)
def test_what_cannot_be_registered_is_refused_before_the_ledger_is_asked(
    registering: FakeLedger, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], named: str
) -> None:
    assert named in ask(capsys, *REGISTER, *options, status=1)
    assert registering.calls == []


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x93NUMPY\x01\x00"])
def test_weights_that_are_no_arrays_by_name_are_refused(
    registering: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "weights.npz"
    file.write_bytes(content)
    shown = ask(capsys, *REGISTER, "--weights", str(file), "--architecture", DIGEST, status=1)
    assert "expected a .npz file of numbers" in shown


def test_pickled_weights_are_never_loaded(
    registering: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "weights.npz", layer=np.array([object()]))
    shown = ask(
        capsys, *REGISTER, "--weights", str(tmp_path / "weights.npz"), "--architecture", DIGEST, status=1
    )
    assert "expected a .npz file of numbers" in shown


@pytest.mark.parametrize("content", ["[]", "1", "{", ""])
def test_an_architecture_that_is_no_object_is_refused(
    registering: FakeLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "architecture.json"
    file.write_text(content)
    shown = ask(capsys, *REGISTER, "--weights", DIGEST, "--architecture", str(file), status=1)
    assert "JSON object" in shown
