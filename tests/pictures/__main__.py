"""`python -m tests.pictures` runs the documented commands and draws their output into docs/pictures.

From the README it runs the blocks with a picture, in this checkout. From the deployment guide it runs the rehearsal and
all blocks with a picture, in a fresh copy of the last commit and on a local cloud.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from cli.paths import CHECKOUT
from tests.pictures.drawing import draw, shorten
from tests.pictures.guide import GUIDE, PICTURES, README, REHEARSAL, Block, read_blocks
from tests.pictures.terminal import run_in_terminal, screen


SERVE = "ddsbackup serve "
REPORT = "ddsbackup report "
"""Ends with 1 for what it finds."""
URL = "http://127.0.0.1:8600"
PROMPT = "\x1b[1;32m$\x1b[0m "
ANSWERS = {"[y/N]": "y"}
"""The questions of the commands, and the answers."""
LINES = (15, 9)
"""How many lines at the start and at the end of the output a picture of the README shows."""


def main() -> None:
    """Draw every picture."""
    # As in a terminal: under `make pictures`, a further make would print its level and directory.
    env = {name: value for name, value in os.environ.items() if name not in {"MAKELEVEL", "MAKEFLAGS", "MFLAGS"}}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    for block in read_blocks(README):
        if block.picture:
            save(block, shorten(run_block(block, CHECKOUT, {**env, "VENV": sys.prefix}), *LINES))
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        copy = Path(folder, "dds-backup")
        copy.mkdir()
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=CHECKOUT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", str(copy)], input=archive, check=True)
        blocks = read_blocks(GUIDE)
        (serve,) = (c for block in blocks for c in block.commands if c.startswith(SERVE))
        with local_cloud(serve, copy, env):
            for block in blocks:
                if block.picture or block.heading == REHEARSAL:
                    save(block, run_block(block, copy, env))


def run_block(block: Block, cwd: Path, env: dict[str, str]) -> list[str]:
    """Run the commands of a block one after the other. Returns the lines of prompts, commands and output."""
    lines: list[str] = []
    for command in block.commands:
        if command.startswith(SERVE):
            continue
        Console().print(f"$ {command}", markup=False, highlight=False)
        statuses = (0, 1) if command.startswith(REPORT) else (0,)
        lines += ["", f"{PROMPT}{command}", *screen(run_in_terminal(command, ANSWERS, cwd, env, statuses))]
    return lines[1:]


def save(block: Block, lines: list[str]) -> None:
    """Write the picture of a block that has one."""
    if block.picture:
        PICTURES.mkdir(exist_ok=True)
        title = block.commands[-1].partition(" --")[0]
        (PICTURES / f"{block.picture}.svg").write_text(draw(lines, title, block.picture), encoding="utf-8")


@contextmanager
def local_cloud(serve: str, cwd: Path, env: dict[str, str]) -> Iterator[None]:
    """Run a local cloud at the address that `--cloud local` means."""
    process = subprocess.Popen(serve.split(), cwd=cwd, env=env, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            if process.poll() is not None:
                raise RuntimeError(f"the local cloud ended. Does another one run at {URL}?")
            try:
                httpx.get(f"{URL}/docs", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                continue
            break
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
