"""Barriers that axe-core finds on a page (WCAG 2.2, levels A and AA)."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page
from support.node_packages import node_packages

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Page) -> list[str]:
    """What stands in somebody's way: rule, element, and what is wrong, a line each."""
    page.evaluate(_axe())
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", _TAGS
    )
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{rule['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@cache
def _axe() -> str:
    return (node_packages() / "node_modules" / "axe-core" / "axe.min.js").read_text()
