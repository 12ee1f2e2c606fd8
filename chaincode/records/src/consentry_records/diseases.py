"""Whether one disease is another or a kind of it, by the shipped hierarchy of diseases."""

from __future__ import annotations

from collections.abc import Collection

from .disease_hierarchy import superclasses


def ancestors(disease: str) -> frozenset[str] | None:
    """Every superclass of a disease; None where the hierarchy lacks the disease and nobody can say."""
    direct = superclasses(disease)
    if direct is None:
        return None
    found: set[str] = set()
    waiting = list(direct)
    while waiting:
        above = waiting.pop()
        if above not in found:
            found.add(above)
            waiting.extend(superclasses(above) or ())
    return frozenset(found)


def within(disease: str, allowed: Collection[str]) -> bool | None:
    """Whether a disease is one of those allowed or a kind of one; None where the hierarchy cannot say.

    It says no only where it has the disease and all those allowed.
    """
    if disease in allowed:
        return True
    known = ancestors(disease)
    if known is not None and any(other in known for other in allowed):
        return True
    return None if known is None or any(superclasses(other) is None for other in allowed) else False


def all_within(diseases: Collection[str], allowed: Collection[str]) -> bool:
    """Whether every disease lies within those allowed for sure; none named lies within nothing narrower than
    all.

    Nothing in `allowed` allows every disease.
    """
    if not allowed:
        return True
    return bool(diseases) and all(within(disease, allowed) for disease in diseases)
