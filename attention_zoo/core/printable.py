"""Text from anywhere that may be printed on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with what is no printable character escaped, as `repr` does, but for line breaks.

    Such are ESC, which begins a terminal's commands, and marks that turn the direction of what
    follows them.

    Example:

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() or mark == "\n" else repr(mark)[1:-1] for mark in text
    )
