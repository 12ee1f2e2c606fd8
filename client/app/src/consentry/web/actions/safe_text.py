"""Text of others, shown so that nothing in it acts on the page or the terminal."""

from __future__ import annotations

import unicodedata

# Control, format (bidi, zero width), surrogates, private use, unassigned; separators of lines and paragraphs.
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LONGEST_MARKS = 2


def visible(text: str) -> str:
    """Return the text with everything invisible or reordering written out, as `\\u{202e}`.

    Different texts stay different: a backslash is written twice. Spaces other than U+0020, and marks that
    pile up on one letter, are written out too. Markup stays as typed: a page escapes it as it does all text.
    """
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if character == "\\":
            shown.append("\\\\")
        elif category in _NOT_SHOWN or (category == "Zs" and character != " ") or marks > _LONGEST_MARKS:
            shown.append(f"\\u{{{ord(character):x}}}")
        else:
            shown.append(character)
    return "".join(shown)


def visible_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text, each as `visible` shows it; other line ends than U+000A are written out."""
    return tuple(visible(line) for line in text.split("\n"))
