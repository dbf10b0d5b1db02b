"""Files that are there whole or not at all, whatever happens while they are written."""

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write *content* under another name in the same folder, and give it that of *path* at the end.

    Raises OSError; what *path* was before then still is there.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        with suppress(OSError):  # it has its name now, or the folder takes nothing
            draft.unlink()
