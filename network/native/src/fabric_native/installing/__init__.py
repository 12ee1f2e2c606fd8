"""Install the official releases of Fabric and Fabric CA for this user, checked before they are unpacked."""

from fabric_native.installing.installation import Installed, install
from fabric_native.installing.releases import FABRIC, FABRIC_CA, Release, release_for

__all__ = ["FABRIC", "FABRIC_CA", "Installed", "Release", "install", "release_for"]
