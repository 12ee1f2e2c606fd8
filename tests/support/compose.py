"""Compose files beside the Compose specification's own schema (tests/fixtures/compose-spec)."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

_SCHEMA = Path(__file__).parents[1] / "fixtures" / "compose-spec" / "compose-spec.json"


def compose_faults(text: str) -> list[str]:
    """What of a compose file is not as the specification wants it."""
    validator = Draft7Validator(json.loads(_SCHEMA.read_text(encoding="utf-8")))
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]
