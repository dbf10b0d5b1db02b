"""How a stack knows its own: a mark at the end of a description, for what has one, and a tag, for topics."""

import re


TAG = "ddsbackup-stack"
"""The key of the tag; its value is the name of the stack."""

_MARK = re.compile(r"\s*\(ddsbackup stack (?P<stack>[A-Za-z][A-Za-z0-9-]*), project (?P<project>[^\s()]+)\)$")


LONGEST_MARK = 95
"""Bytes, with the space before it: the name of a stack has 32 characters at most, the id of a project as many."""


def shortened(text: str, most: int) -> str:
    """Return *text* if it has at most *most* bytes, else as much of its beginning as fits, and an ellipsis."""
    encoded = text.encode()
    return text if len(encoded) <= most else f"{encoded[: most - 3].decode(errors='ignore')}..."


def marked(text: str, stack: str, project_id: str) -> str:
    """Return the description *text* with the mark of the stack."""
    return f"{text} (ddsbackup stack {stack}, project {project_id})".lstrip()


def read_mark(text: str | None, project_id: str) -> tuple[str, str | None]:
    """Return a description without its mark, and the stack.

    A stack of another project counts as another stack: agencies and policies belong to the account, so that projects
    share them.
    """
    match = _MARK.search(text or "")
    if match is None:
        return text or "", None
    here = match["project"] == project_id
    stack = match["stack"] if here else f"{match['stack']} in the project {match['project']}"
    return (text or "")[: match.start()], stack
