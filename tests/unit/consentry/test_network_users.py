"""What an identity may be registered with."""

from pathlib import Path

import pytest

from consentry.errors import InputRejected
from consentry.network import enroll_user


@pytest.mark.parametrize(
    ("roles", "projects", "code"),
    [
        (["data-steward"], [], "ROLE_UNKNOWN"),
        (["Steward"], [], "ROLE_UNKNOWN"),
        (["steward,dpo"], [], "ROLE_UNKNOWN"),
        (["researcher"], ["Heart 2027"], "PROJECT_INVALID"),
        (["researcher"], ["heart,lung"], "PROJECT_INVALID"),
        (["researcher"], [f"project-{number}" for number in range(17)], "PROJECT_INVALID"),
    ],
)
def test_attributes_that_the_ledger_would_pass_over_are_refused_before_anything_is_asked(
    tmp_path: Path, roles: list[str], projects: list[str], code: str
) -> None:
    with pytest.raises(InputRejected) as caught:
        enroll_user(tmp_path, "northgate", "somebody", roles, projects)
    assert caught.value.code == code
