"""A command in a terminal of its own, and what stands on the screen when it is over."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path
from time import monotonic


COLUMNS = 100
ROWS = 60
PATIENCE = 300.0
"""Seconds after which a command that is not over is a mistake."""

_TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r\n|\n|\r|[^\x1b\r\n]+")


def run_in_terminal(command: str, answers: Mapping[str, str], cwd: Path, env: Mapping[str, str]) -> str:
    """Run a shell command, answering each question whenever it is asked; return all that was written.

    Raises:
        TimeoutError: it is not over in time, perhaps because it asks something else.
        RuntimeError: it failed.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**env, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    process = subprocess.Popen(
        ["bash", "-c", command], stdin=its, stdout=its, stderr=its, cwd=cwd, env=environment, start_new_session=True
    )
    os.close(its)
    written, answered, deadline = "", 0, monotonic() + PATIENCE
    try:
        while chunk := _read(ours, deadline):
            written += chunk
            for question, answer in answers.items():
                if question in written[answered:]:
                    answered = len(written)
                    os.write(ours, f"{answer}\n".encode())
    except TimeoutError as error:
        raise TimeoutError(f"{command} is not over after {PATIENCE:g} s:\n{written}") from error
    finally:
        os.close(ours)
        if process.poll() is None and monotonic() >= deadline:
            process.kill()
    if process.wait():
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{written}")
    return written


def _read(terminal: int, deadline: float) -> str:
    """What was written since; nothing when the command has ended."""
    if not select.select([terminal], [], [], max(0.0, deadline - monotonic()))[0]:
        raise TimeoutError
    try:
        return os.read(terminal, 65_536).decode(errors="replace")
    except OSError:  # the way in which Linux says that nobody has the other end any more
        return ""


def screen(written: str) -> list[str]:
    """The lines that stand there at the end, with their colours: what was erased or drawn over is gone.

    It knows the movements that rich makes: up, to the begin of the line, erase the line.
    """
    lines, row, is_at_begin = [""], 0, False
    for token in _TOKEN.findall(written):
        if token in ("\n", "\r\n"):
            row, is_at_begin = row + 1, False
            lines += [""] * (row + 1 - len(lines))
        elif token == "\r":
            is_at_begin = True
        elif token.startswith("\x1b") and token.endswith("A"):
            row = max(0, row - int(token[2:-1] or 1))
        elif token.startswith("\x1b") and token.endswith("K"):
            lines[row], is_at_begin = "", False
        elif token.endswith("m") or not token.startswith("\x1b"):
            lines[row] = token if is_at_begin else lines[row] + token
            is_at_begin = False
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
