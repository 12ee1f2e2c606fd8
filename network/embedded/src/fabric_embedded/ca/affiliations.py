"""Affiliations: a tree of names whose parts dots separate; "" is its root. Names only, no I/O.

Source: Fabric CA v1.5 `lib/serveraffiliations.go`, `lib/serverrequestcontext.go · ContainsAffiliation`.
They say whom a registrar may manage; our certificates do not carry them (DESIGN §8).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def below(affiliation: str, above: str) -> bool:
    """Whether an affiliation is another, or is under it; all are under the root."""
    return above in ("", affiliation) or affiliation.startswith(above + ".")


def ancestors(affiliation: str) -> list[str]:
    """The affiliations over this one, the topmost first, without the root."""
    parts = affiliation.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def moved(affiliation: str, source: str, target: str) -> str:
    """An affiliation under `source` as it is called once `source` is called `target`."""
    return target + affiliation[len(source) :]


def tree(names: Iterable[str], identities: Sequence[tuple[str, dict[str, object]]] = ()) -> dict[str, object]:
    """Affiliations as Fabric CA's REST interface nests them.

    Parameters:
        names: affiliations; those over them are shown with them.
        identities: affiliations with the document of an identity that has it.

    Returns:
        The topmost affiliation; or the root, when several are topmost.
    """
    known = sorted(set(names))
    children = [name for name in known if not any(other != name and below(name, other) for other in known)]
    if len(children) == 1:
        return _node(children[0], known, identities)
    return {"name": "", "affiliations": [_node(child, known, identities) for child in children]}


def _node(
    name: str, known: Sequence[str], identities: Sequence[tuple[str, dict[str, object]]]
) -> dict[str, object]:
    under = [other for other in known if other != name and below(other, name)]
    children = [other for other in under if not any(other != top and below(other, top) for top in under)]
    node: dict[str, object] = {"name": name}
    if children:
        node["affiliations"] = [_node(child, known, identities) for child in children]
    members = [document for affiliation, document in identities if affiliation == name]
    if members:
        node["identities"] = members
    return node
