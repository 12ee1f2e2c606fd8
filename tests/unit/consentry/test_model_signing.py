"""Bundles of the library model-signing: signed, verified, and verified again by the contract's own code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from consentry.cli.main import run
from consentry.errors import InputRejected
from consentry.model_signing import manifest_signature, sign_model, verify_model
from consentry_contracts.model_signatures import verify


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A directory with a model of two files, a key pair and the bundle."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "public.pem").write_bytes(public)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    (tmp_path / "model" / "config.json").write_bytes(b"{}")
    sign_model(tmp_path / "model", tmp_path / "key.pem", tmp_path / "bundle.json")
    return tmp_path


def test_what_the_library_signs_the_contract_verifies(signed: Path) -> None:
    verify_model(signed / "model", signed / "public.pem", signed / "bundle.json")
    kept = manifest_signature(signed / "bundle.json", signed / "public.pem")
    verify(kept)
    assert b"weights.bin" not in kept.to_bytes()


def test_changed_files_are_told_from_those_signed(signed: Path) -> None:
    (signed / "model" / "weights.bin").write_bytes(b"other weights")
    with pytest.raises(InputRejected) as caught:
        verify_model(signed / "model", signed / "public.pem", signed / "bundle.json")
    assert caught.value.code == "MODEL_SIGNATURE_INVALID"


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", json.dumps({"dsseEnvelope": {"signatures": []}}).encode()]
)
def test_what_is_no_bundle_is_refused(signed: Path, content: bytes) -> None:
    (signed / "bundle.json").write_bytes(content)
    with pytest.raises(InputRejected) as caught:
        manifest_signature(signed / "bundle.json", signed / "public.pem")
    assert caught.value.code == "BUNDLE_INVALID"


def test_the_command_line_signs_and_verifies(signed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, bundle = str(signed / "model"), str(signed / "other.json")
    assert run(["models", "sign", model, bundle, "--key", str(signed / "key.pem")]) == 0
    capsys.readouterr()
    verifying = ["models", "verify-files", model, bundle, "--public-key", str(signed / "public.pem")]
    assert run([*verifying, "--json"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert kept == manifest_signature(signed / "other.json", signed / "public.pem").to_dict()
    (signed / "model" / "weights.bin").write_bytes(b"other weights")
    assert run(verifying) == 1
    assert "MODEL_SIGNATURE_INVALID" in capsys.readouterr().err
