"""`python -m tests.pictures`: rehearse the deployment guide and draw what stands on the terminal into docs/pictures.

Everything below the guide's heading for the rehearsal is run in its order, on a local cloud and in a fresh copy of the
last commit; of the other blocks those that have a picture.
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
from tests.pictures.drawing import draw
from tests.pictures.guide import PICTURES, REHEARSAL, Block, read_blocks
from tests.pictures.terminal import run_in_terminal, screen


SERVE = "ddsbackup serve "
URL = "http://127.0.0.1:8600"
PROMPT = "\x1b[1;32m$\x1b[0m "
ANSWERS = {"[y/N]": "y"}
"""What the commands ask, and what is answered."""


def main() -> None:
    """Draw every picture of the guide."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        copy = Path(folder, "dds-backup")
        copy.mkdir()
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=CHECKOUT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "x", "-C", str(copy)], input=archive, check=True)
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        blocks = read_blocks()
        (serve,) = (c for block in blocks for c in block.commands if c.startswith(SERVE))
        with local_cloud(serve, copy, env):
            for block in blocks:
                if block.picture or block.heading == REHEARSAL:
                    draw_block(block, copy, env)


def draw_block(block: Block, cwd: Path, env: dict[str, str]) -> None:
    """Run the commands of a block one after the other, and draw them with what they wrote."""
    lines: list[str] = []
    for command in block.commands:
        if command.startswith(SERVE):
            continue
        Console().print(f"$ {command}", markup=False, highlight=False)
        lines += ["", f"{PROMPT}{command}", *screen(run_in_terminal(command, ANSWERS, cwd, env))]
    if block.picture:
        PICTURES.mkdir(exist_ok=True)
        title = block.commands[-1].partition(" --")[0]
        (PICTURES / f"{block.picture}.svg").write_text(draw(lines[1:], title, block.picture), encoding="utf-8")


@contextmanager
def local_cloud(serve: str, cwd: Path, env: dict[str, str]) -> Iterator[None]:
    """A local cloud at the address that `--cloud local` means, until it is no longer needed."""
    process = subprocess.Popen(serve.split(), cwd=cwd, env=env, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            if process.poll() is not None:
                raise RuntimeError(f"the local cloud has ended: is another one at {URL}?")
            try:
                httpx.get(f"{URL}/_local/connection", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                continue
            break
        yield
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
