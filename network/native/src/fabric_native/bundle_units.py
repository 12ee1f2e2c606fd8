"""How a machine keeps one organization's nodes up: systemd units, or a compose file of Fabric's images."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric_native.binaries import CA_VERSION, FABRIC_VERSION
from fabric_native.nodes import Kind, Node

_IMAGES: dict[Kind, str] = {
    Kind.AUTHORITY: f"hyperledger/fabric-ca:{CA_VERSION}",
    Kind.ORDERER: f"hyperledger/fabric-orderer:{FABRIC_VERSION}",
    Kind.PEER: f"hyperledger/fabric-peer:{FABRIC_VERSION}",
}
# The image has no Python, but a builder of its own for packages of type ccaas.
_IMAGE_BUILDER = json.dumps([{"name": "ccaas", "path": "/opt/hyperledger/ccaas_builder"}])
_COMPOSE_HEAD = """\
# Fabric's official images run {organization}'s nodes with the files of this directory, which must lie at
# {directory}. BUNDLE_USER is "uid:gid" of the files' owner. The chaincode service is no image
# of Fabric's: its systemd unit runs it on the same machine.
services:
"""
_SERVICE = """\
  {name}:
    image: {image}
    network_mode: host
    user: ${{BUNDLE_USER:?}}
    restart: unless-stopped
    working_dir: {directory}
    volumes: [{volume}]
    environment: {environment}
    command: {command}
"""
_UNIT = """\
[Unit]
Description=Consentry: {description}
Wants=network-online.target
After=network-online.target

[Service]
User=consentry
UMask=0077
WorkingDirectory={directory}
{environment}ExecStart={command}
Restart=on-failure
RestartSec=2
LimitNOFILE=65536
NoNewPrivileges=true
PrivateTmp=true
ProtectSystem=strict
ReadWritePaths={directory}

[Install]
WantedBy=multi-user.target
"""


def unit_name(name: str) -> str:
    """File name of the unit of a node or a service."""
    return f"consentry-{name}.service"


def systemd_unit(name: str, directory: Path, command: Sequence[str], environment: Mapping[str, str]) -> str:
    """A unit that keeps one process running.

    Parameters:
        name: of the process.
        directory: where the bundle lies on its machine.
        command: program, by its absolute path, and arguments.
        environment: variables that it needs.

    Returns:
        the unit file's text. Source: systemd.unit(5), systemd.service(5), systemd.exec(5).
    """
    variables = "".join(f"Environment={_quoted(f'{key}={value}')}\n" for key, value in environment.items())
    return _UNIT.format(
        description=name,
        directory=_escaped(str(directory)),
        environment=variables,
        # A dollar sign names a variable in commands, but not in variables.
        command=" ".join(_quoted(item.replace("$", "$$")) for item in command),
    )


def compose_file(
    organization: str,
    directory: Path,
    nodes: Mapping[Node, tuple[Sequence[str], Mapping[str, str]]],
) -> str:
    """A compose file for those nodes of which there are official images.

    Parameters:
        organization: its name.
        directory: where the bundle lies on its machine.
        nodes: command and environment of each.

    Returns:
        the file's text. Source: the Compose specification; the images' Dockerfiles.
    """
    services = [
        _SERVICE.format(
            name=node.name,
            image=_IMAGES[node.kind],
            directory=_scalar(str(directory)),
            volume=_scalar(f"{directory}:{directory}"),
            environment=_document(_with_builder(node, environment)),
            command=_document([Path(command[0]).name, *command[1:]]),
        )
        for node, (command, environment) in nodes.items()
        if node.kind in _IMAGES
    ]
    return _COMPOSE_HEAD.format(organization=organization, directory=directory) + "".join(services)


def _with_builder(node: Node, environment: Mapping[str, str]) -> dict[str, str]:
    more = {"CORE_CHAINCODE_EXTERNALBUILDERS": _IMAGE_BUILDER} if node.kind == Kind.PEER else {}
    return {**environment, **more}


def _document(content: object) -> str:
    """JSON is YAML; compose reads a dollar sign as a variable."""
    return json.dumps(content).replace("$", "$$")


def _scalar(text: str) -> str:
    return _document(text)


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """A per cent sign begins a specifier."""
    return text.replace("%", "%%")
