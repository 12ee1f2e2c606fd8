"""What the package offers is pinned with its signatures: a name or parameter less or more is a decision."""

from support.public_api import committed, described

import fabric_gateway


def test_the_public_names_and_signatures_are_those_decided() -> None:
    assert described(fabric_gateway) == committed("fabric_gateway")


def test_every_error_is_a_gateway_error() -> None:
    errors = [getattr(fabric_gateway, name) for name in fabric_gateway.__all__ if name.endswith("Error")]
    assert len(errors) == 10
    assert all(issubclass(error, fabric_gateway.GatewayError) for error in errors)
