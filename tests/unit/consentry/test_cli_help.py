"""Every command and option explains itself."""

import subprocess
import sys
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from consentry.cli.main import _needed, app

COMMAND = typer.main.get_command(app)


def every_command() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []

    def walk(command: object, path: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.append(path)
            return
        for name, child in children.items():
            walk(child, (*path, name))

    walk(COMMAND, ())
    return found


COMMANDS = every_command()
DOCUMENTED = (
    "demo",
    "index",
    "verify",
    "doctor",
    "serve-reports",
    "network up",
    "network down",
    "network destroy",
    "network status",
    "network enroll",
    "network revoke",
    "network start",
    "network stop",
    "network kill",
    "network logs",
    "network add",
    "network remove",
    "network upgrade",
    "network add-peer",
    "network rotate",
    "network doctor",
    "network install-fabric",
    "network attach",
    "network export-blocks",
    "network export-sdk-profile",
    "network invite",
    "network accept",
    "network adopt",
    "network release",
    "network create",
    "network export",
    "network join",
    "network proposal add",
    "network proposal remove",
    "network proposal rotate",
    "network proposal revocations",
    "network proposal anchors",
    "network proposal blocks",
    "network proposal show",
    "network proposal sign",
    "network proposal submit",
    "consents import",
    "consents template",
    "consents withdraw",
    "consents list",
    "consents show",
    "consents filter",
    "consents renew",
    "consents narrow",
    "consents enter-in-error",
    "consents withdraw-many",
    "consents opt-out",
    "consents render",
    "rights receive",
    "rights advance",
    "rights erase",
    "rights fulfil",
    "rights notify",
    "rights show",
    "rights list",
    "settings show",
    "settings vote",
    "settings votes",
    "datasets register",
    "datasets show",
    "datasets list",
    "datasets remove-rows",
    "datasets retire",
    "datasets prove-row",
    "datasets check-row",
    "grants request",
    "grants grant",
    "grants change",
    "grants renew",
    "grants narrow",
    "grants lift-suspension",
    "grants revoke",
    "grants suspend",
    "grants show",
    "grants list",
    "grants requests",
    "grants render",
    "reviews record",
    "reviews list",
    "reviews match",
    "reviews rationale",
    "reviews policy",
    "reviews emergencies",
    "reviews emergency",
    "reviews show-request",
    "access attempt",
    "access show",
    "access render",
    "access visa",
    "access visa-keys",
    "data open",
    "data register-function",
    "data approvals",
    "data compute",
    "data aggregates",
    "training show",
    "training end",
    "training usage",
    "training list",
    "models show",
    "models stage",
    "models sign",
    "models verify-files",
    "models list",
    "models register",
    "models register-version",
    "trail accesses",
    "trail row",
    "trail subject",
    "trail dataset",
    "trail actor",
    "trail open",
    "trail model",
    "trail impact",
    "trail transactions",
    "trail history",
    "trail findings",
    "trail status",
    "proof make",
    "proof verifier",
    "report subject-access",
    "report consent-evidence",
    "report disclosures",
    "report person-access-log",
    "report dataset-access-log",
    "report processing",
    "report breaches",
    "report rights",
    "report model-dossier",
    "report model-log",
    "report details",
    "report schema",
    "report schedule run",
    "report schedule next",
    "report schedule check",
    "decide serve",
    "gate put",
    "gate serve",
    "gate list",
    "gate freeze",
    "gate approve",
    "gate revoke",
    "gate rotate",
    "gate erase",
    "epochs close",
    "epochs audit",
    "wallet list",
    "wallet renew",
    "wallet encrypt",
    "wallet add-token",
    "web serve",
    "web sign-in",
    "web sign",
    "outbox list",
    "outbox send",
)


def test_the_commands_are_those_that_are_documented() -> None:
    assert tuple(" ".join(path) for path in COMMANDS) == DOCUMENTED


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_has_help_with_examples_of_itself(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"])
    assert shown.exit_code == 0
    _, _, examples = shown.output.partition("Examples:")
    assert f"consentry {' '.join(path)}" in examples.replace("--network /tmp/demo ", "") or any(
        line.strip().startswith("consentry") and f" {' '.join(path)}" in line
        for line in examples.splitlines()
    )


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_and_argument_has_help(path: tuple[str, ...]) -> None:
    command = COMMAND
    for name in path:
        command = command.commands[name]  # type: ignore[attr-defined]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)} {parameter.name}"


def test_help_loads_neither_pandas_nor_grpc_nor_a_database() -> None:
    program = (
        "import sys; from consentry.cli.main import run; run(['--help']); "
        "print([name for name in ('pandas', 'grpc', 'sqlalchemy', 'numpy', 'jinja2') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert shown.stdout.splitlines()[-1] == "[]"


SECRETS = {"password", "passphrase", "secret", "pin", "token", "pseudonym"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_secret_is_given_on_the_command_line(path: tuple[str, ...]) -> None:
    """Others on the machine see it: secrets come from files, the environment, input or a prompt."""
    command: Any = COMMAND
    for name in path:
        command = command.commands[name]
    named = {parameter.name: parameter for parameter in command.params if parameter.name}
    if path == ("wallet", "add-token"):
        # The label of a PKCS#11 token.
        del named["token"]
    for name, parameter in named.items():
        assert not SECRETS & set(name.split("_")) or getattr(parameter, "is_flag", False), name


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_is_found_beside_whatever_else_is_named(path: tuple[str, ...]) -> None:
    """Only the groups that are named are made; a directory may be called like one."""
    command: Any = typer.main.get_command(_needed(["--network", "data", *path]))
    for name in path:
        command = command.commands[name]
    assert command.name == path[-1]
