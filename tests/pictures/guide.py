"""The commands of the README and of the deployment guide, and the pictures that show their output."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.paths import CHECKOUT


README = CHECKOUT / "README.md"
GUIDE = CHECKOUT / "docs" / "deployment.md"
PICTURES = CHECKOUT / "docs" / "pictures"
REHEARSAL = "Rehearse it on your own machine"

_BLOCK = re.compile(
    r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$(?:\n+!\[[^\]]*\]\((?:docs/)?pictures/(?P<picture>[\w-]+)\.svg\))?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of shell commands below a heading, and the name of the picture that follows it, if any."""

    heading: str
    commands: tuple[str, ...]
    picture: str | None


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in their order, without comments. A continued line is part of one command."""
    text = page.read_text(encoding="utf-8")
    sections = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    pairs = zip(sections[1::2], sections[2::2], strict=True)
    return [
        Block(heading, tuple(_commands(match["text"])), match["picture"])
        for heading, section in pairs
        for match in _BLOCK.finditer(section)
        if match["language"] == "sh"
    ]


def _commands(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        command = re.sub(r"\s+", " ", re.sub(r"(^|\s)#.*", "", line)).strip()
        if command:
            yield command
